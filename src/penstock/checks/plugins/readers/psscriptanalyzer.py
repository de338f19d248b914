"""Reads the JSON that the built-in script makes of the records of Invoke-ScriptAnalyzer."""

from __future__ import annotations

import msgspec

from penstock.checks.plugins.port import Parsed, RawOutput
from penstock.checks.plugins.readers.fields import (
    UnreadableError,
    category_of,
    one_line,
    path_text,
    position,
    severity_of,
)
from penstock.checks.plugins.readers.shapes import shaped
from penstock.model.finding import Category, Finding
from penstock.model.manifest import OutputSpec

_PARSE_ERROR = "ParseError"


class _Record(msgspec.Struct):
    """One record; the names are those of the script."""

    path: str | None = None
    rule: str | None = None
    severity: str | None = None
    message: str | None = None
    line: int | None = None
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None
    fixable: bool = False


class _Output(msgspec.Struct):
    """All records, and what kept files from being looked at."""

    records: list[_Record]
    errors: list[str] = []


def read_psscriptanalyzer(raw: RawOutput, spec: OutputSpec) -> Parsed:
    """Read the records; a file that could not be looked at makes it not ok."""
    try:
        output = shaped(raw.of(spec), _Output)
    except UnreadableError as error:
        return Parsed((), ok=False, why=str(error))
    findings = tuple(_finding(record, raw.tool, spec) for record in output.records)
    why = one_line("; ".join(output.errors), 300)
    return Parsed(findings, ok=not why, why=why)


def _finding(record: _Record, tool: str, spec: OutputSpec) -> Finding:
    code = one_line(record.rule, 200) or None
    line = position(record.line)
    syntax = record.severity == _PARSE_ERROR
    return Finding(
        tool=tool,
        message=one_line(record.message) or code or "no message",
        path=path_text(record.path),
        line=line,
        column=position(record.column),
        end_line=position(record.end_line),
        end_column=position(record.end_column),
        code=code,
        category=Category.SYNTAX if syntax else category_of(spec, code),
        severity=severity_of(spec, record.severity, code),
        fixable=record.fixable,
    )
