"""A walk over the files below some folders: fast, never through a link, never into what is not ours.

Left out are what protect.py names, other file systems, and what ignore files say; caches are met by
their names and not entered. In folders that are ignored only caches are looked for.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from penstock.environment.scan.api import Entry
from penstock.environment.scan.caches import CacheHit, CacheNames
from penstock.environment.scan.contents import entry_of
from penstock.environment.scan.ignore import (
    IGNORE_FILES,
    Chain,
    IgnoreFile,
    Scope,
    ignored,
    read_ignore_file,
)
from penstock.environment.scan.protect import marks, what_is

EXCLUDE_FILE = ".git/info/exclude"
"""The ignore file of one clone."""
_EACH = 5_000
"""So many files lie between two calls of `on_files`."""


class _Folder(NamedTuple):
    """A folder to be listed, the ignore files that count in it (`rules`: those of the chains that
    say something), and whether it is ignored itself."""

    path: str
    chains: tuple[Chain, ...]
    ignored: bool
    rules: tuple[Chain, ...] = ()


class Walker:
    """One walk. `files` yields the files; `caches`, `notes` and the counts fill up meanwhile.

    `own` are lines as in an ignore file, which count from each root. `skipped` are absolute paths of
    folders that are not entered. With `obey` False the ignore files of the tree do not count.
    """

    def __init__(
        self,
        names: CacheNames | None = None,
        *,
        own: Sequence[str] = (),
        skipped: Collection[str] = (),
        obey: bool = True,
        on_files: Callable[[int], None] = lambda _count: None,
    ) -> None:
        self.caches: list[CacheHit] = []
        self.notes: list[str] = []
        self.count = 0
        self.size_bytes = 0
        self._names = names if names is not None else CacheNames()
        self._own = IgnoreFile(own)
        self._skipped = frozenset(skipped)
        self._obey = obey
        self._on_files = on_files

    def files(self, roots: Iterable[Path]) -> Iterator[Entry]:
        """Yield the regular files below the roots, each once; a root within another counts once.

        A root that is not there, or cannot be listed, becomes a note.
        """
        for root in outermost(roots):
            yield from self._below(root)
        self._on_files(self.count)

    def _below(self, root: str) -> Iterator[Entry]:
        try:
            device = os.stat(root).st_dev  # noqa: PTH116
        except OSError as error:
            self.note(root, error.strerror or "it cannot be read")
            return
        waiting = [_Folder(root, self._chains_of(root), ignored=False)]
        while waiting:
            folder = waiting.pop()
            try:
                with os.scandir(folder.path) as listing:
                    entries = list(listing)
            except FileNotFoundError:  # removed meanwhile
                continue
            except OSError as error:
                self.note(folder.path, error.strerror or "it cannot be listed")
                continue
            yield from self._listed(folder, entries, device, waiting)

    def _listed(
        self, folder: _Folder, entries: list[os.DirEntry[str]], device: int, waiting: list[_Folder]
    ) -> Iterator[Entry]:
        """Yield the files of one folder and put the folders in it on the list."""
        names = {entry.name for entry in entries}
        if marks(names) is not None:
            return
        chains = self._extended(folder, names)
        here = folder._replace(chains=chains, rules=tuple(filter(None, chains)))
        for entry in entries:
            try:
                if entry.is_dir(follow_symlinks=False):
                    self._enter(entry, here, device, waiting)
                elif entry.is_file(follow_symlinks=False) and self._counts(entry, here):
                    yield self._met(entry)
            except FileNotFoundError:  # removed meanwhile
                continue
            except OSError as error:
                self.note(entry.path, error.strerror or "it cannot be read")

    def _counts(self, entry: os.DirEntry[str], folder: _Folder) -> bool:
        """Tell whether a file is one to look at: neither a cache nor ignored."""
        pattern = self._names.pattern_of(entry.name)
        if pattern is not None:
            self.caches.append(CacheHit(entry.path, pattern, folder=False))
            return False
        if folder.ignored:
            return False
        return not (folder.rules and ignored(folder.rules, entry.path, folder=False))

    def _met(self, entry: os.DirEntry[str]) -> Entry:
        found = entry.stat(follow_symlinks=False)
        self.count += 1
        self.size_bytes += found.st_size
        if self.count % _EACH == 0:
            self._on_files(self.count)
        return entry_of(entry.path, found)

    def _enter(
        self,
        entry: os.DirEntry[str],
        parent: _Folder,
        device: int,
        waiting: list[_Folder],
    ) -> None:
        """Put a folder on the list of those to walk through, unless it is none of ours."""
        if entry.path in self._skipped:
            return
        for nested in self._names.nested_in(entry.name):
            self._meet_nested(entry.path, nested)
        pattern = self._names.pattern_of(entry.name)
        if pattern is not None:
            self.caches.append(CacheHit(entry.path, pattern, folder=True))
        if pattern is not None or what_is(entry.name) is not None:
            return
        if entry.stat(follow_symlinks=False).st_dev != device:
            self.note(entry.path, "another file system; name it to look there")
            return
        out = parent.ignored or ignored(parent.rules, entry.path, folder=True)
        waiting.append(_Folder(entry.path, parent.chains, out))

    def _meet_nested(self, folder: str, pattern: str) -> None:
        """Note a cache within a folder that need not be entered otherwise."""
        path = f"{folder}/{pattern.partition('/')[2]}"
        if stat.S_ISDIR(_mode(path)) and os.path.realpath(path) == path:
            self.caches.append(CacheHit(path, pattern, folder=True))

    def _chains_of(self, root: str) -> tuple[Chain, ...]:
        """Return the rules that count at a root: our own, and those of the folders it lies in up to
        the top of its checkout."""
        chains: list[Chain] = [(_scope(self._own, root),) if self._own else ()]
        chains += [() for _ in IGNORE_FILES]
        if not self._obey:
            return tuple(chains)
        above = _up_to_checkout(root)
        exclude = read_ignore_file(f"{above[0]}/{EXCLUDE_FILE}")
        chains[1] += (_scope(exclude, above[0]),) if exclude is not None else ()
        for folder in above[:-1]:
            for number, name in enumerate(IGNORE_FILES, 1):
                found = read_ignore_file(f"{folder}/{name}")
                chains[number] += (_scope(found, folder),) if found is not None else ()
        return tuple(chains)

    def _extended(self, folder: _Folder, names: Collection[str]) -> tuple[Chain, ...]:
        """Return the rules that count in a folder, its own ignore files included."""
        chains = folder.chains
        if not self._obey or folder.ignored:
            return chains
        for number, name in enumerate(IGNORE_FILES, 1):
            if name in names and (found := read_ignore_file(f"{folder.path}/{name}")) is not None:
                longer = (*chains[number], _scope(found, folder.path))
                chains = (*chains[:number], longer, *chains[number + 1 :])
        return chains

    def note(self, path: str, why: str) -> None:
        """Remember what could not be looked at."""
        self.notes.append(f"{path}: {why}")


def outermost(roots: Iterable[Path]) -> list[str]:
    """Return roots as absolute paths without links, those within another left out."""
    found = sorted({os.path.realpath(root) for root in roots})
    return [
        root
        for root in found
        if not any(root != other and Path(root).is_relative_to(other) for other in found)
    ]


def _scope(file: IgnoreFile, folder: str) -> Scope:
    return Scope(file, len(folder.rstrip("/")) + 1)


def _up_to_checkout(root: str) -> list[str]:
    """Return the folders from the top of the checkout that a root lies in down to the root itself;
    the root alone when it lies in none."""
    found: list[str] = []
    for folder in (Path(root), *Path(root).parents):
        found.append(os.fspath(folder))
        if os.path.lexists(folder / ".git"):
            return found[::-1]
    return [root]


def _mode(path: str) -> int:
    try:
        return os.lstat(path).st_mode
    except OSError:
        return 0
