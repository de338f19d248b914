"""The files of plans as they are now: on the integration branch, or in the checkout where git does
not track them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePosixPath

from penstock.errors import RepositoryError
from penstock.folders import replace_file
from penstock.planning.files import UnreadableError, read_bytes
from penstock.planning.sources.text import MAX_SOURCE_BYTES
from penstock.worktrees.api import Repository


class PlanDesk:
    """Reads the files of plans, each once, and keeps what they are to become.

    `tip` is the commit of the integration branch, None to take everything from the checkout. With a
    `tip` only what no commit of `others` has is taken from there: what git tracks elsewhere is not
    to be changed behind its back. Names that lead out of the repository, or into git's own folder,
    are of no file.
    """

    def __init__(
        self, repository: Repository, tip: str | None, others: Collection[str] = ()
    ) -> None:
        self._repository = repository
        self.tip = tip
        self._others = tuple(others)
        self._read: dict[str, bytes | None] = {}
        self._tracked: set[str] = set()
        self._names: dict[str, tuple[str, ...]] = {}
        self.changed: dict[str, bytes | None] = {}

    def read(self, name: str) -> bytes | None:
        """Return what a file holds, or is to become; None when there is none."""
        if name in self.changed:
            return self.changed[name]
        return self.original(name)

    def original(self, name: str) -> bytes | None:
        """Return what a file holds now."""
        if name not in self._read:
            self._read[name] = self._look(name) if is_sound(name) else None
        return self._read[name]

    def put(self, name: str, raw: bytes | None) -> None:
        """Have a file of the branch become something else, or go."""
        self.changed[name] = raw
        self._tracked.add(name)

    def tracked(self, folder: str) -> tuple[str, ...]:
        """Return the names of the files that the integration branch has in and below a folder."""
        if self.tip is None or not is_sound(folder):
            return ()
        if folder not in self._names:
            self._names[folder] = self._repository.list_files(self.tip, folder)
        return self._names[folder]

    def _look(self, name: str) -> bytes | None:
        if self.tip is not None:
            held = self._repository.read_file(self.tip, name)
            if held is not None:
                self._tracked.add(name)
                return held
            if any(self._repository.read_file(commit, name) for commit in self._others):
                return None
        path = self._path(name)
        if path is None:
            return None
        try:
            return read_bytes(path, limit=MAX_SOURCE_BYTES)
        except UnreadableError:
            return None

    def _path(self, name: str) -> Path | None:
        """Return where a file of the checkout lies; None when links lead it out of there."""
        root = self._repository.root
        path = Path(os.path.realpath(root / name))
        inside = path.is_relative_to(root) and is_sound(path.relative_to(root).as_posix())
        return path if inside and path.is_file() else None

    def names(self, folder: str) -> Sequence[str]:
        """Return the names of the files in and below a folder, sorted."""
        if not is_sound(folder):
            return ()
        listed = self.tracked(folder)
        if listed:
            return listed
        top = self._repository.root / folder
        found = (path for path in top.rglob("*") if path.is_file())
        return sorted(path.relative_to(self._repository.root).as_posix() for path in found)

    @property
    def commits(self) -> dict[str, bytes | None]:
        """What goes into a commit: the changed files that the integration branch has, or gets."""
        return {name: raw for name, raw in self.changed.items() if name in self._tracked}

    @property
    def places(self) -> dict[str, bytes]:
        """What is written in the checkout: the other changed files."""
        mine = (item for item in self.changed.items() if item[0] not in self._tracked)
        return {name: raw for name, raw in mine if raw is not None}

    def write_places(self) -> Iterator[str]:
        """Write what goes into the checkout, each file in one piece; yield each name then.

        Raises RepositoryError when a file was changed meanwhile or cannot be written.
        """
        for name, raw in sorted(self.places.items()):
            self._write(name, raw)
            yield name

    def _write(self, name: str, raw: bytes) -> None:
        path = self._path(name)
        try:
            if path is None or path.read_bytes() != self.original(name):
                raise RepositoryError(
                    f"{name} was changed meanwhile", hint="run the same command again"
                )
            if path.stat().st_mode & 0o222 == 0:
                raise RepositoryError(f"{name} is read-only", hint=f"chmod u+w {name}")
            replace_file(path, raw)
        except OSError as error:
            raise RepositoryError(
                f"cannot write {name}: {error.strerror}", hint="mend that, then sync again"
            ) from error


def is_sound(name: str) -> bool:
    """Tell whether a name is one of a file within the repository and outside of git's folder."""
    path = PurePosixPath(name)
    if not name or name == "-" or path.is_absolute() or "\0" in name or "\\" in name:
        return False
    return not any(part == ".." or part.lower() == ".git" for part in path.parts)
