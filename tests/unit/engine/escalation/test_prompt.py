"""What an agent is told: the files, the findings by what became of them, the rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.engine.escalation.prompt import SHOWN, attempt_prompt
from penstock.engine.escalation.workplace import Workplace
from penstock.model.bundle import Bundle
from penstock.model.error_report import AttemptReport
from penstock.model.escalation import Agent, AiAttempt, EscalationContext
from penstock.model.finding import Finding


def finding(word: str, line: int = 1) -> Finding:
    """Return a finding that is told by its word."""
    return Finding(tool="lint", path="a.py", line=line, code=word.upper(), message=f"{word} here",
                   fingerprint=word)  # fmt: skip


def report(*words: str) -> AttemptReport:
    """Return a report of these findings."""
    return AttemptReport(
        report_id="x", run_id="r", workstream_id="w", attempt_number=0, attempt="0",
        ai_agent="none", timestamp_utc="now", issues=tuple(finding(word) for word in words),
    )  # fmt: skip


def context(**fields: Any) -> EscalationContext:
    """Return a context of two files."""
    plain = EscalationContext(run_id="r", workstream_id="w", python_files=("a.py", "b.py"))
    return msgspec.structs.replace(plain, **fields)


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    """The repository itself."""
    return Workplace(root=tmp_path, tree=tmp_path)


def prompt(place: Workplace, **fields: Any) -> str:
    """Return the prompt of a context."""
    return attempt_prompt(context(**fields), place, place.tree)


def section(text: str, title: str) -> str:
    """Return what stands under a title."""
    return text.split(f"## {title}", 1)[1].split("\n## ", 1)[0]


def test_files_and_findings_are_listed(place: Workplace) -> None:
    """Each finding with its place, rule and tool."""
    text = prompt(place, last_error_report=report("bad"))
    assert section(text, "Files").split() == ["-", "a.py", "-", "b.py"]
    assert "- a.py:1: BAD bad here [lint]" in section(text, "Findings")


def test_after_a_change_they_are_told_apart(place: Workplace) -> None:
    """New, unchanged and fixed ones; a kind that there is not is left out."""
    text = prompt(
        place,
        last_error_report=report("kept", "fresh"),
        previous_error_report=report("kept", "gone"),
    )
    assert "FRESH" in section(text, "New")
    assert "KEPT" in section(text, "Unchanged")
    assert "GONE" in section(text, "Fixed")
    same = prompt(place, last_error_report=report("a"), previous_error_report=report("a"))
    assert "## New" not in same
    assert "0 new, 0 fixed, 1 unchanged" in same


def test_of_very_many_the_first_are_listed(place: Workplace) -> None:
    """And how many more there are."""
    text = prompt(place, last_error_report=report(*(f"w{n}" for n in range(SHOWN + 7))))
    assert section(text, "Findings").count("[lint]") == SHOWN
    assert "... and 7 more" in text


def test_earlier_attempts_are_told(place: Workplace) -> None:
    """With what became of them."""
    attempt = AiAttempt(attempt_number=1, agent=Agent.AIDER, label="1", notes="undone: b.py")
    text = prompt(place, ai_attempts=(attempt,))
    assert "- 1, aider: undone: b.py" in section(text, "Earlier attempts")
    assert "Earlier attempts" not in prompt(place)


@pytest.mark.parametrize(
    ("strict", "words"), [(True, "find nothing at all"), (False, "no syntax error, type error")]
)
def test_the_goal_is_told(place: Workplace, strict: bool, words: str) -> None:
    """As the mode has it."""
    assert words in section(prompt(place, strict_mode=strict), "Rules")


def test_the_rules_name_what_may_be_changed(place: Workplace) -> None:
    """These files, or in a worktree the scope."""
    assert "Change nothing but these files" in prompt(place)
    bundle = Bundle(id="w", openspec_change="c", ccpm_issue=1, gate=1, tool="aider",
                    files_scope=("src/",), tasks=("do it",))  # fmt: skip
    inside = Workplace(root=place.root, tree=place.tree, bundle=bundle)
    text = prompt(inside)
    assert "what the workstream may change (src/)" in text
    assert "- do it" in section(text, "The task")


def test_the_repositorys_conventions_are_told(place: Workplace) -> None:
    """From the tree that the agent works in."""
    (place.tree / "AGENTS.md").write_text("Tabs, please.")
    assert "Tabs, please." in section(prompt(place), "Conventions")


def test_a_long_message_is_cut(place: Workplace) -> None:
    """One finding is one line of bearable length."""
    long = msgspec.structs.replace(finding("long"), message="x" * 5000 + "\nnext")
    text = prompt(place, last_error_report=msgspec.structs.replace(report(), issues=(long,)))
    (line,) = [one for one in text.splitlines() if "LONG" in one]
    assert len(line) < 450
