"""Sets of files as they were, and how a migration that uses one stands.

A set is a folder `aim-<time>` with `manifest.json`, the files below `files/`, and `state.json`, the
journal of the migration that it was made for. It appears under its name when it is complete: a set that was
being made when we died is called `.partial` and means nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import msgspec

from penstock.errors import EnvironmentProblem, NotFoundError, PenstockError
from penstock.migration import files
from penstock.migration.api import BACKUPS
from penstock.migration.files import Base, Name, Places
from penstock.typed import typed_json

T = TypeVar("T")

MANIFEST = "manifest.json"
STATE = "state.json"
PARTIAL = ".partial"


class DamagedBackupError(PenstockError):
    """A backup is not what was written."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it was: `sha256` and `mode` (permission bits) are None where there was none."""

    path: str
    sha256: str | None = None
    mode: int | None = None
    existed: bool = True
    base: Base = Base.REPOSITORY

    @property
    def name(self) -> Name:
        """The file's name."""
        return Name(self.base, self.path)


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a set holds. `missing_folders` of the repository were not there either."""

    created_at: str
    source: str
    files: tuple[Entry, ...]
    missing_folders: tuple[str, ...] = ()
    version: int = 1


class Phase(StrEnum):
    """How the migration of a set stands."""

    BACKED_UP = "backed_up"
    APPLYING = "applying"
    APPLIED = "applied"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"


OPEN = frozenset({Phase.APPLYING, Phase.ROLLING_BACK})
"""A migration in one of these was cut short."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The journal of a set: its phase, the hashes of files as the migration left them (by name), and
    the secrets that it entered."""

    phase: Phase = Phase.BACKED_UP
    after: dict[str, str] = msgspec.field(default_factory=dict)
    entered: tuple[str, ...] = ()


class BackupSet:
    """One set on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def name(self) -> str:
        """How people call it: `backups/aim-<time>`."""
        return f"{BACKUPS}/{self.folder.name}"

    def manifest(self) -> Manifest:
        """Return what it holds. Raises DamagedBackupError, NotFoundError where there is none."""
        return self._decode(MANIFEST, Manifest)

    def state(self) -> State:
        """Return how its migration stands."""
        if not (self.folder / STATE).exists():
            return State()
        return self._decode(STATE, State)

    def note(self, state: State) -> None:
        """Write how its migration stands; on the disk when this returns."""
        text = msgspec.json.format(msgspec.json.encode(state), indent=2)
        files.write(self.folder / STATE, text + b"\n", 0o600)

    def content(self, entry: Entry) -> bytes:
        """Return a file as it was. Raises DamagedBackupError when it is not that any more."""
        data = files.read(self.folder / "files" / entry.base / entry.path)
        if data is None or files.digest(data) != entry.sha256:
            raise DamagedBackupError(
                f"{self.name} is damaged: its copy of {entry.name} is"
                f" {'missing' if data is None else 'not what was backed up'}",
                hint="Nothing was changed. Name another one: aim migrate rollback --backup FOLDER",
            )
        return data

    def _decode(self, name: str, kind: type[T]) -> T:
        data = files.read(self.folder / name)
        if data is None:
            raise NotFoundError(
                f"{self.folder} is no backup: it has no {name}", hint="aim migrate backup makes one"
            )
        try:
            return typed_json(data, kind)
        except msgspec.DecodeError as error:
            raise DamagedBackupError(
                f"{self.name}/{name} is damaged: {error}",
                hint="Nothing was changed. Name another one: aim migrate rollback --backup FOLDER",
            ) from error


# -- making --------------------------------------------------------------------------------------
def make_backup(places: Places, names: Iterable[Name], source: str, now: str) -> BackupSet:
    """Copy files as they are into a fresh set. `now` is ISO 8601. Raises EnvironmentProblem."""
    above = backups_folder(places)
    folder = _free(above, now)
    draft = folder.with_name(folder.name + PARTIAL)
    try:
        draft.mkdir(mode=0o700)
        entries = tuple(_copied(places, name, draft) for name in dict.fromkeys(names))
        manifest = Manifest(
            created_at=now, source=source, files=entries, missing_folders=_missing(places, entries)
        )
        files.write(draft / ".gitignore", b"*\n", 0o600)  # git shows nothing of a set
        text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
        files.write(draft / MANIFEST, text + b"\n", 0o600)
        draft.rename(folder)
        files.sync_folder(above)
    except OSError as error:
        raise EnvironmentProblem(
            f"cannot make the backup {folder}: {error.strerror}",
            hint="Nothing was changed. Free space or mend the permissions, then try again.",
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return BackupSet(folder)


def backups_folder(places: Places) -> Path:
    """Return the folder of all sets, made (0700) when it is not there."""
    folder = places.path(Name(Base.REPOSITORY, BACKUPS))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentProblem(
            f"cannot make {folder}: {error.strerror}",
            hint=f"Move what is at {folder} away, or mend the permissions, then try again.",
        ) from error
    return folder


def _free(above: Path, now: str) -> Path:
    """Return a folder's name that is not taken."""
    stamp = now.translate({ord(c): None for c in "-:"}).partition(".")[0].rstrip("Z") + "Z"
    names = (f"aim-{stamp}", *(f"aim-{stamp}-{n}" for n in range(2, 10_000)))
    return next(above / name for name in names if not (above / name).exists())


def _copied(places: Places, name: Name, draft: Path) -> Entry:
    path = places.path(name)
    data = files.read(path)
    if data is None:
        return Entry(path=name.path, base=name.base, existed=False)
    target = draft / "files" / name.base / name.path
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.write(target, data, 0o600)
    return Entry(
        path=name.path, base=name.base, sha256=files.digest(data), mode=files.mode_of(path)
    )


def _missing(places: Places, entries: Iterable[Entry]) -> tuple[str, ...]:
    """Return the folders of the repository that files would need, and that are not there, deepest
    first."""
    found: set[str] = set()
    for entry in entries:
        if entry.base is Base.REPOSITORY:
            above = [p.as_posix() for p in Path(entry.path).parents if p.as_posix() != "."]
            found |= {name for name in above if not (places.repository / name).exists()}
    return tuple(sorted(found, key=lambda name: (-name.count("/"), name)))


# -- finding -------------------------------------------------------------------------------------
def all_sets(places: Places) -> Iterator[BackupSet]:
    """Yield the sets of a repository, newest first."""
    folder = places.path(Name(Base.REPOSITORY, BACKUPS))
    names = [p for p in folder.glob("aim-*Z*") if p.is_dir() and p.suffix != PARTIAL]
    for path in sorted(names, key=_order, reverse=True):
        if (path / MANIFEST).exists():
            yield BackupSet(path)


def _order(path: Path) -> tuple[str, int]:
    stamp, _, number = path.name.removeprefix("aim-").partition("-")
    return stamp, int(number) if number.isdecimal() else 1


def remove_partial(places: Places) -> None:
    """Remove sets that somebody was making when he died: nothing was changed yet."""
    folder = places.path(Name(Base.REPOSITORY, BACKUPS))
    for path in folder.glob(f"aim-*{PARTIAL}"):
        shutil.rmtree(path, ignore_errors=True)


def remove_folders(places: Places, names: Iterable[str]) -> None:
    """Remove folders that are empty again."""
    for name in names:
        with suppress(OSError):
            os.rmdir(places.path(Name(Base.REPOSITORY, name)))  # noqa: PTH106 - only an empty one
