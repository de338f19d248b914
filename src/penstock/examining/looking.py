"""What can be looked at in a repository and on its machine: a probe for each.

As in wiring, everything is imported where it is used.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.environment.api import Finding, Verdict
from penstock.errors import ConfigError, PenstockError
from penstock.surroundings import Surroundings

if TYPE_CHECKING:
    from penstock.registry.api import AimSettings, Registry
    from penstock.toolside import ToolStatus
    from penstock.vault.api import VaultReport

ASKING_S = 1.5
"""How long a tool may take to name its version (s): less than its probe may take."""
JOURNAL_S = 1.2
"""How long the journal is looked through (s); `penstock db check` looks through all of it."""


class Looking(Surroundings):
    """The probes of a repository."""

    if TYPE_CHECKING:  # what the workspace has from another mixin

        def look_at_foreign_code(self) -> Finding: ...

        def vault_doctor(self, *, round_trip: bool = False) -> VaultReport: ...

    def looks(self) -> dict[str, Callable[[], Finding]]:
        """Return what can be looked at, by name."""
        from penstock.environment.health import containment, machine

        wanted = self.aim_or_defaults().environment.health_checks
        return {
            "python": machine.python,
            "sandbox": containment.sandbox,
            "git": self.look_at_git,
            "required_commands": lambda: machine.required_commands(wanted.required_commands),
            "required_paths": lambda: machine.required_paths(wanted.required_paths, self.root),
            "disk": self._look_at_disk,
            "path_order": lambda: machine.path_order(self._program_names()),
            "config": self._look_at_config,
            "registry": self._look_at_registry,
            "ai_tools": self._look_at_tools,
            "foreign_code": self.look_at_foreign_code,
            "secrets_vault": self._look_at_vault,
            "audit": self._look_at_trail,
            "journal": self.look_at_journal,
            "worktrees": self._look_at_worktrees,
        }

    # -- what several probes need ------------------------------------------------------------
    def aim_or_defaults(self) -> AimSettings:
        """Return what aim_config says; what is wrong with it, the probe of it tells."""
        from penstock.registry.api import AimSettings

        try:
            return self.aim_settings
        except ConfigError:
            return AimSettings()

    def _program_names(self) -> tuple[str, ...]:
        """Return the programs of which two different ones are one too many: ours and the AI tools.

        Of an interpreter or a checker there may well be several, one for each environment.
        """
        from penstock.registry.signin import sign_in_of

        registry = self.registry_or_none()
        tools = registry.tools.values() if registry is not None else ()
        mine = (tool.executable for tool in tools if sign_in_of(tool.tool_id).needed)
        return tuple(dict.fromkeys(("penstock", "aim", *mine)))

    # -- the probes --------------------------------------------------------------------------
    def look_at_git(self, *, limit_s: float | None = None) -> Finding:
        """Look at git, and inside of a repository whether it can be worked in.

        Raises NoAnswer when git takes longer than `limit_s` (s) for a question, RepositoryError.
        """
        import msgspec

        from penstock.environment.health.machine import answers, git

        found = git(self.root, limit_s=limit_s)
        if self.place is None or found.status is Verdict.FAIL:
            return found
        answers(self.root, limit_s=limit_s)
        head = self.repository.head()[:12]
        told = {
            "message": f"{found.message}; HEAD is {head}",
            "details": {**found.details, "head": head},
        }
        return msgspec.structs.replace(found, **told)

    def _look_at_disk(self) -> Finding:
        from penstock.environment.health.machine import disk
        from penstock.model.settings import PipelineSettings

        try:
            settings = self.settings
        except ConfigError:  # the probe of the configuration tells
            settings = PipelineSettings()
        return disk(self.root, settings.limits.min_free_mb)

    def _look_at_config(self) -> Finding:
        """Read all there is to configure, and tell of every file that is wrong."""
        from penstock.config.agents import load_agent_profiles
        from penstock.config.circuit_breakers import load_breakers

        readings: tuple[Callable[[], Any], ...] = (
            lambda: self.settings,
            lambda: self.profiles,
            lambda: load_breakers(self.root, self.settings),
            lambda: load_agent_profiles(self.root),
            lambda: self.aim_settings,
        )
        wrong = tuple(dict.fromkeys(told for read in readings if (told := _refusal(read))))
        details = {"aim_config": self.aim_or_defaults().source, "problems": list(wrong)}
        if not wrong:
            return Finding(message="the configuration can be read", details=details)
        hint = "mend what is named: aim config validate lists all that is wrong with aim_config"
        return Finding(status=Verdict.FAIL, message="; ".join(wrong), details=details, hint=hint)

    def _look_at_registry(self) -> Finding:
        if not self.aim_or_defaults().switches.enable_aim:
            return Finding(message="AIM is off (enable_aim)")
        registry = self.registry
        where = {
            "path": str(registry.path),
            "origin": registry.origin,
            "tools": len(registry.tools),
        }
        told = f"{len(registry.tools)} tools, {len(registry.rules.capabilities)} capabilities"
        return Finding(message=f"{registry.origin}: {told}", details=where)

    def _look_at_tools(self) -> Finding:
        """Look for AI tools: installed, signed in, and with an interface that penstock knows."""
        registry = self.registry_or_none()
        if registry is None:
            return Finding(
                status=Verdict.WARN, message="the registry, which names them, cannot be read"
            )
        return judge_tools(self._ai_statuses(registry))

    def registry_or_none(self) -> Registry | None:
        try:
            return self.registry
        except PenstockError:
            return None

    def _ai_statuses(self, registry: Registry) -> list[ToolStatus]:
        from penstock.tools.toolbox import make_toolbox
        from penstock.toolside import ToolSide

        side = ToolSide(registry, make_toolbox({}), None, limit_s=ASKING_S)
        return [status for status in side.statuses() if status.sign_in.needed]

    def _look_at_vault(self) -> Finding:
        """Look where secrets would be kept; nothing is written or asked for."""
        report = self.vault_doctor()
        backends = {one.name: one.reason for one in report.statuses}
        chosen = next((one for one in report.statuses if one.chosen), None)
        details = {"backend": chosen and chosen.name, "backends": backends}
        hint = "aim secrets doctor says why, and what to do"
        if chosen is None:
            told = "no vault can be used"
            return Finding(status=Verdict.WARN, message=told, details=details, hint=hint)
        if not report.ok:
            told = f"{chosen.name}: there is something to mend"
            return Finding(status=Verdict.WARN, message=told, details=details, hint=hint)
        return Finding(message=f"{chosen.name}: {chosen.reason}", details=details)

    def _look_at_trail(self) -> Finding:
        """Look whether today's lines of the audit trail are as they were written."""
        if self.trail is None:
            return Finding(message="auditing is switched off (enable_audit_logging)")
        folder = self.audit_folder
        if not folder.exists():
            return Finding(message="there is none yet", details={"folder": str(folder)})
        report = self.trail.verify_last_day()
        details = {"folder": str(folder), "entries": report.entries, "damage": len(report.damage)}
        if report.damage:
            first = report.damage[0]
            return Finding(
                status=Verdict.FAIL,
                message=f"{len(report.damage)} faults: {first.file}: {first.message}",
                details=details,
                hint="aim audit verify shows every fault; set the day's folder aside as evidence",
            )
        if not os.access(folder, os.W_OK):
            return Finding(
                status=Verdict.FAIL,
                message=f"{folder} cannot be written",
                details=details,
                hint=f"chmod u+w {folder}, or set audit.logPath in aim_config",
            )
        return Finding(message=f"{report.entries} entries of the last day hold", details=details)

    def look_at_journal(self, limit_s: float = JOURNAL_S) -> Finding:
        """Look whether the journal is whole and of a kind that we know, for so long (s) at most."""
        if not self.database.exists():
            return Finding(message="there is none yet, the first run makes it")
        from penstock.store.soundness import check

        found = check(self.database, limit_s=limit_s)
        details = {
            "path": found.path,
            "schema": found.schema_version,
            "problems": list(found.problems),
            "complete": found.complete,
        }
        if found.problems:
            told = "; ".join(found.problems[:3])
            hint = "penstock db check shows all; penstock db salvage OUT saves what can be read"
            return Finding(status=Verdict.FAIL, message=told, details=details, hint=hint)
        part = "" if found.complete else f"; only looked at for {limit_s:g} s: penstock db check"
        told = f"{self.database.name} is sound, its schema is {found.schema_version}{part}"
        return Finding(message=told, details=details)

    def _look_at_worktrees(self) -> Finding:
        """Look for worktrees and ports that died with their runs."""
        from penstock.environment.isolation import Isolation
        from penstock.worktrees.names import POOL, TRASH

        if self.place is None:
            return Finding(message="not inside a repository")
        rows = self.repository.worktrees()
        home = self.place.root / ".worktrees"
        known = {Path(row["path"]).name for row in rows} | {POOL, TRASH}
        stray = (
            sorted(p.name for p in home.glob("*/") if p.name not in known) if home.is_dir() else []
        )
        dead = Isolation(self.root, self.root / self.state_folder).leftovers()
        ports = [left.port for left in dead if left.run_id is not None]
        states = {row["path"]: row["state"] for row in rows}
        details = {"worktrees": states, "stray": stray, "ports": ports}
        if not stray and not ports:
            return Finding(message=f"{len(rows)} worktrees, nothing left over", details=details)
        told, hints = [], []
        if stray:
            told.append(f".worktrees holds what is no worktree: {_few(stray)}")
            hints.append("move what you need out of .worktrees and remove the rest: it is not ours")
        if ports:
            told.append(f"ports are reserved for runs that are dead: {_few(ports)}")
            hints.append("penstock clean, or penstock resume RUN for a run that was interrupted")
        return Finding(
            status=Verdict.WARN, message="; ".join(told), details=details, hint="; ".join(hints)
        )


def _few(names: Sequence[object], limit: int = 5) -> str:
    """Return some names as text, and how many more there are."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(str(name) for name in names[:limit]) + more


def _refusal(read: Callable[[], Any]) -> str | None:
    """Return why something cannot be read, None when it can."""
    try:
        read()
    except PenstockError as error:
        return str(error)
    return None


def judge_tools(statuses: Iterable[ToolStatus]) -> Finding:
    """Judge the AI tools: none is a warning, as is none that can reach its model, or one whose
    interface is not the one that penstock relies on."""
    there = [status for status in statuses if status.detection.detected]
    details = {status.detection.tool_id: _tool_facts(status) for status in there}
    if not there:
        hint = "npm install -g @anthropic-ai/claude-code, or another: aim status lists them"
        return Finding(status=Verdict.WARN, message="no AI tool is installed", hint=hint)
    names = ", ".join(sorted(details))
    broken = [s for s in there if s.contract is not None and s.contract.mismatches]
    if broken:
        told = ", ".join(s.detection.tool_id for s in broken)
        return Finding(
            status=Verdict.WARN,
            message=f"the interface of {told} is not what penstock relies on",
            details=details,
            hint="aim tools contract shows how; install the version that it was measured with",
        )
    ready = [s for s in there if s.sign_in.key or s.sign_in.login]
    if not ready:
        return Finding(
            status=Verdict.WARN,
            message=f"{names}: none is signed in",
            details=details,
            hint=there[0].sign_in.command,
        )
    told = ", ".join(sorted(s.detection.tool_id for s in ready))
    return Finding(message=f"{len(there)} installed, signed in: {told}", details=details)


def _tool_facts(status: ToolStatus) -> dict[str, Any]:
    contract = status.contract
    return {
        "path": status.detection.path,
        "version": status.detection.version,
        "sign_in": status.sign_in.words,
        "contract": None if contract is None else list(contract.mismatches) or "kept",
    }
