"""Ignored files that a turn created or changed: listed up to a bound, never committed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

Seen = dict[str, tuple[int, int]]
"""Ignored path -> (size in bytes, modification time in ns)."""

LIMIT = 2_000
"""Files that are looked at; folders beyond them are named as a whole, with `/` at the end."""


def look(tree: Path, ignored: Iterable[str], before: Seen) -> tuple[Seen, tuple[str, ...]]:
    """Return what there is of the ignored names now, and which of it differs from `before`."""
    now: Seen = {}
    for name in sorted(ignored):
        for path, mark in _files(tree, name):
            if len(now) >= LIMIT:
                now[name] = (0, 0)
                break
            now[path] = mark
    return now, tuple(sorted(path for path, mark in now.items() if before.get(path) != mark))


def _files(tree: Path, name: str) -> Iterator[tuple[str, tuple[int, int]]]:
    place = tree / name
    if place.is_symlink() or not place.is_dir():
        yield from _marked(tree, name)
        return
    for folder, _, files in os.walk(place):
        for file in sorted(files):
            yield from _marked(tree, os.path.relpath(f"{folder}/{file}", tree))


def _marked(tree: Path, name: str) -> Iterator[tuple[str, tuple[int, int]]]:
    try:
        found = (tree / name).lstat()
    except OSError:
        return
    yield name, (found.st_size, found.st_mtime_ns)
