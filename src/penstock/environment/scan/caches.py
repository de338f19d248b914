"""Caches by their names: which there are, which of them may go, and how large they are."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from fnmatch import translate
from pathlib import PurePath
from typing import NamedTuple

from penstock.environment.scan.api import CacheFound

CLEANABLE = (
    ".pytest_cache", "__pycache__", ".mypy_cache", ".ruff_cache", ".eslintcache", ".tsbuildinfo",
    ".next/cache",
)  # fmt: skip
"""What its tool makes anew."""
REPORTED = (".aider", ".jules", ".claude")
"""What also holds settings and histories of the user's; never offered for cleaning."""
_WILD = frozenset("*?[")
# TypeScript names its file after the configuration: tsconfig.tsbuildinfo
_SUFFIXES = frozenset({".tsbuildinfo"})


class CacheHit(NamedTuple):
    """A cache that a walk came by, the pattern that it is known by, and whether it is a folder."""

    path: str
    pattern: str
    folder: bool


class CacheNames:
    """Patterns of caches: names with wildcards (`.ruff_cache`, `*.cache`), or names with the folder
    that they lie in (`.next/cache`, no wildcards). `more` are the user's own."""

    def __init__(self, more: Iterable[str] = ()) -> None:
        self.patterns = tuple(dict.fromkeys((*CLEANABLE, *REPORTED, *map(_tidy, more))))
        plain = [pattern for pattern in self.patterns if "/" not in pattern]
        self._names = {pattern: pattern for pattern in plain if not _is_wild(pattern)}
        self._wild = [pattern for pattern in plain if _is_wild(pattern)]
        self._wild_only = re.compile("|".join(map(_regex, self._wild))).match
        self._nested: dict[str, list[str]] = {}
        for pattern in self.patterns:
            first, _, rest = pattern.partition("/")
            if rest:
                self._nested.setdefault(first, []).append(pattern)

    def pattern_of(self, name: str) -> str | None:
        """Return the pattern that a name is known by, None when it is no cache."""
        if name in self._names:
            return name
        if self._wild_only(name) is None:  # asked for every file: one match instead of many
            return None
        return next((p for p in self._wild if re.match(_regex(p), name)), None)

    def nested_in(self, name: str) -> Sequence[str]:
        """Return the patterns of caches within a folder of this name."""
        return self._nested.get(name, ())

    @staticmethod
    def is_cleanable(pattern: str) -> bool:
        """Tell whether a cache may go: those of the user's own patterns may too."""
        return pattern not in REPORTED


def measured(hit: CacheHit, on_unread: Callable[[str], None]) -> CacheFound:
    """Return a cache with its size; `on_unread` hears of folders that cannot be listed."""
    size, count = extent(hit.path, on_unread) if hit.folder else (_size(hit.path), 1)
    return CacheFound(
        path=hit.path,
        pattern=hit.pattern,
        size_bytes=size,
        file_count=count,
        cleanable=CacheNames.is_cleanable(hit.pattern),
    )


def extent(folder: str, on_unread: Callable[[str], None]) -> tuple[int, int]:
    """Return the bytes and the number of the files below a folder; links are not followed."""
    size = count = 0
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as listing:
                for entry in listing:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        size, count = size + entry.stat(follow_symlinks=False).st_size, count + 1
        except FileNotFoundError:  # its tool is at work in it
            continue
        except OSError as error:
            on_unread(f"{error.filename}: {error.strerror}")
    return size, count


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def _tidy(pattern: str) -> str:
    return PurePath(pattern).as_posix().strip("/")


def _is_wild(pattern: str) -> bool:
    return pattern in _SUFFIXES or not _WILD.isdisjoint(pattern)


def _regex(pattern: str) -> str:
    return translate(f"*{pattern}" if pattern in _SUFFIXES else pattern)
