"""Reads the JSON of ESLint."""

from __future__ import annotations

import msgspec

from penstock.checks.plugins.port import Parsed, RawOutput
from penstock.checks.plugins.readers.fields import (
    UnreadableError,
    category_of,
    one_line,
    path_text,
    position,
)
from penstock.checks.plugins.readers.shapes import shaped
from penstock.model.finding import Category, Finding, Severity
from penstock.model.manifest import OutputSpec

SYNTAX = "syntax"
"""The code of what cannot be parsed, which ESLint gives no rule."""
_ERROR = 2
_DOCS = "https://eslint.org/docs/latest/rules/"


class _Message(msgspec.Struct, rename="camel"):
    rule_id: str | None = None
    message: str = ""
    severity: int = _ERROR
    fatal: bool | None = None
    line: float | None = None
    column: float | None = None
    end_line: float | None = None
    end_column: float | None = None
    fix: dict[str, object] | None = None


class _File(msgspec.Struct, rename="camel"):
    file_path: str
    messages: list[_Message]


def read_eslint(raw: RawOutput, spec: OutputSpec) -> Parsed:
    """Read what ESLint found in each file; what comments in the files disable is not among it."""
    try:
        files = shaped(raw.of(spec), list[_File])
    except UnreadableError as error:
        return Parsed((), ok=False, why=str(error))
    return Parsed(
        tuple(
            _finding(file, message, raw.tool, spec) for file in files for message in file.messages
        )
    )


def _finding(file: _File, message: _Message, tool: str, spec: OutputSpec) -> Finding:
    rule = one_line(message.rule_id, 200) or None
    code = SYNTAX if message.fatal else rule
    return Finding(
        tool=tool,
        message=one_line(message.message) or code or "no message",
        path=path_text(file.file_path),
        line=position(message.line),
        column=position(message.column),
        end_line=position(message.end_line),
        end_column=position(message.end_column),
        code=code,
        category=Category.SYNTAX if message.fatal else category_of(spec, code),
        severity=Severity.ERROR if message.severity >= _ERROR else Severity.WARNING,
        fixable=message.fix is not None,
        # rules of plugins, `import/no-cycle`, are explained elsewhere
        url=f"{_DOCS}{rule}" if rule and "/" not in rule else None,
    )
