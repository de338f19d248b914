"""What scans of files find and change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

import msgspec

KILOBYTE = 1024
MEGABYTE = 1024 * KILOBYTE


class Identity(NamedTuple):
    """What tells the content of a file from what it was: any change to it changes one of these.

    `ctime_ns` cannot be set back by who sets the time of modification back.
    """

    dev: int
    ino: int
    size: int
    mtime_ns: int
    ctime_ns: int


class Entry(NamedTuple):
    """A regular file that a walk came by; times in nanoseconds since the epoch, size in bytes."""

    path: str
    size: int
    dev: int
    ino: int
    mtime_ns: int
    ctime_ns: int
    nlink: int
    mode: int

    @property
    def identity(self) -> Identity:
        """What its content is known by."""
        return Identity(self.dev, self.ino, self.size, self.mtime_ns, self.ctime_ns)


class HashIndex(Protocol):
    """Hashes of files that were read before. Nothing here raises: without it files are read."""

    def lookup(self, wanted: Sequence[Identity]) -> dict[Identity, str]:
        """Return the SHA-256 (hex) of those whose content has not changed since it was read."""
        ...

    def save(self, found: Mapping[Identity, str]) -> None:
        """Keep hashes for the next scan."""
        ...

    def close(self) -> None:
        """Give back what is open."""
        ...


class NoIndex:
    """The index of a scan that keeps nothing."""

    def lookup(self, wanted: Sequence[Identity]) -> dict[Identity, str]:  # noqa: ARG002
        """Know nothing."""
        return {}

    def save(self, found: Mapping[Identity, str]) -> None:
        """Keep nothing."""

    def close(self) -> None:
        """Do nothing."""


class Phase(StrEnum):
    """What a scan is doing."""

    LISTING = "listing"
    READING = "reading"


Progress = Callable[[Phase, int, int], None]
"""Hears of the phase, how much of it is done, and how much there is (0: not known): files while
listing, bytes while reading."""


class DuplicateSet(msgspec.Struct, frozen=True, kw_only=True):
    """Files of the same content: its SHA-256 (hex), their absolute paths, bytes of one file, and
    the bytes that all but one of them take."""

    file_hash: str
    files: tuple[str, ...]
    size_bytes: int
    wasted: int


class CacheFound(msgspec.Struct, frozen=True, kw_only=True):
    """A cache outside of the central one. `cleanable`: it may go, its tool makes it anew."""

    path: str
    pattern: str
    size_bytes: int
    file_count: int
    cleanable: bool


class ScanReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a scan found. `total_*_mb` count 1,048,576 bytes each;
    `notes` says what was not looked at."""

    roots: tuple[str, ...]
    duplicates: tuple[DuplicateSet, ...] = ()
    misplaced_caches: tuple[CacheFound, ...] = ()
    total_scanned_files: int = 0
    total_scanned_bytes: int = 0
    total_wasted_mb: float = 0.0
    total_cache_mb: float = 0.0
    duration_s: float = 0.0
    notes: tuple[str, ...] = ()


class Kind(StrEnum):
    """Why something is to be cleaned up."""

    CACHE = "cache"
    DUPLICATE = "duplicate"


class CleanItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to be moved to the trash.

    `root` is the scanned folder that it was found in, `dev` and `ino` are what was found. `pattern`
    is the cache's; a duplicate has its `sha256`, and in `kept` the path of the same content that
    stays.
    """

    path: str
    kind: Kind
    root: str
    size_bytes: int
    file_count: int
    dev: int
    ino: int
    pattern: str | None = None
    sha256: str | None = None
    kept: str | None = None

    @property
    def why(self) -> str:
        """The reason for people."""
        if self.kind is Kind.DUPLICATE:
            return f"the same as {self.kept}"
        return f"a cache ({self.pattern}) that its tool makes anew"


class CleanPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What cleaning would move to the trash, and what it leaves alone, each with the reason."""

    roots: tuple[str, ...]
    items: tuple[CleanItem, ...] = ()
    refused: Mapping[str, str] = {}

    @property
    def size_bytes(self) -> int:
        """The bytes of all items."""
        return sum(item.size_bytes for item in self.items)


class CleanResult(msgspec.Struct, frozen=True, kw_only=True):
    """What cleaning did. `trash_id` undoes it, None when nothing was moved; `stayed` has a reason
    for each item that was planned and not moved."""

    trash_id: str | None = None
    moved: tuple[str, ...] = ()
    size_bytes: int = 0
    stayed: Mapping[str, str] = {}


class TrashInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One set of the trash: when it was made (seconds since the epoch), how much of it is there."""

    trash_id: str
    created_at: float
    roots: tuple[str, ...]
    items: int
    size_bytes: int
    notes: tuple[str, ...] = ()


class RestoreResult(msgspec.Struct, frozen=True, kw_only=True):
    """What restoring did. `stayed` has a reason for each thing that is in the trash still."""

    trash_id: str
    restored: tuple[str, ...] = ()
    stayed: Mapping[str, str] = {}
