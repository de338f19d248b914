"""The documented classes about this machine: its health, the versions of its tools, what lies about.

They act in the repository of the current folder, as the commands of `aim` do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from penstock.environment.api import HealthReport, PinReport, SyncReport, VersionReport
from penstock.errors import ConfigError
from penstock.registry.api import EnvironmentSection
from penstock.typed import typed
from penstock.wiring import Workspace, open_workspace


class HealthMonitor:
    """Looks whether this machine is fit."""

    def check(self) -> HealthReport:
        """Ask every probe at once; never raises and never hangs."""
        with open_workspace() as workspace:
            return workspace.health()

    def generate_report(self) -> dict[str, Any]:
        """Return the report as plain values: `overall_status`, `summary`, `checks`, `timestamp`."""
        plain: dict[str, Any] = msgspec.to_builtins(self.check())
        return plain


class VersionControl:
    """Holds the tools of this machine to their pins.

    `config` is an aim_config as a mapping (or its section `environment`), None the one of the
    repository. `installer` are package managers by name, None those of this machine. Raises
    ConfigError for a mapping that is wrong.
    """

    def __init__(self, config: Mapping[str, Any] | None = None, installer: Any = None) -> None:
        self._section = None if config is None else _section(config)
        self._installers = installer

    async def check_all(self) -> VersionReport:
        """Return how each tool stands to its pin. Raises as `aim version check` does."""
        with open_workspace() as workspace:
            return self._led(workspace).version_report()

    async def sync_all(self, *, dry_run: bool = False, force: bool = False) -> SyncReport:
        """Install exactly what is pinned, or put back what was there. Raises as `aim version sync` does."""
        with open_workspace() as workspace:
            return self._led(workspace).sync(dry_run=dry_run, force=force)

    def pin_current(self) -> PinReport:
        """Pin what is installed, in aim_config."""
        with open_workspace() as workspace:
            return self._led(workspace).pin()

    def _led(self, workspace: Workspace) -> Workspace:
        if self._section is not None:
            workspace.environment_section = self._section
        if self._installers is not None:
            workspace.installers = self._installers
        return workspace


class Scanner:
    """Looks for duplicates and misplaced caches; a report is plain values, as `aim scan --json` has it."""

    def scan_all(self, paths: Sequence[str] = ()) -> dict[str, Any]:
        """Look below `paths`, else where aim_config says, else in the repository."""
        return self._report(paths)

    def find_duplicates(self, paths: Sequence[str] = ()) -> dict[str, Any]:
        """Look for duplicates alone."""
        return self._report(paths, caches=False)

    def find_misplaced_caches(self, paths: Sequence[str] = ()) -> dict[str, Any]:
        """Look for misplaced caches alone."""
        return self._report(paths, duplicates=False)

    def _report(self, paths: Sequence[str], **parts: bool) -> dict[str, Any]:
        with open_workspace() as workspace:
            plain: dict[str, Any] = msgspec.to_builtins(workspace.scan_report(paths, **parts))
        return plain


def get_scanner() -> Scanner:
    """Return what looks for duplicates and caches in the repository of the current folder."""
    return Scanner()


def _section(config: Mapping[str, Any]) -> EnvironmentSection:
    given = config.get("environment", config)
    try:
        return typed(given, EnvironmentSection)
    except msgspec.ValidationError as error:
        raise ConfigError(f"the configuration that was given: {error}") from error
