"""What a tool is told."""

from __future__ import annotations

from pathlib import Path

import msgspec

from penstock.engine.changes import Changes
from penstock.engine.prompt import (
    FINDING_LIMIT,
    FIXED_LIMIT,
    FixInput,
    edit_prompt,
    findings_text,
    fix_prompt,
    merge_prompt,
    summary,
)
from penstock.model.bundle import Bundle
from penstock.model.finding import Finding

BUNDLE = Bundle(
    id="ws-a",
    openspec_change="c-1",
    ccpm_issue="ISSUE-7",
    gate=2,
    files_scope=("src/a.py", "docs/"),
    files_create=("src/b.py",),
    tasks=("Add b", "Use b in a"),
    tool="scripted",
    acceptance_tests=("pytest -q", "b is fast"),
    metadata={"owner": "me", "scripted": [{"edits": {"src/a.py": "the answer"}}]},
)
FIX = FixInput(
    for_step="static",
    findings=(
        Finding(tool="ruff", message="unused  import\nos", path="src/a.py", line=3, code="F401"),
    ),
    tail="one\ntwo",
    commands=("ruff check .",),
)


def test_an_edit_prompt_holds_task_acceptance_scope_and_all_fields(tmp_path: Path) -> None:
    """Everything that the bundle says reaches the tool."""
    text = edit_prompt(BUNDLE, "run-1", tmp_path)
    for part in ("ws-a", "run-1", "Use b in a", "b is fast", "docs/", "ISSUE-7", '"owner": "me"'):
        assert part in text
    assert "- src/b.py (to be created)" in text


def test_the_script_of_the_scripted_tool_is_not_part_of_the_prompt(tmp_path: Path) -> None:
    """The answer is not given away, nor stored twice."""
    assert "the answer" not in edit_prompt(BUNDLE, "run-1", tmp_path)


def test_conventions_of_the_repository_are_told(tmp_path: Path) -> None:
    """AGENTS.md and CLAUDE.md of the worktree are part of the prompt."""
    (tmp_path / "AGENTS.md").write_text("Use tabs.")
    (tmp_path / "CLAUDE.md").write_text("Be brief.")
    text = edit_prompt(BUNDLE, "run-1", tmp_path)
    assert "Use tabs." in text
    assert "Be brief." in text


def test_conventions_that_lead_out_of_the_tree_are_left_out(tmp_path: Path) -> None:
    """A symlink to a secret elsewhere is not read into a prompt."""
    (tmp_path / "secret").write_text("password of the house")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "AGENTS.md").symlink_to(tmp_path / "secret")
    assert "password of the house" not in edit_prompt(BUNDLE, "run-1", tree)


def test_a_fix_prompt_holds_findings_output_and_task(tmp_path: Path) -> None:
    """The tool learns what failed, where, and what it was all for."""
    text = fix_prompt(BUNDLE, "run-1", tmp_path, FIX)
    for part in ("static", "ruff check .", "src/a.py:3: F401 unused import os", "    two", "Add b"):
        assert part in text


def test_a_fix_without_findings_says_so(tmp_path: Path) -> None:
    """An output that nobody could read is not hidden behind an empty list."""
    bare = msgspec.structs.replace(FIX, findings=(), tail="")
    text = fix_prompt(BUNDLE, "run-1", tmp_path, bare)
    assert "None could be read" in text
    assert "(no output)" in text


def test_a_summary_has_at_most_400_characters() -> None:
    """A long message is cut and says so."""
    line = summary(Finding(tool="t", message="x" * 1000))
    assert len(line) == 400
    assert line.endswith("...")


def test_many_findings_are_counted_not_listed() -> None:
    """The first forty are shown, the rest is a number."""
    text = findings_text(Finding(tool="t", message=str(n)) for n in range(FINDING_LIMIT + 2))
    assert text.endswith("... and 2 more")


def changed(new: int = 0, still: int = 0, fixed: int = 0) -> FixInput:
    """A fix input with so many findings of each kind."""
    counts = {"new": new, "still": still, "fixed": fixed}
    groups = {
        name: tuple(Finding(tool="t", message=f"{name} {n}") for n in range(count))
        for name, count in counts.items()
    }
    shown = (*groups["new"], *groups["still"])
    return msgspec.structs.replace(FIX, findings=shown, changes=Changes(**groups))


def test_a_fix_prompt_says_what_the_last_turn_changed(tmp_path: Path) -> None:
    """New findings first, then those that are still there, then what was mended."""
    text = fix_prompt(BUNDLE, "run-1", tmp_path, changed(1, 2, 1))
    assert "Since the previous check: 1 new, 2 still there, 1 fixed." in text
    order = ["New:\n- new 0", "Still there:\n- still 0\n- still 1", "stay so):\n- fixed 0"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_groups_without_findings_have_no_title(tmp_path: Path) -> None:
    """An empty list would only cost tokens."""
    text = fix_prompt(BUNDLE, "run-1", tmp_path, changed(still=1))
    assert "New:" not in text
    assert "Fixed (" not in text


def test_new_findings_have_the_room_of_old_ones(tmp_path: Path) -> None:
    """Old ones and mended ones are cut short first."""
    text = fix_prompt(BUNDLE, "run-1", tmp_path, changed(FINDING_LIMIT, 60, 60))
    assert f"- new {FINDING_LIMIT - 1}" in text
    assert text.count("- still") == text.count("- fixed") == FIXED_LIMIT
    assert text.count("... and 50 more") == 2


def test_mended_findings_are_told_even_when_nothing_could_be_read(tmp_path: Path) -> None:
    """The turn shall not undo them."""
    text = fix_prompt(BUNDLE, "run-1", tmp_path, changed(fixed=1))
    assert "None could be read" in text
    assert "- fixed 0" in text


def test_a_merge_prompt_says_it_too(tmp_path: Path) -> None:
    """A red merge may take several turns."""
    text = merge_prompt(BUNDLE, "run-1", tmp_path, changed(1, 1), ())
    assert "1 new, 1 still there, 0 fixed" in text
