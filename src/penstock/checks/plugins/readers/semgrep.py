"""Reads semgrep's JSON."""

from __future__ import annotations

from typing import Any

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
from penstock.model.finding import Category, Finding
from penstock.model.manifest import OutputSpec

_FATAL = "error"


class _Position(msgspec.Struct):
    line: int
    col: int


class _Extra(msgspec.Struct):
    message: str
    severity: str
    fix: str | None = None
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)


class _Result(msgspec.Struct):
    check_id: str
    path: str
    start: _Position
    end: _Position
    extra: _Extra


class _Error(msgspec.Struct):
    level: str
    message: str = ""
    path: str | None = None
    type: Any = None


class _Report(msgspec.Struct):
    results: list[_Result]
    errors: list[_Error] = msgspec.field(default_factory=list)


def read_semgrep(raw: RawOutput, spec: OutputSpec) -> Parsed:
    """Read the matches of rules, and the files that semgrep could read in part only.

    Errors that belong to no file (a rule that cannot be read) leave nothing to go by.
    """
    try:
        report = shaped(raw.stdout, _Report)
    except UnreadableError as error:
        return Parsed((), ok=False, why=str(error))
    fatal = [error for error in report.errors if error.path is None and error.level == _FATAL]
    if fatal:
        return Parsed((), ok=False, why="; ".join(one_line(error.message, 300) for error in fatal))
    found = tuple(_finding(result, raw.tool, spec) for result in report.results)
    return Parsed(found + tuple(_unread(e, raw.tool, spec) for e in report.errors if e.path))


def _finding(result: _Result, tool: str, spec: OutputSpec) -> Finding:
    return Finding(
        tool=tool,
        message=one_line(result.extra.message),
        path=result.path,
        line=position(result.start.line),
        column=position(result.start.col),
        end_line=position(result.end.line),
        end_column=position(result.end.col),
        code=result.check_id.rpartition(".")[2],
        category=category_of(spec, result.check_id.rpartition(".")[2]),
        severity=severity_of(spec, result.extra.severity, None),
        fixable=result.extra.fix is not None,
        url=_url(result.extra.metadata),
    )


def _url(metadata: dict[str, Any]) -> str | None:
    """Return the first page that a rule refers to."""
    references = metadata.get("references") or [metadata.get("source")]
    first = references[0] if isinstance(references, list) else references
    return one_line(first) if isinstance(first, str) and first.startswith("http") else None


def _unread(error: _Error, tool: str, spec: OutputSpec) -> Finding:
    kind = error.type[0] if isinstance(error.type, list) and error.type else error.type
    return Finding(
        tool=tool,
        message=one_line(error.message),
        path=error.path,
        code=one_line(kind, 100) or None,
        category=Category.OTHER,
        severity=severity_of(spec, error.level, None),
    )
