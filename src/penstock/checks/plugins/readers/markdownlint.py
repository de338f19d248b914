"""Reads the JSON of markdownlint-cli, which it prints on standard error."""

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
from penstock.model.finding import Finding
from penstock.model.manifest import OutputSpec


class _Item(msgspec.Struct, rename="camel"):
    file_name: str
    rule_names: list[str]
    line_number: int | None = None
    rule_description: str = ""
    rule_information: str | None = None
    error_detail: str | None = None
    error_range: list[int] | None = None
    fix_info: dict[str, object] | None = None
    severity: str | None = None


def read_markdownlint(raw: RawOutput, spec: OutputSpec) -> Parsed:
    """Read what it found. It prints nothing when there is nothing, and how it is to be used when
    all files of a batch are ignored."""
    data = raw.of(spec)
    if not data.strip():
        return Parsed(())
    try:
        items = shaped(data, list[_Item])
    except UnreadableError as error:
        return Parsed((), ok=False, why=str(error))
    return Parsed(tuple(_finding(item, raw.tool, spec) for item in items))


def _finding(item: _Item, tool: str, spec: OutputSpec) -> Finding:
    code = one_line(item.rule_names[0], 200) if item.rule_names else ""
    column, width = _range(item)
    detail = f" [{item.error_detail}]" if item.error_detail else ""
    line = position(item.line_number)
    return Finding(
        tool=tool,
        message=one_line(f"{item.rule_description}{detail}") or code or "no message",
        path=path_text(item.file_name),
        line=line,
        column=column if line is not None else None,
        end_line=line if column is not None else None,
        end_column=column + width if column is not None and line is not None else None,
        code=code or None,
        category=category_of(spec, code),
        severity=severity_of(spec, item.severity, code),
        fixable=item.fix_info is not None,
        url=one_line(item.rule_information) or None,
    )


def _range(item: _Item) -> tuple[int | None, int]:
    """Return the column and how many characters the finding is wide."""
    given = item.error_range or []
    column = position(given[0]) if given else None
    return column, max(given[1], 0) if len(given) > 1 else 0
