"""Looking whether this machine and repository are fit for runs.

As in wiring, everything is imported where it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from penstock.environment.api import (
    Finding,
    HealthReport,
    PreflightReport,
    ReportFormat,
    UsedTool,
    Verdict,
)
from penstock.errors import ConfigError, EnvironmentProblem, PenstockError
from penstock.examining.looking import ASKING_S, Looking
from penstock.typed import typed

if TYPE_CHECKING:
    from penstock.audit.api import AuditTrail
    from penstock.checks.api import Check
    from penstock.environment.api import Manager, SyncReport, VersionReport
    from penstock.environment.scan.api import ScanReport
    from penstock.environment.scan.secretscan import Scan
    from penstock.model.bundle import Bundle
    from penstock.model.records import Workstream
    from penstock.registry.api import ToolDetection

NOT_BEFORE_A_RUN = frozenset({"path_order", "ai_tools", "secrets_vault", "worktrees"})
"""What a run does not depend on: of the tools it looks at its own, and what dead runs left over it
clears away itself."""
PATIENCE_S = 8.0
BEFORE_S = 10.0
"""How long git, and any probe, may take before a run (s): a machine that is only busy shall run."""
GLANCE_S = 0.25
"""How long the journal is looked through before a run (s), however large it is."""
SLOW = NOT_BEFORE_A_RUN | {"audit"}
"""What a glance leaves out."""


class Examining(Looking):
    """What can be found out about the machine and the repository, without any network."""

    if TYPE_CHECKING:  # what the workspace has from other mixins

        @property
        def scan_trail(self) -> AuditTrail | None: ...

        @property
        def sync(self) -> Callable[..., SyncReport]: ...

        @property
        def secret_scan(self) -> Callable[..., Scan]: ...

        @property
        def scan_report(self) -> Callable[..., ScanReport]: ...

        def version_report(self, managers: Collection[Manager] = ()) -> VersionReport: ...

    # -- health ------------------------------------------------------------------------------
    def health(self, *, quick: bool = False) -> HealthReport:
        """Ask every probe at once and return what they found; never raises and never hangs.

        `quick` leaves out what takes longer than the rest together: the vault, the audit trail's
        chain, the repository, and every tool.
        """
        from penstock.environment.health import machine
        from penstock.environment.health.probing import Probe, run_probes

        looks = self.looks()
        if quick:
            looks["git"] = lambda: machine.git(self.root)
            looks = {name: look for name, look in looks.items() if name not in SLOW}
        return run_probes([Probe(name, look) for name, look in looks.items()])

    def write_health(self, report: HealthReport, form: ReportFormat) -> str:
        """Return a report as Markdown, JSON or an HTML page that needs nothing beside it."""
        from penstock.environment.health.render import as_json, markdown, page

        writers = {
            ReportFormat.MARKDOWN: markdown,
            ReportFormat.JSON: as_json,
            ReportFormat.HTML: page,
        }
        return writers[form](report)

    def record_health(self, report: HealthReport, *, before: str | None = None) -> str | None:
        """Record a look at the machine in the audit trail, `before` what it was made; return why that
        could not be done."""
        from penstock.audit.api import EventType, Severity

        what = "health" if before is None else f"pre-flight of {before}"
        words = f"{what}: {report.overall_status.value}"
        bad = {c.name: c.message for c in report.checks if c.status is not Verdict.PASS}
        severity = Severity.WARNING if report.of(Verdict.FAIL) else Severity.INFO
        try:
            trail = self.scan_trail
            if trail is not None:
                if self.place is not None:
                    self._hide()
                details = {"status": report.overall_status.value, "findings": bad}
                trail.event(EventType.HEALTH_CHECK, words, severity=severity, details=details)
        except PenstockError as error:
            return str(error)
        return None

    # -- before a run ------------------------------------------------------------------------
    def preflight(
        self,
        tools: Iterable[str] = (),
        *,
        optional: Iterable[str] = (),
        sync: bool = False,
        say: Callable[[str], None] | None = None,
        skip: str | None = None,
    ) -> PreflightReport:
        """Look whether a run with these tools can begin, and with which versions it would be made.

        Of the tools each must be there, of the `optional` ones (for which others may stand in) each
        may. With `sync`, or where aim_config says so, tools are brought to their pins first; `say`
        hears of that. `skip` says who wants nothing to be looked at. What is wrong is in the report;
        raised is NotFoundError for a tool that nobody knows, and what keeps a sync from being tried.
        """
        import time

        from penstock.environment.health.probing import Probe, run_probes

        if skip is not None:
            return PreflightReport(skipped=skip)
        begun = time.monotonic()
        section = self.aim_or_defaults().environment
        looks: dict[str, Callable[[], Finding]] = {}
        if section.preflight.health and section.health_checks.enabled:
            looks = self._looks_before(tuple(tools), tuple(optional))
        synced: tuple[str, ...] = ()
        if (sync or section.preflight.auto_sync) and self._pinned():
            synced, looks["sync"] = self._synced(say)
        if section.preflight.versions:
            looks["versions"] = self._look_at_versions
        verdict: Mapping[str, Any] | None = None
        if section.preflight.scan:
            verdict, looks["scan"] = self._scanned()
        if not looks:
            return PreflightReport(skipped="environment.preflight of aim_config")
        probes = [Probe(name, look) for name, look in looks.items()]
        report = run_probes(probes, each_s=BEFORE_S)
        return PreflightReport(
            health=report,
            drift=drift_in(report),
            synced=synced,
            scan=verdict,
            tools=tuple(used_in(report)),
            seconds=time.monotonic() - begun,
        )

    def _looks_before(
        self, tools: Sequence[str], optional: Sequence[str]
    ) -> dict[str, Callable[[], Finding]]:
        """Return looks at what a run depends on."""
        looks = {name: look for name, look in self.looks().items() if name not in NOT_BEFORE_A_RUN}
        looks["git"] = self._look_at_needed_git
        looks["journal"] = partial(self.look_at_journal, GLANCE_S)
        return looks | self._looks_at_used(tools, optional)

    def _look_at_needed_git(self) -> Finding:
        """Look at git and the repository, which there must be. On a busy machine git may take its time,
        but without an answer no run can begin."""
        from penstock.environment.health.probing import NoAnswer

        self.need_repository()
        try:
            return self.look_at_git(limit_s=PATIENCE_S)
        except NoAnswer as error:
            raise EnvironmentProblem(
                str(error), hint="git status shows what it waits for"
            ) from error

    def _synced(
        self, say: Callable[[str], None] | None
    ) -> tuple[tuple[str, ...], Callable[[], Finding]]:
        """Bring tools to their pins; return what was installed, and the finding of how that went."""
        done = self.sync() if say is None else self.sync(say=say)
        made = tuple(
            f"{one.tool} {one.version} ({one.manager})" for one in done.results if one.success
        )
        if done.ok:
            return made, lambda: Finding(message=f"{len(made)} tools installed as pinned")
        wrong = [f"{one.tool}: {one.message}" for one in done.results if not one.success]
        wrong += [f"{one.tool}: not as pinned" for one in done.remaining]
        told = f"tools could not be brought to their pins: {'; '.join(wrong) or 'interrupted'}"
        failed = Finding(
            status=Verdict.FAIL,
            message=told,
            hint="aim version sync shows each command; without --auto-sync drift only warns",
        )
        return () if done.rolled_back else made, lambda: failed

    def _scanned(self) -> tuple[Mapping[str, Any], Callable[[], Finding]]:
        """Scan the environment; return the verdict in figures, and the finding. No value is told."""
        try:
            secrets = len(self.secret_scan().report().findings)
            found = self.scan_report()
        except PenstockError as error:
            told, hint = f"could not be scanned: {error}", error.hint
            return {"problem": str(error)}, lambda: Finding(
                status=Verdict.WARN, message=told, hint=hint
            )
        verdict = {
            "secrets": secrets,
            "duplicates": len(found.duplicates),
            "misplaced_caches": len(found.misplaced_caches),
            "total_wasted_mb": found.total_wasted_mb,
            "total_cache_mb": found.total_cache_mb,
        }
        return verdict, lambda: _judge_scan(verdict)

    def _looks_at_used(
        self, tools: Sequence[str], optional: Sequence[str]
    ) -> dict[str, Callable[[], Finding]]:
        """Return looks at the tools of turns and at the checks of a run."""
        looks: dict[str, Callable[[], Finding]] = {}
        for tool_id in dict.fromkeys((*tools, *optional)):
            with suppress(ConfigError):  # the probe of the configuration tells
                self.toolbox.get(tool_id)
            needed = tool_id in tools
            looks[f"tool {tool_id}"] = partial(self._look_at_tool, tool_id, needed=needed)
        for step in ("static", "runtime"):
            with suppress(ConfigError):
                for check in self.checks.plan(step, self.root, ())[0]:
                    looks[f"check {check.check_id}"] = partial(self._look_at_check, check)
        return looks

    def _look_at_tool(self, tool_id: str, *, needed: bool) -> Finding:
        """Look at a tool that edits: can it be started, and which version is it."""
        missing = self.toolbox.get(tool_id).available()
        found = self._detection(tool_id)
        details = {"role": "turn", "path": found.path, "version": found.version}
        if missing is not None:
            status = Verdict.FAIL if needed else Verdict.WARN
            hint = "install it, or name another: penstock run --tool TOOL; aim status lists them"
            return Finding(status=status, message=missing, details=details, hint=hint)
        return Finding(message=found.version or "it is there", details=details)

    def _detection(self, tool_id: str) -> ToolDetection:
        """Return where a tool is and its version: from the registry, else from its package."""
        from penstock.process.environment import child_environment, find_executable
        from penstock.registry.api import ToolDetection
        from penstock.registry.detect import detect_tool
        from penstock.registry.versions import package_version

        registry = self.registry_or_none()
        entry = registry.tools.get(tool_id) if registry is not None else None
        if entry is not None:
            return detect_tool(entry, limit_s=ASKING_S)
        profile = self.profiles.get(tool_id)
        path = find_executable(profile.command, child_environment()) if profile else None
        version = None if path is None else package_version(path)
        return ToolDetection(
            tool_id=tool_id, path=None if path is None else str(path), version=version
        )

    def _look_at_check(self, check: Check) -> Finding:
        """Look at a program that judges the work."""
        from penstock.checks.surroundings import base_environment, locate
        from penstock.registry.versions import package_version

        program = check.argv[0] if check.argv else ""
        path = locate(program, self.root, base_environment(self.root, self.root))
        version = None if path is None else package_version(path)
        details = {"role": "check", "path": path and str(path), "version": version}
        if path is None:
            hint = "install it into .venv, or take it out of config/pipeline.yaml"
            told = f"{program} is not installed"
            return Finding(status=Verdict.FAIL, message=told, details=details, hint=hint)
        return Finding(message=version or "it is there", details=details)

    def _look_at_versions(self) -> Finding:
        """Look whether tools have the versions that aim_config pins. Nobody is asked without pins."""
        from penstock.environment.api import Manager

        managers = [manager for manager in Manager if manager.value in self._pinned()]
        if not managers:
            return Finding(message="no versions are pinned", details={"drift": []})
        report = self.version_report(managers)
        wrong = [
            f"{tool.tool} is {tool.installed or 'missing'}, pinned {tool.pinned}"
            for tool in report.drifted
        ]
        details = {"drift": wrong}
        if not wrong:
            return Finding(message="as pinned", details=details)
        return Finding(
            status=Verdict.WARN,
            message=f"Version drift detected: {len(wrong)} tools: {', '.join(wrong)}",
            details=details,
            hint="aim version sync, or penstock run --auto-sync",
        )

    def _pinned(self) -> frozenset[str]:
        """Return the names of the managers that aim_config wants something of."""
        section = self.aim_or_defaults().environment
        pinned = {name for name, pins in section.version_pins.by_manager().items() if pins}
        pinned |= {"pipx"} if section.pipx_apps else set()
        pinned |= {"npm"} if section.npm_global else set()
        registry = self.registry_or_none()
        tools = registry.tools.values() if registry is not None else ()
        return frozenset(pinned | {"tools" for tool in tools if tool.pinned_version})

    def tools_of(
        self, bundles: Iterable[Bundle], given: str | None = None
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the tools that bundles need, and those for which others may stand in because AIM
        routes the work; `given` serves for all of them instead."""
        routing = self.aim_or_defaults().switches.enable_aim
        held = list(bundles)
        if given is not None:
            return (given,), ()
        routed = {b.tool for b in held if b.capability is not None and routing}
        needed = {b.tool for b in held if b.capability is None or not routing}
        return tuple(sorted(needed)), tuple(sorted(routed - needed))

    def preflight_of(self, run_id: str, ws_id: str | None = None) -> PreflightReport:
        """Look whether a run that is in the journal, or one workstream of it, can go on; keep with the
        run what was found. Raises NotFoundError."""
        from penstock.assembly import event_sink
        from penstock.engine.masked import masked
        from penstock.masking import redactor
        from penstock.model.events import EventType

        given = self.reader.get_run(run_id).metadata.get("tool")
        rows = [r for r in self.reader.list_workstreams(run_id) if ws_id in (None, r.ws_id)]
        needed, optional = self.tools_of(self.bundles_of(rows), given)
        report = self.preflight(needed, optional=optional)
        sink = event_sink(self.need_repository().root, None, self.trail)
        journal = self.open_journal(create=False, on_event=sink)
        told = masked(report.document(), redactor().text)
        journal.record_event(EventType.PREFLIGHT, run_id=run_id, ws_id=ws_id, payload=told)
        return report

    def record_refusal(self, report: PreflightReport) -> None:
        """Record in the audit trail, as far as it can be, that a run was not begun for what a look
        before it found: there is no run that could keep that."""
        if not report.passed and report.health is not None:
            self.record_health(report.health, before="a run that was not begun")

    def bundles_of(self, rows: Iterable[Workstream]) -> list[Bundle]:
        """Return the bundles that workstreams of a run were entered with."""

        from penstock.model.bundle import Bundle

        held = (row.metadata["bundle"] for row in rows if "bundle" in row.metadata)
        return [typed(bundle, Bundle) for bundle in held]


def _judge_scan(verdict: Mapping[str, Any]) -> Finding:
    """Judge a scan: a secret among the files is a warning, as whatever is in a commit stays in it."""
    told = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in verdict.items())
    if not verdict["secrets"]:
        return Finding(message=told, details=verdict)
    hint = "aim scan secrets shows where; take them out and revoke them"
    return Finding(status=Verdict.WARN, message=told, details=verdict, hint=hint)


def drift_in(report: HealthReport) -> tuple[str, ...] | None:
    """Return the tools that have drifted from their pins; None when nobody looked."""
    found = [check.details.get("drift") for check in report.checks if check.name == "versions"]
    return None if not found or found[0] is None else tuple(found[0])


def used_in(report: HealthReport) -> Iterator[UsedTool]:
    """Yield the programs of a run that a report tells of."""
    for check in report.checks:
        if "role" in check.details:
            name = check.name.partition(" ")[2]
            problem = None if check.status is Verdict.PASS else check.message
            yield UsedTool(tool_id=name, problem=problem, **check.details)
