"""Putting files back as a backup has them, to the byte."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.errors import EnvironmentProblem
from penstock.migration import files
from penstock.migration.api import Restored, SecretsDesk
from penstock.migration.backup import BackupSet, Entry, Phase, remove_folders
from penstock.migration.files import Base, Name, Places


def restore(places: Places, backup: BackupSet, desk: SecretsDesk) -> Restored:
    """Put everything back. Whatever is there now and is not what the migration wrote is kept beside
    the backup first.

    All copies are checked before anything is changed. Raises DamagedBackupError, EnvironmentProblem;
    what is cut short goes on when it is called again.
    """
    return _Restoring(places, backup, desk).run()


class _Restoring:
    def __init__(self, places: Places, backup: BackupSet, desk: SecretsDesk) -> None:
        self._places = places
        self._backup = backup
        self._desk = desk
        self._manifest = backup.manifest()
        self._state = backup.state()
        self._contents = {e.name: backup.content(e) for e in self._manifest.files if e.existed}
        self._paths = {e.name: places.path(e.name) for e in self._manifest.files}
        self._restored: list[str] = []
        self._removed: list[str] = []
        self._left: list[str] = []
        self._kept = False

    def run(self) -> Restored:
        self._note(Phase.ROLLING_BACK)
        mine = [e for e in self._manifest.files if e.base is Base.REPOSITORY]
        for entry in mine:
            files.remove_drafts(self._paths[entry.name])
            self._put_back(entry)
        withdrawn = self._withdraw()
        remove_folders(self._places, self._manifest.missing_folders)
        self._note(Phase.ROLLED_BACK)
        return Restored(
            path=self._backup.name,
            restored=tuple(self._restored),
            removed=tuple(self._removed),
            kept=f"{self._backup.name}/replaced" if self._kept else None,
            left=tuple(self._left),
            withdrawn=withdrawn,
        )

    def _note(self, phase: Phase) -> None:
        self._backup.note(msgspec.structs.replace(self._state, phase=phase))

    # -- files -----------------------------------------------------------------------------
    def _put_back(self, entry: Entry) -> None:
        path, wanted = self._paths[entry.name], self._contents.get(entry.name)
        now = files.read(path)
        if now is not None and now != wanted:
            self._keep(entry.name, now)
        if wanted is not None and entry.mode is not None:
            self._write(entry, wanted, entry.mode, now)
        elif now is not None:
            self._remove(entry.name)

    def _write(self, entry: Entry, wanted: bytes, mode: int, now: bytes | None) -> None:
        path = self._paths[entry.name]
        if now == wanted and files.mode_of(path) == mode:
            return
        files.write(path, wanted, mode)
        self._restored.append(str(entry.name))

    def _remove(self, name: Name) -> None:
        try:
            self._paths[name].unlink(missing_ok=True)
        except OSError as error:
            raise EnvironmentProblem(
                f"cannot remove {name}: {error.strerror}",
                hint="Mend the permissions, then run the same command again.",
            ) from error
        self._removed.append(str(name))

    def _keep(self, name: Name, now: bytes) -> None:
        """Keep what somebody wrote after the migration, or what it left half done."""
        if self._state.after.get(str(name)) == files.digest(now):
            return
        target = self._backup.folder / "replaced" / name.base / name.path
        if files.read(target) is None:
            files.write(target, now, 0o600)
        self._kept = self._state.phase is not Phase.APPLYING or self._kept

    # -- secrets ---------------------------------------------------------------------------
    def _withdraw(self) -> tuple[str, ...]:
        """Take back the names that were entered, unless they have values by now; where that makes the
        file mean what it meant, put its bytes back."""
        withdrawn = self._desk.withdraw(self._state.entered) if self._state.entered else ()
        for entry in self._manifest.files:
            if entry.base is Base.AIM_HOME:
                self._settle(entry)
        return withdrawn

    def _settle(self, entry: Entry) -> None:
        wanted = self._contents.get(entry.name)
        now = files.read(self._paths[entry.name])
        if now == wanted:
            return
        if _meaning(now) != _meaning(wanted):
            self._left.append(str(entry.name))
        elif wanted is None or entry.mode is None:
            self._remove(entry.name)
        else:
            self._write(entry, wanted, entry.mode, now)


def _meaning(data: bytes | None) -> Any:
    """Return what a file of names says; nothing for none."""
    try:
        return msgspec.json.decode(data or b"{}")
    except msgspec.DecodeError:
        return data
