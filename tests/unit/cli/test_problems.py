"""Errors of bundles, for people."""

from __future__ import annotations

import pytest

from penstock.cli.problems import in_authors_words, show_errors
from penstock.planning.api import OVERLAPS, BundleProblem, ProblemType, ValidationReport


def problem(
    kind: ProblemType, file: str | None, details: str, path: str | None = "$.id"
) -> BundleProblem:
    """Return a problem."""
    return BundleProblem(type=kind, file=file, id="ws-a", path=path, details=details)


REPORT = ValidationReport(
    ok=False,
    bundles_checked=2,
    errors=(
        problem(ProblemType.SCHEMA, "a.json", "expected\na text"),
        problem(ProblemType.SCHEMA, "a.json", "missing", None),
        problem(ProblemType.OVERLAP, None, f"{OVERLAPS}: ws-a and ws-b", None),
    ),
)


def test_errors_are_grouped_by_file(capsys: pytest.CaptureFixture[str]) -> None:
    """Each file is named once, each error is a line with type, id, path and the fix."""
    show_errors(REPORT)
    assert capsys.readouterr().out.splitlines() == [
        "a.json:",
        "  schema: ws-a $.id: expected a text",
        "  schema: ws-a: missing",
        "all bundles together:",
        "  overlap: ws-a: File scope overlaps detected: ws-a and ws-b",
        "3 errors in 2 workstream bundles.",
    ]


def test_errors_may_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """Where stdout is for a result the errors leave it alone."""
    show_errors(REPORT, to_stderr=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "3 errors" in err


def test_authors_read_their_own_words() -> None:
    """The documented authoring script has another name for overlaps."""
    changed = in_authors_words(REPORT)
    assert changed.errors[2].details == "Overlapping file scopes: ws-a and ws-b"
    assert changed.errors[:2] == REPORT.errors[:2]
