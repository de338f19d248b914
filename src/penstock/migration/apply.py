"""A migration carried out: back up, write, validate, report; or everything as it was.

The journal of its backup says how far it came. Whoever dies in the middle leaves it open, and the
next command that migrates puts the files back first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from penstock.errors import NotFoundError, PenstockError
from penstock.locks import exclusive
from penstock.migration import files
from penstock.migration.api import Backup, Report, Restored, Validation
from penstock.migration.backup import (
    MANIFEST,
    OPEN,
    BackupSet,
    Phase,
    State,
    all_sets,
    backups_folder,
    make_backup,
    remove_partial,
)
from penstock.migration.files import Base, Name, Places
from penstock.migration.plan import (
    METADATA,
    Edges,
    Options,
    Plan,
    affected,
    make_plan,
    shown_source,
)
from penstock.migration.report import make_report, report_files
from penstock.migration.restore import restore

LOCK = ".state/migrating.lock"
"""Held while somebody migrates; below what penstock keeps in a repository and git does not show."""
PATIENCE_S = 20.0
"""How long (s) one migration waits for another, which takes a second."""
FILE_MODE = 0o644


class InvalidMigrationError(PenstockError):
    """What the migration left behind cannot be used."""


def apply(
    places: Places, edges: Edges, options: Options, now: str, validate: Callable[[], Validation]
) -> Report:
    """Bring an old tree over, or with `options.dry_run` only say what that would do.

    `now` is ISO 8601; `validate` looks at what is there afterwards, and when it fails, as when anything
    else does, all files are put back. Raises PenstockError.
    """
    if options.dry_run:
        plan = make_plan(places, edges, options)
        valueless = edges.desk.valueless(plan.secrets)
        return make_report(plan, now=now, valueless=valueless, dry_run=True)
    with migrating(places):
        recovered = recover(places, edges)
        plan = make_plan(places, edges, options)
        if plan.is_empty and _is_reported(places):
            valueless = edges.desk.valueless(plan.secrets)
            return make_report(plan, now=now, valueless=valueless, recovered=recovered)
        edges.before()
        names = (*affected(places, edges, options.source), *plan.writes)
        edges.say(f"Backing up what {plan.shown} may change ...")
        backup = make_backup(places, names, plan.shown, now)
        return _Applying(places, edges, plan, backup, validate, now, recovered).run()


@contextmanager
def migrating(places: Places) -> Iterator[None]:
    """Be the only one that migrates in this repository. Raises ClaimError."""
    with exclusive(
        places.path(Name(Base.REPOSITORY, LOCK)),
        busy="another migration is at work in this repository",
        hint="Wait until it has ended, then run the same command again.",
        patience_s=PATIENCE_S,
        sign=False,
    ):
        yield


def recover(places: Places, edges: Edges) -> str | None:
    """Put back what a migration that was cut short had changed; return its backup, None without one."""
    remove_partial(places)
    found = [backup for backup in all_sets(places) if backup.state().phase in OPEN]
    for backup in found:
        restore(places, backup, edges.desk)
    return found[0].name if found else None


def back_up(places: Places, edges: Edges, options: Options, now: str) -> Backup:
    """Copy everything that a migration may change, and change nothing."""
    with migrating(places):
        recover(places, edges)
        names = affected(places, edges, options.source)
        made = make_backup(places, names, shown_source(places, options.source), now)
    entries = made.manifest().files
    return Backup(
        path=made.name,
        created_at=now,
        files=tuple(str(entry.name) for entry in entries if entry.existed),
        absent=tuple(str(entry.name) for entry in entries if not entry.existed),
    )


def roll_back(places: Places, edges: Edges, named: str | None = None) -> Restored:
    """Put the files of the newest backup that was not put back yet in place, or of the one that is
    named: by its folder, from the top of the repository or from `backups/`.

    Raises NotFoundError where there is no such backup, or none at all.
    """
    with migrating(places):
        remove_partial(places)
        if named is not None:
            chosen: BackupSet | None = _named(places, named)
        else:
            known = list(all_sets(places))
            if not known:
                raise NotFoundError("there is no backup", hint="aim migrate backup makes one")
            waiting = (b for b in known if b.state().phase is not Phase.ROLLED_BACK)
            chosen = next(waiting, None)
        if chosen is None:
            return Restored()
        edges.before()
        return restore(places, chosen, edges.desk)


def _named(places: Places, named: str) -> BackupSet:
    for folder in (places.repository / named, backups_folder(places) / named):
        if (folder / MANIFEST).is_file():
            return BackupSet(folder.resolve())
    known = ", ".join(backup.name for backup in all_sets(places)) or "none"
    raise NotFoundError(f"there is no backup {named}", hint=f"There are: {known}.")


def _is_reported(places: Places) -> bool:
    """Tell whether the report of an earlier migration is there."""
    return any(backup.state().phase is Phase.APPLIED for backup in all_sets(places))


class _Applying:
    def __init__(
        self,
        places: Places,
        edges: Edges,
        plan: Plan,
        backup: BackupSet,
        validate: Callable[[], Validation],
        now: str,
        recovered: str | None,
    ) -> None:
        self._places = places
        self._edges = edges
        self._plan = plan
        self._backup = backup
        self._validate = validate
        self._now = now
        self._recovered = recovered
        self._after: dict[str, str] = {}

    def run(self) -> Report:
        """Write everything, or nothing: whatever goes wrong, the files are put back."""
        state = State(phase=Phase.APPLYING, entered=tuple(self._plan.entered))
        self._backup.note(state)
        done = False
        try:
            report = self._carry_out()
            after = dict(self._after)
            self._backup.note(msgspec.structs.replace(state, phase=Phase.APPLIED, after=after))
            done = True
        finally:
            if not done:
                self._edges.say("Putting everything back ...")
                restore(self._places, self._backup, self._edges.desk)
        return report

    def _carry_out(self) -> Report:
        self._edges.say("Writing settings and names of secrets ...")
        for name, data in self._plan.writes.items():
            self._write(name, data)
        if self._plan.entered:
            self._edges.desk.enter(self._plan.entered)
            self._note_metadata()
        self._edges.say("Checking the result, and the tools that it names ...")
        validation = self._validate()
        if not validation.ok:
            failed = "; ".join(c.message for c in validation.checks if c.status == "fail")
            raise InvalidMigrationError(
                f"the result could not be used, so everything was put back: {failed}",
                hint="Mend that, then run `aim migrate apply` again.",
            )
        report = make_report(
            self._plan,
            now=self._now,
            valueless=self._edges.desk.valueless(self._plan.secrets),
            backup=self._backup.name,
            validation=validation,
            recovered=self._recovered,
        )
        for name, data in report_files(report).items():
            self._write(name, data)
        return report

    def _write(self, name: Name, data: bytes) -> None:
        path = self._places.path(name)
        mode = files.mode_of(path) if path.exists() else FILE_MODE
        files.write(path, data, mode)
        self._after[str(name)] = files.digest(data)

    def _note_metadata(self) -> None:
        data = files.read(self._edges.desk.path)
        if data is not None:
            self._after[str(Name(Base.AIM_HOME, METADATA))] = files.digest(data)
