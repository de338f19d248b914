"""What is new, still there and fixed since the check before."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.engine.changes import Changes, changes_between, findings_of
from penstock.model.finding import Finding, Severity
from penstock.model.fingerprint import fingerprints
from tests.support.findings import finding, findings, lines_by_path

LINES = lines_by_path("import os", "x = 1", "x = 1")
RUFF = {"check_id": "ruff", "argv": ["/opt/bin/ruff", "check"], "exit_code": 1}
PYTEST = {"check_id": "pytest -q a", "argv": ["pytest", "-q", "a"], "exit_code": 1}


def check(*found: Finding, checks: tuple[dict[str, Any], ...] = (RUFF,), **fields: Any) -> Any:
    """What is kept of a check with these findings."""
    marked = fingerprints(found, LINES)
    kept: dict[str, Any] = {
        "checks": list(checks),
        "findings": msgspec.to_builtins(marked),
        "findings_count": len(found),
    }
    return {**kept, **fields}


def lines(changes: Changes | None) -> tuple[list[Any], list[Any], list[Any]]:
    """The lines of what is new, still there and fixed."""
    assert changes is not None
    return tuple([f.line for f in part] for part in (changes.new, changes.still, changes.fixed))  # type: ignore[return-value]


def test_findings_are_told_apart() -> None:
    """By what they are about, wherever they moved."""
    first = finding(code="F401", line=1)
    second = finding(code="E1", line=2)
    assert lines(changes_between(check(first), check(second))) == ([2], [], [1])
    assert lines(changes_between(check(first, second), check(first))) == ([], [1], [2])


def test_after_a_check_that_passed_everything_is_new() -> None:
    """Nothing was kept of it but that it ran."""
    passed = {"checks": [RUFF]}
    assert lines(changes_between(passed, check(finding(line=1)))) == ([1], [], [])


def test_without_all_of_the_findings_nothing_is_compared() -> None:
    """A list that was cut short would make old findings new."""
    whole, cut = check(finding(line=1)), check(finding(line=1), findings_count=51)
    assert changes_between(cut, whole) is None
    assert changes_between(whole, cut) is None


def test_findings_without_fingerprints_are_not_compared() -> None:
    """A journal of an earlier time has none."""
    bare = {"checks": [RUFF], "findings": [msgspec.to_builtins(finding(line=1))]}
    assert changes_between(bare, check(finding(line=1))) is None


@pytest.mark.parametrize(
    "later",
    [
        (),
        ({**RUFF, "timed_out": True},),
        ({**RUFF, "exit_code": -9},),
        ({**RUFF, "exit_code": None},),
    ],
)
def test_what_was_not_looked_for_again_is_not_fixed(later: tuple[dict[str, Any], ...]) -> None:
    """A check that did not start, or did not end by itself, proves nothing."""
    after = check(finding(tool="mypy", line=2), checks=later)
    assert lines(changes_between(check(finding(line=1)), after)) == ([2], [], [])


def test_findings_carry_the_name_of_the_profile_or_of_the_program() -> None:
    """Both kinds are recognised as checked again."""
    before = check(finding(line=1), finding(tool="pytest", line=2), checks=(RUFF, PYTEST))
    assert lines(changes_between(before, check(checks=(RUFF, PYTEST)))) == ([], [], [1, 2])


def test_of_two_checks_with_one_program_both_must_have_run_again() -> None:
    """The finding may be the other one's."""
    other = {**PYTEST, "check_id": "pytest -q b"}
    before = check(finding(tool="pytest", line=2), checks=(PYTEST, other))
    assert lines(changes_between(before, check(checks=(PYTEST,)))) == ([], [], [])


def test_remarks_are_not_counted_as_fixed() -> None:
    """They are no fault."""
    remark = finding(line=1, severity=Severity.INFO)
    assert lines(changes_between(check(remark), check())) == ([], [], [])


def test_of_two_failures_on_one_line_the_message_tells_which_is_left() -> None:
    """Two cases of one test fail on the same line; the one that was mended is told as fixed."""
    case_a, case_b = (finding(line=2, message=f"test_x[{name}] failed") for name in "ab")
    told = changes_between(check(case_a, case_b), check(case_b))
    assert told is not None
    assert [f.message for f in told.fixed] == [case_a.message]
    back = changes_between(check(case_b), check(case_a, case_b))
    assert back is not None
    assert [f.message for f in back.new] == [case_a.message]
    assert [f.message for f in back.still] == [case_b.message]


@given(st.lists(findings(), max_size=8), st.lists(findings(), max_size=8))
def test_new_and_still_there_are_all_that_was_found(
    before: list[Finding], after: list[Finding]
) -> None:
    """Nothing that the later check found is left out or told twice."""
    told = changes_between(check(*before), check(*after))
    assert told is not None
    later = findings_of(check(*after))
    assert sorted(map(repr, (*told.new, *told.still))) == sorted(map(repr, later))
    assert len(told.fixed) <= len(before)
