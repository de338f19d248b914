"""Text and Markdown reports, and the words for attempts, checks and findings."""

from __future__ import annotations

import pytest

from penstock.cli import render
from penstock.cli.reports import escape, markdown_report, text_report
from tests.support import results


def test_the_text_report_tells_the_story() -> None:
    """State, branch, attempts, findings and totals are all there."""
    text = text_report(results.run(results.repaired(), results.broken()))
    for part in (
        "Run run-1: succeeded",
        "took 1m05s",
        "1 of 2 done",
        "branch: workstream/ws-repaired/run-1 at 0123456789ab",
        "static 1  failed  0.5s",
        "a.py:3: F401 unused import",
        "kept: a.patch",
    ):
        assert part in text


def test_a_run_that_is_not_over_has_no_duration() -> None:
    """An unfinished run is reported without an end."""
    assert "took -" in text_report(results.run(ended_at=None))


def test_markdown_escapes_what_tools_said() -> None:
    """No message of a tool becomes markup or breaks a table."""
    text = markdown_report(results.run(results.broken("ws-x", results.NASTY)))
    assert r"\<tag\>" in text
    assert r"\`code\`" in text
    assert "\x1b" not in text
    rows = [line for line in text.splitlines() if line.startswith("| `ws-x`")]
    assert rows[0].replace(r"\|", "").count("|") == 7


def test_escaping_keeps_plain_text() -> None:
    """Ordinary words are left alone."""
    assert escape("plain words, 1.5s") == "plain words, 1.5s"


def test_unknown_amounts_are_left_out_of_the_total() -> None:
    """Tokens and cost appear only where a tool reported them."""
    assert render.totals((results.workstream(),)) == "1 of 1 done"
    known = render.totals((results.repaired(), results.workstream()))
    assert known == "1 of 2 done, 1.2k tokens in, 80 out, $0.0123".replace("1 of 2", "2 of 2")


@pytest.mark.parametrize(
    ("details", "line"),
    [
        ({"passed": True, "tests": 3, "duration_sec": 1.0}, "x: passed (3 tests, 1.0s)"),
        ({"passed": False, "exit_code": 2}, "x: failed (exit code 2)"),
        ({"passed": False, "timed_out": True}, "x: failed (timed out)"),
        ({"passed": True, "flaky": True}, "x: passed when run once more (flaky)"),
        ({}, "x: failed"),
    ],
)
def test_checks_in_words(details: dict[str, object], line: str) -> None:
    """A check says whether it passed and what is worth knowing of it."""
    assert render.check_line({"check_id": "x", **details}) == line


def test_many_findings_are_cut_with_their_number() -> None:
    """A flood of findings is shown in part and counted whole."""
    found = [results.finding(f"m{n}") for n in range(30)]
    step = results.step("static", details={"findings": found, "findings_count": 400})
    lines = render.step_details(step)
    assert len(lines) == render.FINDINGS_SHOWN + 1
    assert lines[-1] == "and 390 more findings"


def test_a_finding_without_a_place_is_its_message() -> None:
    """Neither path nor code is needed."""
    assert render.finding_line({"message": "boom\nhere"}) == "boom here"


def test_a_skipped_step_says_that_nothing_is_configured() -> None:
    """A step without checks is not passed over in silence."""
    skipped = results.step("static", tool_id=None, outcome="skipped", details={"skipped": True})
    assert render.step_line(skipped) == "static 1  ok  nothing to run, skipped"


def test_details_of_another_shape_are_survived() -> None:
    """An older journal's details of a shape that we do not know are left out."""
    odd = results.step(details={"checks": "none", "findings": [1, 2], "notes": ["a note"]})
    assert render.step_details(odd) == ["note: a note"]
