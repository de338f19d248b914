"""The tools of this machine: which versions there are, which shall be, and bringing them there.

As in wiring, everything is imported where it is used.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import structs

from penstock.surroundings import Surroundings

if TYPE_CHECKING:
    from pathlib import Path

    from penstock.audit.api import AuditTrail
    from penstock.environment.api import (
        Inventory,
        Manager,
        PinReport,
        SyncReport,
        ToolSoundness,
        ToolVersion,
        VersionReport,
    )
    from penstock.environment.installers.origins import Origin
    from penstock.environment.installers.port import Change, Installer
    from penstock.environment.installers.python_place import PythonPlace
    from penstock.environment.installers.record import Record
    from penstock.environment.installers.together import Together
    from penstock.environment.versions.compare import Wanted
    from penstock.process.api import Stop
    from penstock.registry.api import EnvironmentSection, RegistryTool

Say = Callable[[str], None]
ALWAYS_LISTED = frozenset({"pipx", "uv", "npm"})
"""The managers whose packages are all looked at, without pins too: they install programs for people,
while an environment of pip holds what a project needs."""
CUT_OFF = (
    "An installation was cut off before its end: `aim version sync` completes it,"
    " `aim version sync --undo` puts back what was there before."
)


def _silent(_line: str) -> None:
    """Say nothing."""


class Installing(Surroundings):
    """What can be asked of package managers, and done with them."""

    if TYPE_CHECKING:  # what the workspace has from another mixin

        @property
        def scan_trail(self) -> AuditTrail | None: ...

    @cached_property
    def environment_section(self) -> EnvironmentSection:
        """The section `environment` of aim_config, or what was set in its stead. Raises ConfigError."""
        return self.aim_settings.environment

    # -- looking ---------------------------------------------------------------------------
    def version_report(self, managers: Collection[Manager] = ()) -> VersionReport:
        """Return how the tools of this machine stand to the pins of aim_config.

        `managers` limits it to some; none means all. Package metadata is read; only what has none is
        asked for its version, within seconds. A pin that is wrong is a tool of unknown status. Raises
        ConfigError when aim_config cannot be read, AIMRegistryLoadError.
        """
        from penstock.environment.api import VersionReport
        from penstock.model.times import iso

        return VersionReport(
            timestamp=iso(time.time()),
            tools=tuple(tool for _, tools in self._compared(managers) for tool in tools),
            source=self.aim_settings.source,
            notes=(CUT_OFF,) if self._record.left() else (),
        )

    def _compared(
        self, managers: Collection[Manager]
    ) -> Iterator[tuple[Inventory, tuple[ToolVersion, ...]]]:
        """Yield what each manager has, and how that stands to what it shall have."""
        from penstock.environment.api import Manager
        from penstock.environment.versions.compare import compare

        wanted = tuple(self._wanted())
        for manager in managers or Manager:
            own = tuple(one for one in wanted if one.manager is manager)
            if own or manager in managers or manager in ALWAYS_LISTED:
                inventory = self._inventory(manager, own)
                yield inventory, tuple(compare(own, inventory))

    def _wanted(self) -> Iterator[Wanted]:
        """Yield the packages that aim_config names, pinned ones first."""
        from penstock.environment.api import Manager
        from penstock.environment.versions.compare import Wanted

        section = self.environment_section
        pins = section.version_pins.by_manager()
        pins["tools"] = {**self._pinned_in_registry(), **pins["tools"]}
        for manager, own in pins.items():
            for name, pin in own.items():
                yield Wanted(Manager(manager), name, pin)
        for manager, names in (("pipx", section.pipx_apps), ("npm", section.npm_global)):
            for name in names:
                if name not in pins[manager]:
                    yield Wanted(Manager(manager), name)

    def _inventory(self, manager: Manager, wanted: Iterable[Wanted]) -> Inventory:
        if manager.value == "tools":
            return self._tool_inventory([one.name for one in wanted])
        return self.installers[manager].inventory()

    def _tool_inventory(self, names: Sequence[str]) -> Inventory:
        """Return the versions that programs have; one that the registry does not know is looked for by
        its name."""
        from penstock.environment.api import Inventory, Manager, Package
        from penstock.registry.api import RegistryTool
        from penstock.registry.detect import detect_all

        known = self._registry_tools()
        tools = [
            known.get(name)
            or RegistryTool(tool_id=name, name=name, detect_commands=((name, "--version"),))
            for name in names
        ]
        packages = {
            tool.tool_id: Package(
                name=tool.tool_id,
                version=tool.version or "",
                manager=Manager.TOOLS,
                place=tool.path,
            )
            for tool in detect_all(tools).values()
            if tool.path is not None
        }
        return Inventory(manager=Manager.TOOLS, packages=packages)

    def _registry_tools(self) -> Mapping[str, RegistryTool]:
        """Return the tools of the registry; none where there is no registry."""
        from penstock.errors import AIMRegistryNotFoundError

        try:
            return self.registry.tools
        except AIMRegistryNotFoundError:
            return {}

    def _pinned_in_registry(self) -> dict[str, str]:
        tools = self._registry_tools().items()
        return {name: tool.pinned_version for name, tool in tools if tool.pinned_version}

    def verify_tools(self, managers: Collection[Manager] = ()) -> tuple[ToolSoundness, ...]:
        """Return whether each tool that aim_config names, or a manager has installed, is there and can
        be started. Nothing is started for it. Raises as `version_report` does."""
        from penstock.environment.installers.port import manager_environment
        from penstock.environment.installers.soundness import soundness

        env = manager_environment(os.environ)
        return tuple(
            soundness(tool, inventory, env)
            for inventory, tools in self._compared(managers)
            for tool in tools
        )

    # -- managers --------------------------------------------------------------------------
    @cached_property
    def installers(self) -> Mapping[Manager, Installer]:
        """The package managers. Raises ConfigError."""
        from penstock.environment.installers.managers import make_installers

        return make_installers(os.environ, lambda: self.pip_place)

    @cached_property
    def pip_place(self) -> PythonPlace | None:
        """The Python environment that pip works in; None when there is none. Raises ConfigError."""
        from penstock.config.places import resolve
        from penstock.environment.installers.python_place import find_python
        from penstock.process.environment import child_environment, own_bin_directories

        stated = self.environment_section.pip_environment
        folder = stated and resolve(self.root, stated, "environment.pipEnvironment of aim_config")
        env = child_environment(path_without=own_bin_directories())
        return find_python(self.root, folder or None, os.environ, env)

    @cached_property
    def _record(self) -> Record:
        from penstock.environment.installers.record import Record
        from penstock.folders import aim_home

        return Record(aim_home())

    @contextmanager
    def _holding(self) -> Iterator[None]:
        """Keep other installations of this user off while the block runs.

        Raises ClaimError when one is under way, EnvironmentProblem.
        """
        from penstock.environment.installers.port import IS_WINDOWS
        from penstock.environment.installers.record import LOCK
        from penstock.folders import aim_home, private_folder

        folder = private_folder(aim_home())
        if IS_WINDOWS:  # where there is no lock of this kind, managers keep each other off
            yield
            return
        from penstock.locks import GRACE_S, exclusive

        busy, hint = "another installation is under way", "Wait for its end and try again."
        with exclusive(folder / LOCK, busy=busy, hint=hint, patience_s=GRACE_S):
            yield

    # -- changing --------------------------------------------------------------------------
    def sync(
        self,
        managers: Collection[Manager] = (),
        *,
        force: bool = False,
        dry_run: bool = False,
        only_missing: bool = False,
        rollback: bool = True,
        parallel: bool = True,
        say: Say = _silent,
        stop: Stop | None = None,
    ) -> SyncReport:
        """Install exactly what is pinned: all of it, or what was there before is put back.

        `force` reinstalls what is as pinned already; `only_missing` leaves other versions alone;
        without `rollback` what could be installed stays. `dry_run` only returns the commands. `say`
        hears of progress, from several threads. Raises ConfigError for wrong pins,
        ToolMissingError for a manager that is not there, EnvironmentProblem, ClaimError,
        AIMAuditLogError.
        """
        from penstock.environment.installers.planning import plan_sync

        report = self.version_report(managers)
        if (managers or only_missing) and not dry_run:
            self._refuse_cut_off()
        plan = plan_sync(
            report,
            self._origin,
            force=force,
            only_missing=only_missing,
            doubtful=self._record.left(),  # killed in the midst of it, they may be half there
        )
        done = self._change(
            plan.changes, dry_run=dry_run, rollback=rollback, parallel=parallel, say=say, stop=stop
        )
        remaining = () if dry_run or only_missing else self._remaining(managers, done)
        done = structs.replace(done, notes=(*plan.notes, *done.notes), remaining=remaining)
        if not dry_run:
            self._record_sync(done)
        return done

    def _remaining(
        self, managers: Collection[Manager], done: SyncReport
    ) -> tuple[ToolVersion, ...]:
        """Return what is not as pinned after all, though every command succeeded."""
        return self.version_report(managers).drifted if done.ok else ()

    def install(
        self,
        package: str,
        manager: Manager,
        *,
        version: str | None = None,
        force: bool = False,
        say: Say = _silent,
        stop: Stop | None = None,
    ) -> SyncReport:
        """Install one package: in `version` (one or a range), else as it is pinned, else the newest.

        What has such a version already stays as it is, unless `force`. Raises as `sync` does, and
        UsageError for what is no name or version.
        """
        from penstock.environment.api import InstallResult, SyncReport
        from penstock.environment.installers.planning import meets, single_change

        pinned = self._pin_of(package, manager)
        change = single_change(manager, package, version, pinned=pinned, force=force)
        there = self.installers[manager].inventory().packages.get(change.key)
        if there is not None and not force and meets(change, there.version):
            result = InstallResult(
                tool=change.tool,
                manager=manager,
                success=True,
                version=there.version,
                message=f"{there.version} is installed already",
                rollback_data={"previous_version": there.version},
            )
            return SyncReport(results=(result,))
        self._refuse_cut_off()
        return self._change([change], say=say, stop=stop)

    def uninstall(
        self, package: str, manager: Manager, *, say: Say = _silent, stop: Stop | None = None
    ) -> SyncReport:
        """Remove one package. Raises NotFoundError when it is not there, else as `install` does."""
        from dataclasses import replace

        from penstock.environment.installers.planning import single_change
        from penstock.errors import NotFoundError

        change = single_change(manager, package, None)
        if (
            change.pin is not None
            or change.key not in self.installers[manager].inventory().packages
        ):
            raise NotFoundError(
                f"{manager.value} has no package {package}",
                hint=f"See what it has: aim tools list --manager {manager.value}",
            )
        self._refuse_cut_off()
        return self._change([replace(change, remove=True)], say=say, stop=stop)

    def undo_sync(self, *, say: Say = _silent) -> SyncReport:
        """Put back what was there before an installation that was cut off. Raises NotFoundError when
        none was, else as `sync` does."""
        from penstock.errors import NotFoundError
        from penstock.process.api import Stop

        with self._holding():
            if not self._record.left():
                raise NotFoundError("no installation was cut off: there is nothing to undo")
            self._need_trail()
            report = self._together(say, Stop()).undo()
        self._audit(report)
        return report

    def _change(
        self,
        changes: Sequence[Change],
        *,
        dry_run: bool = False,
        rollback: bool = True,
        parallel: bool = True,
        say: Say,
        stop: Stop | None,
    ) -> SyncReport:
        """Make changes and record each in the audit trail."""
        from penstock.environment.api import SyncReport
        from penstock.environment.installers.planning import require_managers
        from penstock.process.api import Stop

        together = self._together(say, stop or Stop())
        if dry_run:
            return SyncReport(planned=tuple(together.planned(changes)))
        if not changes and not self._record.left():
            return SyncReport()
        require_managers(changes, self.installers)
        self._need_trail()
        with self._holding():
            report = together.make(changes, rollback=rollback, parallel=parallel)
        self._audit(report)
        return report

    def _together(self, say: Say, stop: Stop) -> Together:
        from penstock.environment.installers.port import manager_environment
        from penstock.environment.installers.together import Together

        env = manager_environment(os.environ)
        return Together(self.installers, self._record, environment=env, say=say, stop=stop)

    def _origin(self, tool: str) -> Origin | None:
        """Return the package that a program comes from."""
        from penstock.environment.installers.origins import origin_of

        known = self._registry_tools().get(tool)
        return None if known is None else origin_of(known.install_command)

    def _pin_of(self, package: str, manager: Manager) -> str | None:
        from penstock.environment.versions.names import normalised

        key = normalised(manager, package)
        wanted = (one for one in self._wanted() if one.manager is manager)
        return next((one.pin for one in wanted if normalised(manager, one.name) == key), None)

    def _refuse_cut_off(self) -> None:
        """Raise EnvironmentProblem when an earlier installation was cut off: what it began must be
        completed or undone as a whole."""
        from penstock.errors import EnvironmentProblem

        if self._record.left():
            raise EnvironmentProblem(
                "an earlier installation was cut off before its end",
                hint="Complete it with `aim version sync`, or undo it with `aim version sync --undo`.",
            )

    # -- pinning ---------------------------------------------------------------------------
    def pin(
        self,
        managers: Collection[Manager] = (),
        *,
        output: str | None = None,
        dry_run: bool = False,
    ) -> PinReport:
        """Pin what is installed, in aim_config or in the file `output` (named from where we stand).

        Pins of what is not installed stay. Of an environment of pip only what is pinned already, or,
        when pip is one of `managers`, all that was asked for by name. Raises ConfigError when a file
        cannot be changed, AIMAuditLogError.
        """
        from penstock.environment.versions.pinfile import pins_of, write_pins

        pins = pins_of(self.version_report(managers), managers)
        files = (self.start / output,) if output else self._config_files()
        if not dry_run:
            self._need_trail()
        report = write_pins(pins, files, self.root, dry_run=dry_run)
        trail = self.scan_trail
        if trail is not None and not dry_run:
            trail.event("config_update", f"pinned {report.changed} versions", details={
                "files": list(report.files), "pins": report.pins,
            })  # fmt: skip
        return report

    def _config_files(self) -> tuple[Path, ...]:
        """Return the files of aim_config that are there, else the one to be made."""
        from penstock.registry.settings import FOLDERS, NAMES

        for folder in FOLDERS:
            places = (self.root / folder / name for name in NAMES)
            found = tuple(path for path in places if path.is_file())
            if found:
                return found
        return (self.root / FOLDERS[0] / NAMES[0],)

    # -- the audit trail -------------------------------------------------------------------
    def _need_trail(self) -> None:
        """Raise AIMAuditLogError when what is about to be changed could not be recorded."""
        trail = self.scan_trail
        if trail is not None:
            trail.require_writable()

    def _audit(self, report: SyncReport) -> None:
        """Record every change and every undoing of one. Raises AIMAuditLogError."""
        from penstock.environment.installers.auditing import events_of

        trail = self.scan_trail
        if trail is None:
            return
        for kind, message, severity, details in events_of(report):
            trail.event(kind, message, severity=severity, details=details)

    def _record_sync(self, report: SyncReport) -> None:
        from penstock.environment.installers.auditing import summary

        trail = self.scan_trail
        if trail is not None:
            message, severity, details = summary(report)
            trail.event("version_sync", message, severity=severity, details=details)
