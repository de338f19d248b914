"""A plain folder as the repository that a plan is for: without git, hence without history."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

from penstock.planning.scoping.names import words

MAX_FILES: Final = 200_000
"""So many files of a folder are looked at: it may be a whole disk."""
MAX_BYTES: Final = 16 * 1024 * 1024
"""So much of a file is read."""
SKIPPED_FOLDERS: Final = words(
    ".git .hg .svn .worktrees .state node_modules bower_components __pycache__ .venv venv .tox .nox "
    ".mypy_cache .pytest_cache .ruff_cache .cache .gradle .idea .vscode .next .nuxt .terraform "
    "site-packages"
)
"""Folders of tools, which no plan is about."""


class FolderTerrain:
    """The files of a folder, links and what tools keep there left out."""

    def __init__(self, root: Path, *, most: int = MAX_FILES) -> None:
        self.root = root
        self._most = most

    @cached_property
    def _files(self) -> tuple[str, ...]:
        found: list[str] = []
        for path in _walk(os.fspath(self.root), ""):
            found.append(path)
            if len(found) >= self._most:
                break
        return tuple(sorted(found))

    def files(self) -> Sequence[str]:
        """Return the files, sorted; at most `most` of them."""
        return self._files

    def size(self, path: str) -> int:
        """Return the bytes of a file, 0 when it cannot be looked at."""
        try:
            return os.lstat(self.root / path).st_size
        except (OSError, ValueError):
            return 0

    def read(self, path: str) -> bytes:
        """Return what a regular file holds, up to MAX_BYTES. Raises OSError."""
        return read_regular(self.root / path, MAX_BYTES)

    def history(self) -> Iterable[Sequence[str]]:
        """Return nothing: a plain folder has no history."""
        return ()


def _walk(folder: str, below: str) -> Iterator[str]:
    """Yield files in the order of their names; what cannot be entered is left out."""
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in listed:
        if entry.is_symlink() or not _is_text(entry.name):
            continue
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in SKIPPED_FOLDERS:
                yield from _walk(entry.path, f"{below}{entry.name}/")
        elif entry.is_file(follow_symlinks=False):
            yield below + entry.name


def _is_text(name: str) -> bool:
    """Tell whether a name can be written: names may hold bytes that are no text."""
    return name.isprintable()


def read_regular(path: Path, most: int) -> bytes:
    """Return up to `most` bytes of a regular file, without waiting for a pipe or following a link.

    Raises OSError, also for what is no regular file.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError(f"{path} is no regular file")
        return stream.read(most)
