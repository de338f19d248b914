"""What is wrong with bundles, for people."""

from __future__ import annotations

from itertools import groupby

import msgspec

from penstock.cli import output
from penstock.cli.words import one_line, plural
from penstock.planning.api import (
    OVERLAPS,
    OVERLAPS_AUTHORING,
    BundleProblem,
    ValidationReport,
)


def show_errors(report: ValidationReport, *, to_stderr: bool = False) -> None:
    """Print every error, by file, and how many there are."""
    say = output.warn if to_stderr else output.emit
    for file, problems in groupby(report.errors, key=lambda problem: problem.file):
        say(f"{file or 'all bundles together'}:")
        for problem in problems:
            say(f"  {_line(problem)}")
    checked = plural(report.bundles_checked, "workstream bundle")
    say(f"{plural(len(report.errors), 'error')} in {checked}.")


def in_authors_words(report: ValidationReport) -> ValidationReport:
    """Return the report with overlaps called as the documented authoring script calls them."""
    errors = tuple(
        msgspec.structs.replace(e, details=e.details.replace(OVERLAPS, OVERLAPS_AUTHORING))
        for e in report.errors
    )
    return msgspec.structs.replace(report, errors=errors)


def _line(problem: BundleProblem) -> str:
    """Return a problem without its file: type, id, JSON path, what was expected and the fix."""
    where = " ".join(part for part in (problem.id, problem.path) if part)
    text = one_line(problem.details)
    return f"{problem.type}: {where}: {text}" if where else f"{problem.type}: {text}"
