"""The trash: what cleaning moved away, in sets that can be put back.

A set is a folder below the user's trash with a manifest, one line of JSON for each thing. The
manifest is on disk before anything moves, so that whatever happens meanwhile, what lies in the trash
can be told and put back. Things from other file systems lie in a `.aim-trash` folder there.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import msgspec

from penstock.environment.scan.api import CleanItem, RestoreResult, TrashInfo
from penstock.environment.scan.moving import NotMovedError, move, move_pieces
from penstock.environment.scan.protect import TRASH_FOLDER
from penstock.errors import EnvironmentProblem, NotFoundError
from penstock.folders import private_folder, remove_tree
from penstock.locks import exclusive
from penstock.typed import typed

MANIFEST = "manifest.jsonl"
VERSION = 1
_PATIENCE_S = 5.0
_HIDDEN = "# made by penstock: what cleaning moved here; `aim scan restore` puts it back\n*\n"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a manifest: where a thing was, and where it lies now."""

    path: str
    kept_at: str
    kind: str
    size_bytes: int
    file_count: int
    sha256: str | None = None


class TrashSet:
    """One set: its id, its folder, when it was made, and what its manifest names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.trash_id = folder.name
        self.created_at = 0.0
        self.roots: tuple[str, ...] = ()
        self.notes: list[str] = []
        self.items = tuple(self._read())

    def _read(self) -> Iterator[Kept]:
        """Read the manifest; lines that cannot be read become notes. Raises EnvironmentProblem."""
        try:
            lines = (self.folder / MANIFEST).read_bytes().splitlines()
        except OSError as error:
            raise EnvironmentProblem(
                f"the manifest of the trash {self.trash_id} cannot be read: {error.strerror}"
            ) from error
        for number, line in enumerate(lines, 1):
            try:
                yield from self._entry(json.loads(line), first=number == 1)
            except (ValueError, TypeError) as error:
                self.notes.append(f"line {number} of {MANIFEST} cannot be read: {error}")

    def _entry(self, found: Any, *, first: bool) -> Iterator[Kept]:
        if not first:
            yield self._trusted(typed(found, Kept))
        elif not isinstance(found, dict) or found.get("version") != VERSION:
            raise ValueError("it was made by another penstock")
        else:
            self.created_at = typed(found.get("created_at"), float)
            self.roots = typed(found.get("roots"), tuple[str, ...])

    def _trusted(self, kept: Kept) -> Kept:
        """Refuse a line that would move something else than what lies in this set."""
        place, original = Path(kept.kept_at), Path(kept.path)
        inside = place.parent in {self.folder, *_elsewhere(place, self.trash_id)}
        if not inside or not original.is_absolute() or ".." in original.parts:
            raise ValueError("it names a place outside of the trash")
        return kept

    def there(self) -> list[Kept]:
        """Return what lies in the trash now."""
        return [kept for kept in self.items if os.path.lexists(kept.kept_at)]

    def info(self) -> TrashInfo:
        """Return what is known of the set."""
        there = self.there()
        return TrashInfo(
            trash_id=self.trash_id,
            created_at=self.created_at,
            roots=self.roots,
            items=len(there),
            size_bytes=sum(kept.size_bytes for kept in there),
            notes=tuple(self.notes),
        )


class Trash:
    """The trash of one user: `home` is the folder of the sets."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def locked(self) -> AbstractContextManager[None]:
        """Keep others from restoring and emptying while the block runs. Raises ClaimError."""
        return exclusive(
            self.home / ".lock",
            busy="another process restores from the trash, or empties it",
            hint="Try again when it is done.",
            patience_s=_PATIENCE_S,
        )

    def sets(self) -> list[TrashSet]:
        """Return all sets, newest first; one whose manifest cannot be read is left out."""
        found: list[TrashSet] = []
        with suppress(FileNotFoundError):
            for folder in sorted(self.home.iterdir(), reverse=True):
                if (folder / MANIFEST).is_file():
                    with suppress(EnvironmentProblem):
                        found.append(TrashSet(folder))
        return found

    def get(self, trash_id: str | None) -> TrashSet:
        """Return a set by its id, or an unambiguous beginning of it; None is the newest that holds
        something. Raises NotFoundError."""
        sets = self.sets()
        if trash_id is None:
            sets = [found for found in sets if found.items][:1]
        else:
            sets = [found for found in sets if found.trash_id.startswith(trash_id)]
        if len(sets) != 1:
            what = (
                "nothing is in the trash" if trash_id is None else f"no one trash is {trash_id!r}"
            )
            raise NotFoundError(what, hint="`aim scan restore --list` lists what there is.")
        return sets[0]

    def open_set(self, items: Sequence[CleanItem], roots: Sequence[str]) -> Filling:
        """Make a set for items and write its manifest. Raises EnvironmentProblem."""
        folder = self._fresh()
        filling = Filling(folder, items)
        head = {"version": VERSION, "created_at": time.time(), "roots": list(roots)}
        # surrogates of undecodable names: only JSON that is all ASCII can hold them
        lines = [json.dumps(entry) for entry in (head, *map(msgspec.to_builtins, filling.kept()))]
        try:
            _write(folder / MANIFEST, "".join(f"{line}\n" for line in lines))
        except OSError as error:
            remove_tree(folder)
            raise EnvironmentProblem(
                f"nothing was moved: the trash {folder} cannot be written: {error.strerror}",
                hint="Free space on the disk, or set AIM_HOME to a folder with some.",
            ) from error
        return filling

    def _fresh(self) -> Path:
        """Make the folder of a set. Raises EnvironmentProblem."""
        private_folder(self.home.parent)
        private_folder(self.home)
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        while True:
            folder = self.home / f"{stamp}-{secrets.token_hex(3)}"
            try:
                folder.mkdir(mode=0o700)
            except FileExistsError:
                continue
            except OSError as error:
                raise EnvironmentProblem(
                    f"the trash {folder} cannot be made: {error.strerror}",
                    hint="Set AIM_HOME to a folder that you may write to.",
                ) from error
            return folder

    def restore(self, found: TrashSet) -> RestoreResult:
        """Put back what lies in a set; nothing that is there meanwhile is overwritten.

        A set of which nothing is left is removed.
        """
        restored: list[str] = []
        stayed: dict[str, str] = {}
        for kept in found.there():
            try:
                put_back(kept)
            except NotMovedError as error:
                stayed[kept.path] = str(error)
            else:
                restored.append(kept.path)
        if not found.there():
            self.drop(found)
        return RestoreResult(trash_id=found.trash_id, restored=tuple(restored), stayed=stayed)

    def drop(self, found: TrashSet) -> str | None:
        """Delete a set with all that lies in it, for good; return why something stays."""
        for kept in found.there():
            _delete(Path(kept.kept_at))
        left = found.there()
        if left:
            return f"{left[0].kept_at} cannot be deleted"
        for place in {Path(kept.kept_at).parent for kept in found.items} - {found.folder}:
            _remove_elsewhere(place)
        remove_tree(found.folder)
        return None


class Filling:
    """A set that is being filled: where each item goes."""

    def __init__(self, folder: Path, items: Sequence[CleanItem]) -> None:
        self.folder = folder
        device = folder.stat().st_dev
        self._targets = {
            item.path: _place(item, folder, device) / str(number)
            for number, item in enumerate(items, 1)
        }
        self._items = items

    def kept(self) -> Iterator[Kept]:
        """Yield the lines of the manifest."""
        for item in self._items:
            yield Kept(
                path=item.path,
                kept_at=os.fspath(self._targets[item.path]),
                kind=item.kind.value,
                size_bytes=item.size_bytes,
                file_count=item.file_count,
                sha256=item.sha256,
            )

    def take(self, item: CleanItem) -> None:
        """Move an item into the set. Raises NotMovedError."""
        target = self._targets[item.path]
        if target.parent != self.folder:
            _make_elsewhere(target.parent)
        move(Path(item.path), target, (item.dev, item.ino))


def put_back(kept: Kept) -> None:
    """Move a thing to where it was; a folder that is there again gets what it lacks.

    Raises NotMovedError, when something else is there or cannot be made.
    """
    place, original = Path(kept.kept_at), Path(kept.path)
    if os.path.realpath(original.parent) != os.fspath(original.parent):
        raise NotMovedError("a link is in the way")
    try:
        original.parent.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(original):
            move(place, original)
            return
        if os.path.realpath(original) != kept.path or not (original.is_dir() and place.is_dir()):
            raise NotMovedError("something else is there by now")
        left = move_pieces(place, original)
    except OSError as error:
        raise NotMovedError(error.strerror or str(error)) from error
    if left:
        raise NotMovedError(f"there by now, with {len(left)} of the same names in it")


def _place(item: CleanItem, folder: Path, device: int) -> Path:
    """Return the folder that an item goes to: the set's own, or one on the item's file system."""
    if item.dev == device:
        return folder
    return Path(item.root, TRASH_FOLDER, folder.name)


def _elsewhere(place: Path, trash_id: str) -> tuple[Path, ...]:
    """Return the folder of `place` when it is one of this set on another file system."""
    folder = place.parent
    named = folder.name == trash_id and folder.parent.name == TRASH_FOLDER
    return (folder,) if named else ()


def _make_elsewhere(folder: Path) -> None:
    """Make the folder of a set on another file system, which git does not show."""
    try:
        private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        with suppress(FileExistsError):
            _write(folder.parent / ".gitignore", _HIDDEN)
    except OSError as error:
        raise NotMovedError(f"no trash can be made beside it: {error.strerror}") from error
    except EnvironmentProblem as error:
        raise NotMovedError(f"no trash can be made beside it: {error}") from error


def _remove_elsewhere(folder: Path) -> None:
    """Remove the empty folder of a set on another file system, and the trash there with the last."""
    with suppress(OSError):
        folder.rmdir()
        if [entry.name for entry in folder.parent.iterdir()] == [".gitignore"]:
            (folder.parent / ".gitignore").unlink()
            folder.parent.rmdir()


def _write(path: Path, text: str) -> None:
    """Write a file that only we can read, and see it on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    parent = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)


def _delete(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        remove_tree(place)
    else:
        with suppress(OSError):
            place.unlink()
