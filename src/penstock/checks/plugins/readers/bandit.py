"""Reads bandit's JSON."""

from __future__ import annotations

import msgspec

from penstock.checks.plugins.port import Parsed, RawOutput
from penstock.checks.plugins.readers.fields import (
    UnreadableError,
    category_of,
    one_line,
    position,
    severity_of,
)
from penstock.checks.plugins.readers.shapes import shaped
from penstock.model.finding import Category, Finding, Severity
from penstock.model.manifest import OutputSpec

UNREADABLE = "unreadable"
"""The code for a file that bandit could not look at."""


class _Issue(msgspec.Struct):
    """One issue; columns count from 0."""

    filename: str
    issue_text: str
    test_id: str
    line_number: int
    issue_severity: str
    line_range: list[int] = msgspec.field(default_factory=list)
    col_offset: int = -1
    end_col_offset: int = -1
    more_info: str | None = None


class _Unread(msgspec.Struct):
    filename: str
    reason: str


class _Report(msgspec.Struct):
    results: list[_Issue]
    errors: list[_Unread] = msgspec.field(default_factory=list)


def read_bandit(raw: RawOutput, spec: OutputSpec) -> Parsed:
    """Read the issues, and the files that bandit could not look at, which it tells with exit code 0."""
    try:
        report = shaped(raw.stdout, _Report)
    except UnreadableError as error:
        return Parsed((), ok=False, why=str(error))
    issues = tuple(_finding(issue, raw.tool, spec) for issue in report.results)
    return Parsed(issues + tuple(_unread(error, raw.tool) for error in report.errors))


def _finding(issue: _Issue, tool: str, spec: OutputSpec) -> Finding:
    return Finding(
        tool=tool,
        message=one_line(issue.issue_text),
        path=issue.filename,
        line=position(issue.line_number),
        column=position(issue.col_offset, zero_based=True),
        end_line=position(max(issue.line_range, default=None)),
        end_column=position(issue.end_col_offset, zero_based=True),
        code=issue.test_id,
        category=category_of(spec, issue.test_id),
        severity=severity_of(spec, issue.issue_severity, issue.test_id),
        url=issue.more_info,
    )


def _unread(error: _Unread, tool: str) -> Finding:
    is_syntax = "syntax error" in error.reason
    return Finding(
        tool=tool,
        message=one_line(error.reason),
        path=error.filename,
        code=UNREADABLE,
        category=Category.SYNTAX if is_syntax else Category.OTHER,
        severity=Severity.ERROR,
    )
