"""Reads the JSON of ShellCheck (format json1, which counts a tab as one column)."""

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

_WIKI = "https://www.shellcheck.net/wiki/"


class _Comment(msgspec.Struct, rename="camel"):
    file: str
    code: int
    message: str
    level: str = "error"
    line: int | None = None
    end_line: int | None = None
    column: int | None = None
    end_column: int | None = None
    fix: dict[str, object] | None = None


class _Output(msgspec.Struct):
    comments: list[_Comment]


def read_shellcheck(raw: RawOutput, spec: OutputSpec) -> Parsed:
    """Read its comments. What it cannot open it tells on standard error and by its exit code."""
    try:
        comments = shaped(raw.of(spec), _Output).comments
    except UnreadableError as error:
        return Parsed((), ok=False, why=str(error))
    return Parsed(tuple(_finding(comment, raw.tool, spec) for comment in comments))


def _finding(comment: _Comment, tool: str, spec: OutputSpec) -> Finding:
    code = f"SC{comment.code}"
    return Finding(
        tool=tool,
        message=one_line(comment.message) or code,
        path=path_text(comment.file),
        line=position(comment.line),
        column=position(comment.column),
        end_line=position(comment.end_line),
        end_column=position(comment.end_column),
        code=code,
        category=category_of(spec, code),
        severity=severity_of(spec, comment.level, code),
        fixable=comment.fix is not None,
        url=f"{_WIKI}{code}",
    )
