"""What a scan for secrets says: where one is and how it may be told again, never its value."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Source(StrEnum):
    """What was looked through."""

    TREE = "tree"
    STAGED = "staged"
    HISTORY = "history"
    COMMITS = "commits"
    AUDIT = "audit"
    LOGS = "logs"


class FoundSecret(msgspec.Struct, frozen=True, kw_only=True):
    """One secret in one file.

    `line` and `column` count from 1. `masked` is what may be shown of the value. `fingerprint` tells
    the value again to whoever has the key, and nobody else. Of a history, `commit` is the oldest that
    brought it to this path, and `times` how many versions of the file have it.
    """

    source: Source
    path: str
    line: int
    column: int
    rule: str
    title: str
    masked: str
    fingerprint: str
    commit: str | None = None
    times: int = 1


class Skipped(msgspec.Struct, frozen=True):
    """What could not be looked at, and why."""

    path: str
    why: str


class SecretReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a scan found.

    `known` are the findings that the baseline knows, `allowed` counts those with a mark in the source
    that allows them. `files` counts the texts that were looked through (of a history: the versions
    of files), `size_bytes` their size. `duration_s` is in seconds.
    """

    sources: tuple[Source, ...]
    level: str
    findings: tuple[FoundSecret, ...] = ()
    known: tuple[FoundSecret, ...] = ()
    allowed: int = 0
    files: int = 0
    size_bytes: int = 0
    skipped: tuple[Skipped, ...] = ()
    duration_s: float = 0.0

    @property
    def ok(self) -> bool:
        """Tell whether nothing was found that nobody has allowed."""
        return not self.findings


class LeakVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the commits of a branch bring along that its base does not have.

    `present` is still there at its head, `past` only in a commit before it.
    """

    present: tuple[FoundSecret, ...] = ()
    past: tuple[FoundSecret, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether there is nothing."""
        return not (self.present or self.past)
