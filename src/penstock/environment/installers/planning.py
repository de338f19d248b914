"""Which changes lead from what is installed to what is pinned; nothing is changed here."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from penstock.environment.api import Manager, ToolVersion, VersionReport, VersionStatus
from penstock.environment.installers.origins import Origin
from penstock.environment.installers.port import Change, Installer
from penstock.environment.versions.names import is_name, normalised
from penstock.environment.versions.pins import Pin, PinError, parse_pin
from penstock.errors import ConfigError, EnvironmentProblem, ToolMissingError, UsageError

_WINGET = "what winget has cannot be told; use aim tools install ID --manager winget, on Windows"
Origins = Callable[[str], Origin | None]


@dataclass(slots=True)
class Plan:
    """The changes to be made; `notes` say what is left out."""

    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _wrong: list[str] = field(default_factory=list)
    _stuck: list[str] = field(default_factory=list)

    def add(self, tool: ToolVersion, origins: Origins, *, force: bool) -> None:
        """Take one tool of a report into the plan. What nothing can be told of is installed: its
        manager will say whether that can be done."""
        pin = self._pin_of(tool)
        if isinstance(pin, str):
            self._wrong.append(f"{tool.manager.value}, {tool.tool}: {pin}")
        elif tool.manager is Manager.WINGET:
            self.notes.append(f"{tool.tool} is left alone: {_WINGET}")
        elif tool.status is VersionStatus.UNKNOWN and _is_there(tool):
            self.notes.append(f"{tool.tool} ({tool.manager.value}) is left alone: {tool.detail}")
        elif tool.manager is Manager.TOOLS:
            self._add_program(tool, pin, origins, force=force)
        else:
            self.changes.append(
                Change(tool=tool.tool, manager=tool.manager, name=tool.tool, pin=pin, force=force)
            )

    def _pin_of(self, tool: ToolVersion) -> Pin | str | None:
        """Return the pin of a tool, None for any version, or what is wrong with it or its name."""
        if not is_name(tool.manager, tool.tool):
            return "is no name of a package"
        try:
            return None if tool.pinned is None else parse_pin(tool.manager, tool.pinned)
        except PinError as error:
            return f"the pin {error}"

    def _add_program(
        self, tool: ToolVersion, pin: Pin | None, origins: Origins, *, force: bool
    ) -> None:
        """A program is changed by the manager that its install command names."""
        origin = origins(tool.tool)
        if origin is None:
            self._stuck.append(f"{tool.tool}: no package manager is known to install it")
            return
        manager, name, options = origin
        try:
            own = None if pin is None else parse_pin(manager, pin.text)
        except PinError as error:
            self._wrong.append(f"tools, {tool.tool}: the pin {error}")
            return
        self.changes.append(
            Change(
                tool=tool.tool, manager=manager, name=name, pin=own, force=force, options=options
            )
        )

    def refuse_wrong(self) -> None:
        """Raise ConfigError or EnvironmentProblem for what keeps the whole from being done."""
        if self._wrong:
            raise ConfigError(
                "; ".join(self._wrong),
                hint="Mend environment.versionPins, pipxApps and npmGlobal of aim_config.",
            )
        if self._stuck:
            raise EnvironmentProblem(
                "; ".join(self._stuck),
                hint="Pin its package under pipx, uv, npm or pip instead of tools.",
            )


def plan_sync(
    report: VersionReport,
    origins: Origins,
    *,
    force: bool = False,
    only_missing: bool = False,
    doubtful: Mapping[Manager, Container[str]] = MappingProxyType({}),
) -> Plan:
    """Return the changes after which every tool is as pinned; with `force` those are reinstalled that
    are so already, with `only_missing` only what is not there at all is installed.

    `origins` tells which package a program comes from. What is `doubtful`, by the spelling of names
    that `normalised` gives, is reinstalled too. Raises ConfigError, EnvironmentProblem.
    """
    plan = Plan()
    wanted = {VersionStatus.MISSING, VersionStatus.UNKNOWN}
    wanted |= set() if only_missing else {VersionStatus.DRIFT}
    wanted |= {VersionStatus.OK} if force else set()
    for tool in report.tools:
        key = normalised(tool.manager, tool.tool)
        again = tool.status is VersionStatus.OK and key in doubtful.get(tool.manager, ())
        if again or tool.status in wanted:
            plan.add(tool, origins, force=force or again)
    plan.refuse_wrong()
    return plan


def single_change(
    manager: Manager,
    package: str,
    version: str | None,
    *,
    pinned: str | None = None,
    force: bool = False,
) -> Change:
    """Return the change that installs one package, in the version that is `pinned` unless `version` or
    the name (`name==version`) has another. Raises UsageError for what is no name or version."""
    name, separator, stated = _split(manager, package)
    if separator and version is not None:
        raise UsageError(f"{package} and --version name two versions", hint="Give one of them.")
    wanted = stated if separator else version or pinned
    if not is_name(manager, name):
        raise UsageError(
            f"{package!r} is no name of a package for {manager.value}",
            hint="Give the name alone; paths and URLs are not installed.",
        )
    try:
        pin = None if wanted is None else parse_pin(manager, wanted)
    except PinError as error:
        raise UsageError(f"the version {error}") from error
    return Change(tool=name, manager=manager, name=name, pin=pin, force=force)


def _is_there(tool: ToolVersion) -> bool:
    """Tell whether something is there whose version cannot be judged."""
    return tool.installed is not None or tool.manager is Manager.TOOLS


def meets(change: Change, installed: str) -> bool:
    """Tell whether what is installed is what a change wants."""
    return change.pin is None or change.pin.holds(installed) is True


def _split(manager: Manager, package: str) -> tuple[str, str, str]:
    """Part `name==version`, or `name@version` of npm, where a scope begins with the same sign."""
    separator = "@" if manager is Manager.NPM else "=="
    name, found, version = package[1:].partition(separator)
    return package[:1] + name, found, version


def require_managers(changes: Iterable[Change], installers: Mapping[Manager, Installer]) -> None:
    """Raise ToolMissingError for managers that changes need and that are not installed."""
    missing = sorted(
        {c.manager for c in changes if installers[c.manager].program() is None},
    )
    if missing:
        names = ", ".join(manager.value for manager in missing)
        hints = " ".join(installers[manager].hint for manager in missing)
        raise ToolMissingError(f"{names}: not installed", hint=hints)
