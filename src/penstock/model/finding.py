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
    """One finding. `path` is relative to the tree; lines and columns count from 1, ends included.

    `fixable`: its tool can mend it by itself. `url` explains the rule. `fingerprint` tells the
    finding again after lines have moved (see model.fingerprint); None where nobody asked for it.
    """

    tool: str
    message: str
    path: str | None = None
    line: int | None = None
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None
    code: str | None = None
    category: Category = Category.OTHER
    severity: Severity = Severity.ERROR
    fixable: bool = False
    url: str | None = None
    fingerprint: str | None = None
