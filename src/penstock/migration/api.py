"""What the migration room gives: what was found, what becomes of it, what is left to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

SOURCE = "AI_MANGER"
"""The folder of the old tree, from the top of the repository."""
TOOLSTACK = "config/toolstack.config.json"
"""Its configuration, from that folder."""
BACKUPS = "backups"
"""Where backups lie, from the top of the repository."""
REPORT_JSON = "migration_report.json"
REPORT_MD = "migration_report.md"


def silent(line: str) -> None:
    """Say nothing."""


class Action(StrEnum):
    """What becomes of a setting of the old tree."""

    SET = "set"  # it goes into aim_config
    SAME = "same"  # aim_config has it already
    KEPT = "kept"  # aim_config has another value, which wins
    LEFT = "left"  # it means nothing here, the note says why


class Mapped(msgspec.Struct, frozen=True, kw_only=True):
    """A setting of the old tree that has a place in aim_config. `value` is the old one."""

    old: str
    new: str
    value: Any
    action: Action
    note: str | None = None


class Unmapped(msgspec.Struct, frozen=True, kw_only=True):
    """A setting of the old tree that has none."""

    key: str
    value: Any
    note: str


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """Names of secrets: those that were carried over, and those whose values must be entered again."""

    migrated: tuple[str, ...] = ()
    needs_reentry: tuple[str, ...] = ()


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at after a migration."""

    name: str
    status: Literal["pass", "warn", "fail"]
    message: str


class Validation(msgspec.Struct, frozen=True, kw_only=True):
    """Whether what a migration left behind can be used."""

    checks: tuple[Check, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether nothing failed."""
        return all(check.status != "fail" for check in self.checks)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a migration did, or would do. Paths are from the top of the repository.

    `changed` are the files that it wrote; empty when there was nothing to be done.
    """

    created_at: str
    source: str
    dry_run: bool = False
    changed: tuple[str, ...] = ()
    mapped: tuple[Mapped, ...] = ()
    unmapped: tuple[Unmapped, ...] = ()
    secrets: Secrets = Secrets()
    warnings: tuple[str, ...] = ()
    to_do: tuple[str, ...] = ()
    backup_path: str | None = None
    validation: Validation = Validation()
    recovered: str | None = None


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that was made: its folder from the top of the repository, and what it holds."""

    path: str
    created_at: str
    files: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What a rollback did. `path` is the backup, None when there was nothing left to roll back.

    `kept` is the folder of files as they were just before, where somebody had changed them after the
    migration; `left` are files that were not put back, `withdrawn` secrets' names that were removed.
    """

    path: str | None = None
    restored: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: str | None = None
    left: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()


class SecretsDesk(Protocol):
    """What is known of the user's secrets besides their values. Methods raise SecretsError."""

    @property
    def path(self) -> Path:
        """The file of it."""
        ...

    def known(self) -> frozenset[str]:
        """Return the keys that are entered."""
        ...

    def valueless(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Return those of the keys that have no value, or none that can be seen now."""
        ...

    def enter(self, descriptions: Mapping[str, str]) -> None:
        """Enter keys without values, each with what it is; those that are known stay as they are."""
        ...

    def withdraw(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Remove those of the keys that never got a value; return them."""
        ...
