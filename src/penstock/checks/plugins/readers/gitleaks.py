"""Reads the JSON report of gitleaks."""

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


class _Leak(msgspec.Struct, rename="pascal"):
    """One finding. `Match`, `Secret` and `Line` hold the secret itself and are not read."""

    file: str
    rule_id: str = msgspec.field(name="RuleID", default="")
    description: str = ""
    start_line: int | None = None
    end_line: int | None = None
    start_column: int | None = None
    end_column: int | None = None


def read_gitleaks(raw: RawOutput, spec: OutputSpec) -> Parsed:
    """Read leaks: where they are and which rule found them, never what they are."""
    try:
        leaks = shaped(raw.of(spec), list[_Leak])
    except UnreadableError as error:
        return Parsed((), ok=False, why=str(error))
    return Parsed(tuple(_finding(leak, raw.tool, spec) for leak in leaks))


def _finding(leak: _Leak, tool: str, spec: OutputSpec) -> Finding:
    code = one_line(leak.rule_id, 200) or None
    return Finding(
        tool=tool,
        message=one_line(leak.description) or code or "a secret",
        path=path_text(leak.file),
        line=position(leak.start_line),
        column=position(leak.start_column),
        end_line=position(leak.end_line),
        end_column=position(leak.end_column),
        code=code,
        category=category_of(spec, code),
        severity=severity_of(spec, None, code),
    )
