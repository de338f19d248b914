"""The index of the symbols that a repository defines, kept between plans and brought up to date."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from penstock.planning.scoping import crew, symbolfile
from penstock.planning.scoping.api import Definition, Terrain
from penstock.planning.scoping.crew import Known, Share
from penstock.planning.scoping.definitions import (
    KIND_OF_LETTER,
    MAX_BYTES,
    Named,
    is_worth_reading,
)
from penstock.planning.scoping.languages import RULES
from penstock.planning.scoping.symbolfile import Entry, Kept

MAX_FILES: Final = 100_000
"""So many files are read."""
_GRAIN_NS: Final = 2_000_000_000
"""A file that was changed so shortly before it was looked at may have changed once more since."""

OnProgress = Callable[[int, int], None]


class SymbolIndex:
    """Definitions by name. `problems` are sentences on what could not be kept or read."""

    def __init__(self, files: Mapping[str, Named], problems: Sequence[str] = ()) -> None:
        self._files = files
        self.problems = tuple(problems)

    def __len__(self) -> int:
        return sum(map(len, self._files.values()))

    @cached_property
    def _paths(self) -> dict[str, list[str]]:
        """Paths by the names that they define, in order; once for every time that they do."""
        found: dict[str, list[str]] = {}
        for path in sorted(self._files):
            for name in self._files[path].names.split("\n"):
                found.setdefault(name, []).append(path)
        found.pop("", None)
        return found

    def find(self, name: str) -> Sequence[Definition]:
        """Return the definitions of a name, sorted; capitals count."""
        return [
            definition
            for path in dict.fromkeys(self._paths.get(name, ()))
            for definition in self._within(path, name)
        ]

    def _within(self, path: str, name: str) -> Iterator[Definition]:
        named = self._files[path]
        for at, other in enumerate(named.names.split("\n")):
            if other == name:
                yield Definition(path, named.lines[at], KIND_OF_LETTER[named.kinds[at]])


class _Stamp(NamedTuple):
    """What tells without reading that a file is still the same: its bytes, when it was changed."""

    size: int
    mtime_ns: int


def open_symbols(
    terrain: Terrain,
    *,
    root: Path | None = None,
    folder: Path | None = None,
    progress: OnProgress | None = None,
) -> SymbolIndex:
    """Return the index of a repository's symbols, reading only what changed since it was kept.

    `root` is where the terrain's files lie; without it every file is read through the terrain.
    `folder` (0700, ours alone) keeps the index; without it, or where it cannot be written, nothing
    is kept. `progress` is told how many of how many files have been read. Raises nothing of its own:
    what cannot be read defines nothing, what cannot be kept is told in `problems`.
    """
    looked_ns = time.time_ns()
    problems: list[str] = []
    kept = _kept(folder, problems)
    paths = [path for path in terrain.files() if is_worth_reading(path)]
    if len(paths) > MAX_FILES:
        problems.append(f"only {MAX_FILES} of {len(paths)} files were looked at for symbols")
        del paths[MAX_FILES:]
    work = _Work(kept, root, terrain, progress)
    entries = work.entries(paths)
    if folder is not None and work.changed(entries):
        _keep(folder, Kept(RULES, looked_ns, entries), problems)
    return SymbolIndex({path: entry.named for path, entry in entries.items()}, problems)


def _kept(folder: Path | None, problems: list[str]) -> Kept:
    """Return what a folder keeps, or an empty index."""
    empty = Kept(RULES, 0, {})
    if folder is None:
        return empty
    try:
        kept = symbolfile.load(folder)
    except symbolfile.DamagedError as error:
        problems.append(f"the kept index of symbols was damaged and is made anew: {error}")
        _set_aside(folder, problems)
        return empty
    except OSError as error:
        problems.append(f"the kept index of symbols cannot be read: {error.strerror or error}")
        return empty
    return kept if kept is not None and kept.rules == RULES else empty


def _set_aside(folder: Path, problems: list[str]) -> None:
    try:
        symbolfile.set_aside(folder)
    except OSError as error:
        problems.append(f"it cannot be set aside: {error.strerror or error}")


def _keep(folder: Path, kept: Kept, problems: list[str]) -> None:
    try:
        symbolfile.save(folder, kept)
    except OSError as error:
        problems.append(f"the index of symbols cannot be kept: {error.strerror or error}")


class _Work:
    """Bringing a kept index up to date."""

    def __init__(
        self, kept: Kept, root: Path | None, terrain: Terrain, progress: OnProgress | None
    ) -> None:
        self._kept = kept
        self._root = root
        self._terrain = terrain
        self._progress = progress
        self._news = False

    def changed(self, entries: Mapping[str, Entry]) -> bool:
        """Tell whether an index differs from the kept one, or was looked at more closely."""
        return self._news or entries.keys() != self._kept.files.keys()

    def entries(self, paths: Sequence[str]) -> dict[str, Entry]:
        """Return the entries of files: those kept that are still the same, others read."""
        stamps = {path: self._stamp(path) for path in paths}
        entries = {path: self._kept.files.get(path) for path in paths}
        stale = [path for path in paths if not self._holds(entries[path], stamps[path])]
        for path, known in self._look(stale, stamps):
            entries[path] = self._renewed(entries[path], known, stamps[path])
        return {path: entry for path, entry in entries.items() if entry is not None}

    def _renewed(
        self, old: Entry | None, known: Known | None, stamp: _Stamp | None
    ) -> Entry | None:
        """Return the entry of a file that was looked at; None for one that cannot be read, so that
        it is tried again."""
        if known is not None and not known.digest:
            return None
        self._news = True
        size, mtime_ns = stamp or (0, 0)
        if known is not None:
            return Entry(size, mtime_ns, known.digest, known.named)
        return Entry(size, mtime_ns, old.digest, old.named) if old is not None else None

    def _stamp(self, path: str) -> _Stamp | None:
        if self._root is None:
            return None
        try:
            found = os.lstat(f"{self._root}/{path}")
        except (OSError, ValueError):
            return None
        return _Stamp(found.st_size, found.st_mtime_ns)

    def _holds(self, entry: Entry | None, stamp: _Stamp | None) -> bool:
        """Tell whether a kept entry is of the file as it is, for sure."""
        if entry is None or stamp is None or (entry.size, entry.mtime_ns) != stamp:
            return False
        return stamp.mtime_ns < self._kept.looked_ns - _GRAIN_NS

    def _look(
        self, stale: Sequence[str], stamps: Mapping[str, _Stamp | None]
    ) -> Iterator[tuple[str, Known | None]]:
        """Yield what files define, None for one whose content is as it was kept."""
        sizes = {path: stamp.size for path in stale if (stamp := stamps[path]) is not None}
        if self._root is None or sum(sizes.values()) < crew.WORTH_BYTES:
            yield from self._look_here(stale)
            return
        done = 0

        def on_read(count: int) -> None:
            nonlocal done
            done += count
            self._tell(done, len(stale))

        shares = [self._share(part, self._root) for part in _parts(stale, sizes)]
        for share, told in crew.read_together(shares, on_read):
            yield from zip(share.paths, told.known, strict=True)

    def _look_here(self, stale: Sequence[str]) -> Iterator[tuple[str, Known | None]]:
        for number, path in enumerate(stale, 1):
            yield path, crew.look(path, self._content(path), self._digest(path))
            if number % 100 == 0 or number == len(stale):
                self._tell(number, len(stale))

    def _content(self, path: str) -> bytes | None:
        try:
            return self._terrain.read(path)
        except OSError:
            return None

    def _share(self, paths: Sequence[str], root: Path) -> Share:
        digests = tuple(map(self._digest, paths))
        return Share(os.fspath(root), tuple(paths), digests, os.getpid())

    def _digest(self, path: str) -> bytes:
        entry = self._kept.files.get(path)
        return entry.digest if entry is not None else b""

    def _tell(self, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress(done, total)


def _parts(paths: Sequence[str], sizes: Mapping[str, int]) -> Iterator[list[str]]:
    """Cut files into parts of about as many bytes as are worth a process."""
    part: list[str] = []
    size = 0
    for path in paths:
        part.append(path)
        size += min(sizes.get(path, 0), MAX_BYTES)
        if size >= crew.SHARE_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part
