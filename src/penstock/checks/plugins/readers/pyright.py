"""Reads pyright's `--outputjson`."""

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
from penstock.model.finding import Finding
from penstock.model.manifest import OutputSpec

_PAGE = "https://github.com/microsoft/pyright/blob/main/docs/configuration.md"
_NO_RULE = "syntax"
"""The code of what no rule can turn off."""


class _Position(msgspec.Struct):
    line: int
    character: int


class _Range(msgspec.Struct):
    """A range; lines and columns count from 0."""

    start: _Position
    end: _Position


class _Diagnostic(msgspec.Struct):
    file: str
    severity: str
    message: str
    range: _Range | None = None
    rule: str | None = None


class _Report(msgspec.Struct, rename="camel"):
    general_diagnostics: list[_Diagnostic]


def read_pyright(raw: RawOutput, spec: OutputSpec) -> Parsed:
    """Read pyright's diagnostics."""
    try:
        report = shaped(raw.stdout, _Report)
    except UnreadableError as error:
        return Parsed((), ok=False, why=str(error))
    return Parsed(tuple(_finding(one, raw.tool, spec) for one in report.general_diagnostics))


def _finding(diagnostic: _Diagnostic, tool: str, spec: OutputSpec) -> Finding:
    code = diagnostic.rule or _NO_RULE
    start = diagnostic.range.start if diagnostic.range else None
    end = diagnostic.range.end if diagnostic.range else None
    return Finding(
        tool=tool,
        message=one_line(diagnostic.message),
        path=diagnostic.file,
        line=position(start.line, zero_based=True) if start else None,
        column=position(start.character, zero_based=True) if start else None,
        end_line=position(end.line, zero_based=True) if end else None,
        end_column=position(end.character, zero_based=True) if end else None,
        code=code,
        category=category_of(spec, code),
        severity=severity_of(spec, diagnostic.severity, code),
        url=f"{_PAGE}#{diagnostic.rule}" if diagnostic.rule else None,
    )
