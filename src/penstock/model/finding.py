"""One thing that a check found."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Category(StrEnum):
    """What kind of trouble a finding is."""

    SYNTAX = "syntax"
    TYPE = "type"
    STYLE = "style"
    FORMATTING = "formatting"
    SECURITY = "security"
    TEST_FAILURE = "test_failure"
    OTHER = "other"


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One finding. `path` is relative to the tree; `line` and `column` count from 1."""

    tool: str
    message: str
    path: str | None = None
    line: int | None = None
    column: int | None = None
    code: str | None = None
    category: Category = Category.OTHER
    severity: Severity = Severity.ERROR
