"""A copy of some files of a tree, with links to all the rest: where fixers may write."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from penstock.checks.inspection.project import OURS
from penstock.checks.inspection.replace import Refusal
from penstock.checks.regular import open_regular
from penstock.folders import remove_tree

GROWTH = 20_000_000
"""Bytes that a fixer may make of a file."""


class Mirror:
    """Stands in for a tree: the asked files are copies, everything else is a link.

    So a tool finds configuration, installed packages and first-party modules where the tree has
    them. Folders with asked files are real ones, so what is written beside an asked file stays here.
    `originals` are the bytes that were copied, by path.
    """

    def __init__(self, folder: Path, tree: Path) -> None:
        self.folder = folder
        self._tree = tree
        self._real: set[str] = set()
        self.originals: dict[str, bytes] = {}
        self._content: dict[str, bytes] = {}
        self._modes: dict[str, int] = {}

    def take(self, path: str) -> None:
        """Copy a file. Raises Refusal when it cannot be read, OSError when it cannot be written."""
        data, mode = self._source(path)
        self._make_real(os.path.dirname(path))  # noqa: PTH120 - a text, as all names here
        self._modes[path] = 0o600 | (mode & 0o777)
        self._put(path, data)
        self.originals[path] = self._content[path] = data

    def content(self, path: str) -> bytes:
        """Return the bytes that a file has here, as far as was agreed to."""
        return self._content[path]

    def changed(self, path: str) -> bytes | None:
        """Return what was made of a file since, None when nothing was.

        Raises Refusal when it is no longer a file, or is of an unreasonable size.
        """
        data = self._look(path)
        return None if data == self._content[path] else data

    def agree(self, path: str, data: bytes) -> None:
        """Let a file have this content from now on. Raises OSError."""
        self._content[path] = data
        self.restore([path])

    def restore(self, paths: Iterable[str]) -> None:
        """Give files the content that was agreed to last. Raises OSError."""
        for path in paths:
            wanted = self._content[path]
            with suppress(Refusal):
                if self._look(path) == wanted:
                    continue
            self._make_real_again(os.path.dirname(path))  # noqa: PTH120
            self._put(path, wanted)

    def remove(self) -> None:
        """Remove the copy."""
        remove_tree(self.folder)

    def _source(self, path: str) -> tuple[bytes, int]:
        try:
            data, status = open_regular(self._tree / path, follow=True)
        except FileNotFoundError:
            raise Refusal("it was removed meanwhile") from None
        except OSError as error:
            raise Refusal(f"it cannot be read: {error.strerror or error}") from error
        return data, status.st_mode

    def _make_real(self, name: str) -> None:
        """Make a folder here of what was a link to one, with links to all that it holds."""
        if name in self._real:
            return
        if name:
            self._make_real(os.path.dirname(name))  # noqa: PTH120
        place = self.folder / name
        if place.is_symlink():
            place.unlink()
        place.mkdir(mode=0o700, parents=not name, exist_ok=True)
        with os.scandir(self._tree / name) as entries:
            for entry in entries:
                if name or entry.name not in OURS:
                    (place / entry.name).symlink_to(entry.path)
        self._real.add(name)

    def _make_real_again(self, name: str) -> None:
        """Bring back a folder that a tool has removed or replaced."""
        place = self.folder / name
        if place.is_symlink() or not place.is_dir():
            with suppress(FileNotFoundError):
                place.unlink()
            place.mkdir(mode=0o700, parents=True)

    def _put(self, path: str, data: bytes) -> None:
        place = self.folder / path
        if place.is_dir() and not place.is_symlink():
            remove_tree(place)
        with suppress(FileNotFoundError):
            place.unlink()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        with os.fdopen(os.open(place, flags, 0o600), "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), self._modes[path])

    def _look(self, path: str) -> bytes:
        try:
            data, _ = open_regular(self.folder / path, follow=False, limit=GROWTH + 1)
        except OSError as error:
            raise Refusal(f"it was removed or replaced ({error.strerror})") from error
        if len(data) > GROWTH:
            raise Refusal(f"it grew beyond {GROWTH:,} bytes")
        return data
