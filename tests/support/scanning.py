"""Trees of files for scans, and looking at what scans of them find."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from penstock.environment.scan.api import CleanItem, Entry, HashIndex, Identity, Kind
from penstock.environment.scan.caches import CacheNames
from penstock.environment.scan.contents import entry_of
from penstock.environment.scan.duplicates import DuplicateFinder
from penstock.environment.scan.walk import Walker


def tree(folder: Path, files: Mapping[str, bytes | str]) -> Path:
    """Write files below a folder, and return it without links in its path."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Path(os.path.realpath(folder))


def entry(path: Path) -> Entry:
    """A file as a walk would find it now."""
    return entry_of(os.fspath(path), path.lstat())


def walked(root: Path, walker: Walker | None = None) -> set[str]:
    """The files that a walk comes by, relative to its root."""
    found = (walker or Walker()).files([root])
    return {os.path.relpath(one.path, os.path.realpath(root)) for one in found}


def caches_of(root: Path, *more: str) -> dict[str, str]:
    """The caches that a walk meets, relative to its root, with their patterns."""
    walker = Walker(CacheNames(more))
    walked(root, walker)
    top = os.path.realpath(root)
    return {os.path.relpath(hit.path, top): hit.pattern for hit in walker.caches}


def found_sets(root: Path, index: HashIndex | None = None) -> list[set[str]]:
    """The sets of duplicates below a folder, relative to it, that waste most first."""
    top = os.path.realpath(root)
    found = DuplicateFinder(index).find(Walker().files([root]))
    return [{os.path.relpath(path, top) for path in one.files} for one in found]


class BookIndex:
    """An index in memory, that counts what it was asked."""

    def __init__(self) -> None:
        self.book: dict[Identity, str] = {}
        self.asked = 0
        self.closed = False

    def lookup(self, wanted: Iterable[Identity]) -> dict[Identity, str]:
        """Return what is in the book."""
        known = {one: self.book[one] for one in wanted if one in self.book}
        self.asked += len(known)
        return known

    def save(self, found: Mapping[Identity, str]) -> None:
        """Enter it into the book."""
        self.book.update(found)

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


def cache_item(path: Path, root: Path) -> CleanItem:
    """A cache to be cleaned up."""
    found = path.lstat()
    return CleanItem(
        path=os.fspath(path),
        kind=Kind.CACHE,
        root=os.fspath(root),
        size_bytes=1,
        file_count=1,
        dev=found.st_dev,
        ino=found.st_ino,
        pattern=path.name,
    )


def state(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its content."""
    return {
        os.path.relpath(path, folder): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
