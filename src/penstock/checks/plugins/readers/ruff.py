"""Reads the JSON of `ruff check` and `ruff format --check`."""

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

_ALL_EXCLUDED = b"No Python files found"
_SAFE = frozenset({"safe", "Safe", "Automatic"})
"""What ruff calls those mendings that `--fix` applies, in this order of its versions."""
_SYNTAX = "invalid-syntax"


class _Position(msgspec.Struct):
    row: int
    column: int


class _Fix(msgspec.Struct):
    applicability: str | None = None


class _Item(msgspec.Struct):
    """One diagnostic. Before 0.9 syntax errors had no code."""

    filename: str
    message: str | None = None
    code: str | None = None
    location: _Position | None = None
    end_location: _Position | None = None
    fix: _Fix | None = None
    url: str | None = None


def read_ruff(raw: RawOutput, spec: OutputSpec) -> Parsed:
    """Read what ruff found. Its formatter prints nothing when all files are excluded."""
    if not raw.stdout.strip() and _ALL_EXCLUDED in raw.stderr:
        return Parsed(())
    try:
        items = shaped(raw.stdout, list[_Item])
    except UnreadableError as error:
        return Parsed((), ok=False, why=str(error))
    return Parsed(tuple(_finding(item, raw.tool, spec) for item in items))


def _finding(item: _Item, tool: str, spec: OutputSpec) -> Finding:
    code = item.code or _SYNTAX
    start, end = item.location, item.end_location
    return Finding(
        tool=tool,
        message=one_line(item.message) or code,
        path=item.filename,
        line=position(start.row) if start else None,
        column=position(start.column) if start else None,
        end_line=position(end.row) if end else None,
        end_column=position(end.column) if end else None,
        code=code,
        category=category_of(spec, code),
        severity=severity_of(spec, None, code),
        fixable=item.fix is not None and item.fix.applicability in _SAFE,
        url=item.url,
    )
