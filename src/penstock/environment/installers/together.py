"""Many changes of packages as one: all of them, or what was there before."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from penstock.environment.api import InstallResult, Inventory, Manager, Package, SyncReport
from penstock.environment.installers.port import Argv, Change, Installer, Versions
from penstock.environment.installers.record import Before, Record
from penstock.masking import redactor
from penstock.process.api import Command, End, Outcome, Stop
from penstock.process.run import run
from penstock.process.sweep import sweep_markers

LIMIT_S = 900.0
"""How long one command of a manager may take (s)."""
_LAST_LINES = 4
_LONGEST = 600
"""How much (characters) is told of what a manager said."""
Say = Callable[[str], None]


class Together:
    """Makes changes with the managers that they belong to.

    `record` remembers what was there before; `environment` is what children get; `say` hears of
    progress, from several threads; `stop` ends what is under way and has all put back.
    """

    def __init__(
        self,
        installers: Mapping[Manager, Installer],
        record: Record,
        *,
        environment: Mapping[str, str],
        say: Say,
        stop: Stop,
        limit_s: float = LIMIT_S,
    ) -> None:
        self._installers = installers
        self._record = record
        self._env = environment
        self._say = say
        self._stop = stop
        self._limit_s = limit_s
        self._failed = threading.Event()

    # -- doing -----------------------------------------------------------------------------
    def make(
        self, changes: Sequence[Change], *, rollback: bool = True, parallel: bool = True
    ) -> SyncReport:
        """Make all changes; on a failure, put back what was there, unless `rollback` is False.

        Managers work side by side if `parallel`, the changes of one manager one after the other, as
        managers lock what they change. What an earlier process was killed over is put back with it.
        """
        planned = tuple(self.planned(changes))
        lanes = _by_manager(changes)
        before = self._remember(lanes)
        results = self._lanes(lanes.values(), parallel=parallel, stop_early=rollback)
        ok = all(result.success for result in results)
        undone: tuple[InstallResult, ...] = ()
        notes: tuple[str, ...] = ()
        if not ok and rollback:
            undone, notes = self.put_back(before)
        if ok or not rollback:
            self._record.end()
        return SyncReport(
            results=results,
            rolled_back=undone,
            planned=planned,
            notes=notes,
            interrupted=self._stop.asked,
        )

    def planned(self, changes: Sequence[Change]) -> Iterator[str]:
        """Yield the commands of changes as one would type them."""
        present = {m: self._installers[m].inventory() for m in _by_manager(changes)}
        for change in changes:
            there = _version(present[change.manager], change.key) is not None
            argv = self._installers[change.manager].commands(replace(change, replaces=there))
            yield _shown(argv)

    def _remember(self, lanes: Mapping[Manager, Sequence[Change]]) -> Before:
        """Write down what is there now, or was there before changes that nobody has ended."""
        self._end_leftovers()
        before: Before = {}
        for manager, changes in lanes.items():
            installer = self._installers[manager]
            names = tuple(change.key for change in changes)
            before[manager] = installer.snapshot(installer.inventory(), names)
        for manager, versions in self._record.left().items():
            before[manager] = {**before.get(manager, {}), **versions}
        self._record.begin(before)
        return before

    def _lanes(
        self, lanes: Collection[Sequence[Change]], *, parallel: bool, stop_early: bool
    ) -> tuple[InstallResult, ...]:
        """Make the changes of each manager; with `stop_early` none is begun after a failure."""

        def follow(lane: Sequence[Change]) -> list[InstallResult]:
            results = []
            for change in lane:
                result = self._one(change)
                results.append(result)
                if stop_early and not result.success:
                    self._failed.set()
            return results

        with ThreadPoolExecutor(max_workers=max(1, len(lanes) if parallel else 1)) as threads:
            found = list(threads.map(follow, lanes))
        return tuple(result for lane in found for result in lane)

    def _one(self, change: Change) -> InstallResult:
        installer = self._installers[change.manager]
        package = installer.inventory().packages.get(change.key)
        present = None if package is None else package.version
        if self._failed.is_set() or self._stop.asked:
            return _result(change, present, present, success=False, message="not begun")
        argv = installer.commands(replace(change, replaces=present is not None))
        self._keep(installer, package)
        self._say(f"{change.manager.value}: {_shown(argv)}")
        outcome = self._run(change.manager, argv, self._stop)
        after = installer.inventory()
        now = _version(after, change.key)
        trouble = _trouble(outcome) or ("" if after.problem else _mismatch(change, now))
        words = trouble or _success(change, present, now)
        return _result(change, present, now, success=not trouble, message=words, argv=argv)

    def _keep(self, installer: Installer, package: Package | None) -> None:
        """Copy what is about to be changed: a manager may fail to put it back, as without a network."""
        home = None if package is None else installer.home(package)
        if home is not None:
            self._record.copies.keep(installer.manager, home.copy, home.folder)

    def _run(self, manager: Manager, argv: Argv, stop: Stop | None) -> Outcome:
        command = Command(
            argv=argv,
            cwd=Path.home(),
            env=self._env,
            wall_s=self._limit_s,
            marker=self._record.marker(manager),
        )
        return run(command, stop)

    # -- undoing ---------------------------------------------------------------------------
    def undo(self) -> SyncReport:
        """Put back what was there before changes that nobody has ended."""
        self._end_leftovers()
        results, notes = self.put_back(self._record.left())
        return SyncReport(results=results, notes=notes)

    def _end_leftovers(self) -> None:
        """End the managers that a killed process has left at work: two at once would mix."""
        if self._record.left():
            sweep_markers([self._record.marker(manager) for manager in Manager])

    def put_back(self, before: Before) -> tuple[tuple[InstallResult, ...], tuple[str, ...]]:
        """Lead every manager back to what it had; return what was done, and what could not be done.

        A wish to stop does not end this. The record is kept as long as something is not as it was.
        """
        with ThreadPoolExecutor(max_workers=max(1, len(before))) as threads:
            found = list(threads.map(lambda m: list(self._restore(m, before[m])), before))
        results = tuple(result for manager in found for result in manager)
        notes = tuple(
            f"{result.tool} is not as it was; put it back with: {result.command}"
            for result in results
            if not result.success
        )
        if not notes:
            self._record.end()
        return results, notes

    def _restore(self, manager: Manager, before: Versions) -> Iterator[InstallResult]:
        installer = self._installers[manager]
        present = _versions(installer.inventory())
        for step in installer.restore(before, present):
            self._say(f"{manager.value}: putting back: {_shown(step.argv)}")
            outcome = self._run(manager, step.argv, None)
            trouble = _trouble(outcome) or _unlike(step.names, before, installer.inventory())
            if trouble:
                self._record.copies.put_back(manager, step.copy)
                wrong = _unlike(step.names, before, installer.inventory())
                trouble = f"{wrong} ({trouble})" if wrong else ""
            yield InstallResult(
                tool=", ".join(step.names),
                manager=manager,
                success=not trouble,
                version=_versions(installer.inventory()).get(step.names[0]),
                message=trouble or _as_before(step.names, before),
                action="rollback",
                command=_shown(step.argv),
                rollback_data={"previous_version": present.get(step.names[0])},
            )


def _versions(inventory: Inventory) -> dict[str, str | None]:
    return {name: package.version for name, package in inventory.packages.items()}


def _unlike(names: Iterable[str], before: Versions, inventory: Inventory) -> str:
    """Return what is not as it was; empty when all is."""
    now = _versions(inventory)
    wrong = [name for name in names if now.get(name) != before.get(name)]
    return ", ".join(f"{name} is {now.get(name) or 'gone'}" for name in wrong)


def _as_before(names: Iterable[str], before: Versions) -> str:
    words = (f"is {before[name]} again" if before.get(name) else "removed again" for name in names)
    return ", ".join(words)


def _shown(argv: Argv) -> str:
    """Return a command as one would type it, without the password that an option may hold."""
    return shlex.join(redactor().argv(argv))


def _by_manager(changes: Iterable[Change]) -> dict[Manager, list[Change]]:
    lanes: dict[Manager, list[Change]] = {}
    for change in changes:
        lanes.setdefault(change.manager, []).append(change)
    return lanes


def _version(inventory: Inventory, key: str) -> str | None:
    package = inventory.packages.get(key)
    return None if package is None else package.version


def _trouble(outcome: Outcome) -> str:
    """Return why a command failed, in the last words that it said; empty when it did not."""
    if outcome.end is End.EXITED and outcome.exit_code == 0:
        return ""
    if outcome.end in (End.NOT_FOUND, End.NOT_STARTED):
        return outcome.error
    said = (outcome.error_text.strip() or outcome.text.strip()).splitlines()
    joined = " / ".join(line.strip() for line in said[-_LAST_LINES:] if line.strip())
    words = redactor().text(joined)[-_LONGEST:]
    ended = _ENDS.get(outcome.end) or f"exit code {outcome.exit_code}"
    return f"{ended}: {words}" if words else ended


_ENDS = {
    End.WALL_LIMIT: "it took too long",
    End.INTERRUPTED: "it was stopped",
    End.SIGNALED: "it was killed",
}


def _mismatch(change: Change, now: str | None) -> str:
    """Return how what is there now is not what was wished; empty when it is."""
    if change.remove:
        return "" if now is None else f"{now} is still there"
    if now is None:
        return "its manager reports success, but it is not there"
    pin = change.pin
    if pin is None or pin.holds(now):
        return ""
    return f"its manager reports success, but {now} is there instead of {pin.text}"


def _success(change: Change, before: str | None, now: str | None) -> str:
    if change.remove:
        return f"removed {before}"
    if before is None:
        return f"installed {now or 'it'}"
    return f"{before} -> {now}" if before != now else f"installed {now} again"


def _result(
    change: Change,
    before: str | None,
    now: str | None,
    *,
    success: bool,
    message: str,
    argv: Argv = (),
) -> InstallResult:
    action = "install" if before is None else "upgrade"
    return InstallResult(
        tool=change.tool,
        manager=change.manager,
        success=success,
        version=now,
        message=message,
        action="uninstall" if change.remove else action if argv else "none",
        command=_shown(argv),
        rollback_data={"previous_version": before},
    )
