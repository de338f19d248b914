"""The figures of a run in words."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest

from penstock.cli import figures as words
from penstock.cli.junit import junit_xml
from penstock.cli.reports import markdown_report, text_report
from penstock.model.figures import (
    Again,
    Conflict,
    DiffStat,
    Flaky,
    Integration,
    NotChecked,
    Offence,
    Quarantine,
    RunFigures,
    StepFigures,
    ToolFigures,
    Trip,
    Wait,
    WorkstreamFigures,
)
from penstock.model.progress import DaySpent, Usage
from tests.support import results

USED = Usage(turns=2, input_tokens=1500, output_tokens=500, cost_usd=0.42)


def full(**more: Any) -> RunFigures:
    """Return figures in which everything happened."""
    fields: dict[str, Any] = {
        "usage": USED,
        "max_cost_usd": 2.0,
        "max_tokens": 4000,
        "workstreams": (
            WorkstreamFigures(
                ws_id="ws-repaired",
                usage=USED,
                max_cost_usd=1.0,
                duration_sec=65.0,
                steps={"edit": 65.0},
                diff=DiffStat(files=2, insertions=10, deletions=3),
            ),
        ),
        "tools": (
            ToolFigures(
                tool_id="aider",
                turns=4,
                succeeded=3,
                failed=1,
                success_rate=0.75,
                duration_sec=60.0,
                usage=USED,
            ),
        ),
        "steps": (
            StepFigures(step_name="edit", attempts=2, succeeded=1, failed=1, duration_sec=30.0),
        ),
        "breaker_trips": (Trip(ws_id="ws-x", step="static", reason="no_progress", message="same"),),
        "flaky": (Flaky(ws_id="ws-x", step="runtime", check="pytest"),),
        "scope_violations": (
            Offence(
                ws_id="ws-x",
                step="edit",
                policy="fail",
                paths=tuple(f"p{n}" for n in range(7)),
                patch="a.patch",
            ),
        ),
        "attempts_again": (Again(ws_id="ws-x", step="edit", attempt=1, tool_id=None, why="lost"),),
        "integration": Integration(
            merged=1,
            open=1,
            checks=2,
            red=1,
            fixes=1,
            conflicts=(Conflict(ws_id="ws-x", paths="a.py"),),
            rejected=("ws-y",),
        ),
        "waits": (Wait(reason="rate_limit", times=2, duration_sec=90.0),),
        "quarantines": (Quarantine(ws_id=None, reason=None),),
        "not_checked": (NotChecked(ws_id="ws-x", step="static", why="nothing to run"),),
        "diff": DiffStat(files=1, insertions=8, deletions=0),
    }
    return RunFigures(**{**fields, **more})


TOLD = (
    "Spent: $0.42 of $2.00 (21 %); 2.0k of 4.0k tokens (50 %); integrated: 1 file, +8 -0.",
    "  ws-repaired  2      1.5k  500  $0.42  $1.00  1m05s  2      +10 -3",
    "  aider  4      3   1       75 %     1m00s  1.5k  500  $0.42",
    "  edit  2         1   1       30s   15s",
    "Integration: 1 merged, 1 not merged, 2 checks of the merged tree, 1 red, 1 turn to mend it.",
    "  ws-x        conflict  a.py",
    "  ws-y        rejected  -",
    "  ws-x        static  no_progress  same",
    "  ws-x        runtime  pytest",
    "  ws-x        edit  fail    p0, p1, p2, p3, p4 and 2 more  a.patch",
    "  ws-x        edit 1   -     lost",
    "  rate_limit  2      1m30s",
    "  the run     -",
    "  ws-x        static  nothing to run",
)


@pytest.mark.parametrize("line", TOLD)
def test_the_text_report_tells_every_figure(line: str) -> None:
    """Each thing that happened has its line, in columns."""
    assert line in text_report(results.run(results.repaired()), full()).splitlines()


def test_the_caps_of_a_day() -> None:
    """What all runs used today stands beside what this one did."""
    today = DaySpent(day="2026-01-31", cost_usd=1.2, tokens=900, max_cost_usd=10.0, max_tokens=5000)
    assert "; today $1.20 of $10.00, 900 of 5.0k tokens; " in words.spent(full(today=today))
    only_tokens = msgspec.structs.replace(today, max_cost_usd=None)
    assert words.today_words(only_tokens) == "today 900 of 5.0k tokens"
    only_money = msgspec.structs.replace(today, max_tokens=None)
    assert words.today_words(only_money) == "today $1.20 of $10.00"


def test_what_did_not_happen_is_left_out() -> None:
    """Of an empty run there are the money, the merges, and that nothing was left unchecked."""
    found = words.sections(RunFigures(usage=Usage()))
    assert [section.title for section in found] == ["Spent", "Integration", "Not checked"]
    assert found[0].note == "nothing known."
    assert found[2].note == "Every step that was come to had checks to run."


def test_an_unknown_cost_is_never_nothing() -> None:
    """A sum with an unknown part is said to be a lower bound."""
    partly = msgspec.structs.replace(USED, unpriced=1)
    assert words.cost_of(partly) == "at least $0.42"
    assert "the cost of 1 turn is unknown" in words.spent(full(usage=partly))


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "-"), (0.0, "$0.00"), (0.0042, "$0.0042"), (0.1, "$0.10"), (12.3, "$12.30")],
)
def test_money(value: float | None, said: str) -> None:
    """Small amounts keep their digits."""
    assert words.dollars(value) == said


def test_markdown_has_tables_that_hold() -> None:
    """Every row of a section has as many cells as its head, whatever tools said."""
    nasty = Trip(ws_id="ws-x", step="static", reason="cost", message=results.NASTY)
    text = markdown_report(results.run(results.repaired()), full(breaker_trips=(nasty,)))
    table = text.split("## Breaker trips")[1].strip().splitlines()[:3]
    assert table[0] == "| workstream | step | breaker | why |"
    assert table[2].replace(r"\|", "").count("|") == 5
    assert "\x1b" not in text


def test_junit_carries_the_figures() -> None:
    """A suite has its cost and diff as properties; one without cases has the whole report."""
    run = results.run(results.repaired())
    top = ET.fromstring(junit_xml(run, full()))  # noqa: S314 - our own text
    named = {p.get("name"): p.get("value") for p in top.iter("property")}
    assert (named["cost_usd"], named["diff"]) == ("0.42", "2 files, +10 -3")
    last = top.findall("testsuite")[-1]
    assert (last.get("name"), last.get("tests")) == ("run-1", "0")
    assert "Breaker trips" in (last.findtext("system-out") or "")


def test_a_step_with_nothing_to_run_is_skipped_in_junit() -> None:
    """A CI server does not count what had no check as passed."""
    skipped = results.step("static", outcome="skipped", details={"skipped": True})
    text = junit_xml(results.run(results.workstream("ws-a", skipped)))
    assert '<skipped message="nothing to run" />' in text
