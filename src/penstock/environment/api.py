"""What a look at the machine and the repository finds."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal, Protocol

import msgspec

from penstock.errors import PreFlightError


class State(StrEnum):
    """How things stand with one piece of the scaffold."""

    PRESENT = "present"
    CREATED = "created"
    MISSING = "missing"


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of the scaffold; `path` is relative to the repository's top, for people."""

    path: str
    what: str
    state: State


class FoundCli(msgspec.Struct, frozen=True, kw_only=True):
    """One AI coding CLI. `path` None = not installed; `version` None = it would not say;
    `install` is the command that brings it."""

    tool_id: str
    executable: str
    install: str
    path: str | None = None
    version: str | None = None


class InitReport(msgspec.Struct, frozen=True, kw_only=True):
    """What `penstock init` did or found; `problems` keep runs from starting."""

    root: str
    pieces: tuple[Piece, ...]
    clis: tuple[FoundCli, ...]
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether nothing is missing: all pieces, one CLI at least, no problem."""
        complete = all(piece.state is not State.MISSING for piece in self.pieces)
        return complete and not self.problems and any(cli.path for cli in self.clis)


class HookState(StrEnum):
    """Whose pre-commit hook there is."""

    OURS = "ours"
    FOREIGN = "foreign"
    ABSENT = "absent"


class HookChange(msgspec.Struct, frozen=True, kw_only=True):
    """What was done to the pre-commit hook.

    `path` is the hook's file. `before` is how it stood. `kept` is where the hook of another tool
    lies that runs first, None when there is none; `restored`: it is the hook again.
    """

    path: str
    before: HookState
    kept: str | None = None
    restored: bool = False


class Leftover(msgspec.Struct, frozen=True, kw_only=True):
    """A block of ports with its temporary folder whose holder is dead, or has let go of it.

    `path` is absolute. `run_id` and `ws_id` are None when it is not known whose it was.
    """

    path: str
    port: int
    run_id: str | None
    ws_id: str | None


class Leftovers(Protocol):
    """What dead processes hold of ports and temporary files."""

    def leftovers(self) -> tuple[Leftover, ...]:
        """Return what nobody holds any more, of this repository or of unknown origin."""
        ...

    def free(self, leftover: Leftover) -> bool:
        """Remove a leftover; False when somebody holds it by now, or it is gone."""
        ...


class Isolation(Protocol):
    """Keeps workstreams that run at the same time out of each other's ports and temporary files."""

    def take(self, run_id: str, ws_id: str) -> dict[str, str]:
        """Return the variables of a workstream: PENSTOCK_PORT_BASE, PENSTOCK_PORT_COUNT, and the
        temporary folder in TMPDIR, TEMP and TMP.

        The same until given back. Raises EnvironmentProblem when there is no free block of ports or
        no place for the folder.
        """
        ...

    def give_back(self, run_id: str, ws_id: str) -> None:
        """Remove the temporary folder and free the ports; harmless when nothing was taken."""
        ...

    def recover(self) -> tuple[str, ...]:
        """Free what dead processes held, and return a line for each."""
        ...


# -- health ----------------------------------------------------------------------------------
class Verdict(StrEnum):
    """What one check of the health report says."""

    PASS = "pass"  # noqa: S105 - the name of a verdict
    WARN = "warn"
    FAIL = "fail"


class Health(StrEnum):
    """How a machine is as a whole: any fail makes it unhealthy, any warning degraded."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a probe found: a line for people, facts for machines, and the command that mends it."""

    status: Verdict = Verdict.PASS
    message: str
    details: Mapping[str, Any] = {}
    hint: str | None = None


class HealthCheck(Finding, frozen=True, kw_only=True):
    """A finding with the name of its probe and the moment it was made (ISO 8601, UTC)."""

    name: str
    timestamp: str


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many checks say what. On the wire `pass`, `warn`, `fail`."""

    passed: int = msgspec.field(default=0, name="pass")
    warn: int = 0
    fail: int = 0


class HealthReport(msgspec.Struct, frozen=True, kw_only=True):
    """All findings of one look at the machine, in the order of the probes."""

    timestamp: str
    overall_status: Health
    summary: Counts
    checks: tuple[HealthCheck, ...]

    def of(self, status: Verdict) -> tuple[HealthCheck, ...]:
        """Return the checks that say so."""
        return tuple(check for check in self.checks if check.status is status)


class ReportFormat(StrEnum):
    """In which form a report is written."""

    MARKDOWN = "markdown"
    JSON = "json"
    HTML = "html"


# -- pre-flight --------------------------------------------------------------------------------
class UsedTool(msgspec.Struct, frozen=True, kw_only=True):
    """A program that a run will start. `path` None = not found, `version` None = nothing states it;
    `role` is turn (it edits) or check."""

    tool_id: str
    role: Literal["turn", "check"]
    path: str | None = None
    version: str | None = None
    problem: str | None = None


class PreflightReport(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a run can begin here and now, and with what it would be made.

    `health` None: it was not looked at. `drift` are the tools that have another version than pinned,
    None when versions were not looked at. `synced` are tools that were brought to their pins before.
    `scan` is what the environment scan found, None when it was not asked for. `skipped` says who
    wanted nothing to be looked at; `seconds` is how long it took.
    """

    health: HealthReport | None = None
    drift: tuple[str, ...] | None = None
    synced: tuple[str, ...] = ()
    tools: tuple[UsedTool, ...] = ()
    scan: Mapping[str, Any] | None = None
    skipped: str | None = None
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Tell whether nothing failed; a report of nothing has passed nothing, and stops nobody."""
        return self.health is None or self.health.overall_status is not Health.UNHEALTHY

    @property
    def calm(self) -> bool:
        """Tell whether there is nothing that people must be told of."""
        fine = self.health is None or self.health.overall_status is Health.HEALTHY
        return fine and not self.drift and not self.synced

    def require_passed(self) -> None:
        """Raise PreFlightError, a RuntimeError, that names each check that failed."""
        if self.passed or self.health is None:
            return
        failed = self.health.of(Verdict.FAIL)
        told = "; ".join(f"{check.name}: {check.message}" for check in failed)
        hints = [check.hint for check in failed if check.hint]
        hint = hints[0] if hints else "aim health check --verbose shows all there is to see"
        raise PreFlightError(f"System health check failed: {told}", hint=hint)

    def document(self) -> dict[str, Any]:
        """Return the report as the journal keeps it: the documented members, and what else was found.

        Of a look that was skipped `health_status` is `skipped`, and nothing is said to have passed.
        Details of the checks are left out: they would make every run's journal long.
        """
        health = self.health
        checks = health.checks if health is not None else ()
        return {
            "health_status": "skipped" if health is None else health.overall_status.value,
            "health_summary": None if health is None else msgspec.to_builtins(health.summary),
            "version_drift": None if self.drift is None else len(self.drift),
            "pre_flight_passed": None if health is None else self.passed,
            "checks": [
                {"name": c.name, "status": c.status.value, "message": c.message} for c in checks
            ],
            "drift": list(self.drift or ()),
            "synced": list(self.synced),
            "tools": {
                tool.tool_id: {"role": tool.role, "path": tool.path, "version": tool.version}
                for tool in self.tools
            },
            "scan": None if self.scan is None else dict(self.scan),
            "skipped": self.skipped,
            "seconds": round(self.seconds, 3),
        }


# -- versions and installers -----------------------------------------------------------------
class Manager(StrEnum):
    """Who installs a package. `tools` are programs that are only asked for their version."""

    PIP = "pip"
    PIPX = "pipx"
    UV = "uv"
    NPM = "npm"
    WINGET = "winget"
    TOOLS = "tools"


class VersionStatus(StrEnum):
    """How what is installed stands to what is pinned."""

    OK = "ok"
    DRIFT = "drift"
    MISSING = "missing"
    UNEXPECTED = "unexpected"
    UNKNOWN = "unknown"


class ToolVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One tool of a version report.

    `pinned` None = any version will do; `installed` None = none, or it cannot be told. `detail` says
    why something is not known, None where all is clear.
    """

    tool: str
    manager: Manager
    pinned: str | None = None
    installed: str | None = None
    status: VersionStatus
    detail: str | None = None


class VersionReport(msgspec.Struct, frozen=True, kw_only=True):
    """How the tools of this machine stand to the pins of aim_config.

    `source` names the file with the pins, None without one; `notes` are lines for people.
    """

    timestamp: str
    tools: tuple[ToolVersion, ...]
    source: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many tools have each status, every status named."""
        found = [tool.status for tool in self.tools]
        return {status.value: found.count(status) for status in VersionStatus}

    @property
    def drifted(self) -> tuple[ToolVersion, ...]:
        """The tools that `sync` would change: another version than pinned, or none at all."""
        wrong = (VersionStatus.DRIFT, VersionStatus.MISSING)
        return tuple(tool for tool in self.tools if tool.status in wrong)

    @property
    def drift_count(self) -> int:
        """How many tools `sync` would change."""
        return len(self.drifted)

    @property
    def has_drift(self) -> bool:
        """Tell whether `sync` would change any."""
        return bool(self.drifted)


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """An installed package. `place` is the folder that says so; `requested` is False for one that
    only came along with another."""

    name: str
    version: str
    manager: Manager
    place: str
    requested: bool = True


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """What a manager has installed, by normalised name; `problem` says why that cannot be told."""

    manager: Manager
    packages: Mapping[str, Package] = {}
    problem: str | None = None


class InstallResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one package.

    `version` is what is there now, None for nothing. `rollback_data` holds `previous_version`, None
    for a package that was not there. `action` is install, upgrade, uninstall, rollback, or none when
    nothing had to be done; `command` is what was run, as one would type it.
    """

    tool: str
    manager: Manager
    success: bool
    version: str | None = None
    message: str = ""
    action: str = "none"
    command: str = ""
    rollback_data: Mapping[str, str | None] = {}


class SyncReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of several packages: all of them, or what was there before.

    `rolled_back` is what was put back after a failure. `planned` are the commands that there were to
    run. `notes` are lines for people: what was left out, what could not be put back. `remaining` is
    what is not as pinned though every command succeeded.
    """

    results: tuple[InstallResult, ...] = ()
    rolled_back: tuple[InstallResult, ...] = ()
    planned: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    interrupted: bool = False
    remaining: tuple[ToolVersion, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether everything is as it was wished."""
        whole = not self.interrupted and not self.remaining
        return whole and all(result.success for result in self.results)


class ToolSoundness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether one tool is there and can be started; `trouble` says why not, None for a sound one."""

    tool: str
    manager: Manager
    version: str | None = None
    trouble: str | None = None

    @property
    def ok(self) -> bool:
        """Tell whether nothing speaks against it."""
        return self.trouble is None


class PinReport(msgspec.Struct, frozen=True, kw_only=True):
    """The versions that were pinned, by manager and name, and the files that hold them now."""

    pins: Mapping[str, Mapping[str, str]]
    files: tuple[str, ...] = ()
    changed: int = 0
