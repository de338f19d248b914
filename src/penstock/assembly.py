"""Puts the engine together: the real one, and the one of a dry run."""

from __future__ import annotations

import random
import re
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from penstock.audit.api import AuditTrail
from penstock.checks.api import Checks
from penstock.config.circuit_breakers import BreakerConfig
from penstock.config.fingerprints import key_for, load_baseline
from penstock.engine.auditing import audit_event
from penstock.engine.calls import Caller, CallResult, refused
from penstock.engine.calls import call_capability as run_capability
from penstock.engine.diskguard import Room, worktree_room
from penstock.engine.dryrun import (
    DryChecks,
    DryEvidence,
    DryIsolation,
    DryRepository,
    DryToolbox,
    Plan,
)
from penstock.engine.evidence import FileEvidence
from penstock.engine.ports import Observer, PlannedWorkstream, RunRequest
from penstock.engine.run import Engine
from penstock.engine.runlog import RunLog
from penstock.engine.services import LeakGate, Services
from penstock.environment.isolation import Isolation
from penstock.environment.scan.gate import SecretGate
from penstock.errors import AIMRegistryNotFoundError
from penstock.leaks.baseline import Baseline
from penstock.leaks.match import LeakFinder
from penstock.locks import GRACE_S, exclusive
from penstock.masking import redactor
from penstock.model.agents import AgentProfiles
from penstock.model.bundle import Bundle
from penstock.model.records import Attempt, Event
from penstock.model.results import RunResult
from penstock.model.settings import (
    BreakerLimits,
    BudgetMode,
    CheckoutPolicy,
    PipelineSettings,
    SecretsPolicy,
)
from penstock.process import proc
from penstock.process.api import MARKER_VARIABLE, Stop
from penstock.process.descriptors import ensure_descriptors
from penstock.process.identity import is_alive, this_process
from penstock.process.sweep import sweep_markers
from penstock.registry.api import AimSettings, Registry
from penstock.router import AimRouter, PayloadCheck
from penstock.routing.api import Try
from penstock.store.api import Journal
from penstock.store.sqlite import open_journal
from penstock.tools.api import Toolbox
from penstock.toolside import ToolSide
from penstock.worktrees.api import Repository
from penstock.worktrees.git import find_git


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """The tool side of a repository: registry, settings, and the check of payloads."""

    registry: Registry
    settings: AimSettings
    check_payload: PayloadCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The edges of one repository, as the workspace has opened them.

    `aim` is None where AIM is off or its registry is not to be reached, `trail` where auditing
    is off, `agents` where the repository describes none.
    """

    root: Path
    state: str
    settings: PipelineSettings
    breakers: BreakerConfig
    repository: Repository
    toolbox: Toolbox
    checks: Checks
    aim: Aim | None = None
    trail: AuditTrail | None = None
    agents: AgentProfiles | None = None


def engine(
    parts: Parts, journal: Journal, *, observer: Observer | None = None, stop: Stop | None = None
) -> Engine:
    """Return the engine over real edges."""
    return Engine(_services(parts, journal, observer, stop or Stop()))


def event_sink(
    root: Path, observer: Observer | None, trail: AuditTrail | None = None
) -> Callable[[Event], None]:
    """Return what hears of every event of a run: the log of the orchestrator, the audit trail, the
    observer."""
    log = RunLog(root / "logs" / "orchestrator.log", redactor().text)

    def hear(event: Event) -> None:
        log.event(event)
        if trail is not None:
            audit_event(trail, event)
        if observer is not None:
            observer.event(event)

    return hear


def dry_run(parts: Parts, request: RunRequest) -> tuple[tuple[PlannedWorkstream, ...], RunResult]:
    """Run the whole flow on a journal in memory with edges that write and start nothing.

    Returns the plan in the order in which the workstreams would run, and the documented result.
    """
    plan = Plan()
    dry = replace(
        parts,
        repository=DryRepository(parts.repository),
        toolbox=DryToolbox(parts.toolbox, plan),
        checks=DryChecks(parts.checks, plan),
        trail=None,
    )
    with open_journal(None) as journal:
        services = replace(
            _services(dry, journal, None, Stop()),
            evidence=DryEvidence(parts.root),
            leaks=None,
            hold=_hold_nothing,
            sweep=_sweep_nothing,
            isolation=DryIsolation(),
            room=lambda *_: Room(ok=True, worktrees=0, idle=0),
        )
        alone = msgspec.structs.replace(request, max_parallel=1)  # so that the plan has an order
        result = Engine(services).start(alone, dry_run=True)
    bundles = {bundle.id: bundle for bundle in request.bundles}
    return plan.workstreams(bundles, result.run_id), result


def _services(parts: Parts, journal: Journal, observer: Observer | None, stop: Stop) -> Services:
    masks = redactor()
    return Services(
        root=parts.root,
        settings=parts.settings,
        checkout_policy=checkout_policy(parts.settings, terminal=sys.stderr.isatty()),
        limits_for=_limits(parts),
        journal=journal,
        repository=parts.repository,
        toolbox=parts.toolbox,
        checks=parts.checks,
        evidence=FileEvidence(parts.root, parts.state),
        clock=time.time,
        stop=stop,
        masks=masks,
        make_filter=masks.stream,
        watch_output=_watcher(observer),
        hold=run_holder(parts.root / parts.state),
        jitter=jitter,
        new_marker=new_marker,
        sweep=sweep_markers,
        owner=this_process().to_dict(),
        free_mb=lambda: shutil.disk_usage(parts.root).free >> 20,
        room=partial(_room, parts),
        is_alive=_attempt_lives,
        isolation=Isolation(parts.root, parts.root / parts.state),
        slot_lock=_slot_lock(parts.root / parts.state),
        ensure_descriptors=ensure_descriptors,
        router=_router(parts, journal),
        audit=parts.trail,
        leaks=_leak_gate(parts),
        ladder=parts.agents.ladder() if parts.agents is not None else (),
    )


def _limits(parts: Parts) -> Callable[[str, Bundle], BreakerLimits]:
    """Return the budgets of a step; those of money stop nothing unless limits.budget_mode says so."""
    if parts.settings.limits.budget_mode is BudgetMode.HALT:
        return parts.breakers.limits_for

    def limits_for(step: str, bundle: Bundle) -> BreakerLimits:
        return msgspec.structs.replace(parts.breakers.limits_for(step, bundle), max_cost_usd=None)

    return limits_for


def _leak_gate(parts: Parts) -> LeakGate | None:
    """Return what looks for secrets in the commits of a branch; the baseline is that of the user's own
    checkout."""
    wanted = parts.settings.secrets
    if wanted.policy is SecretsPolicy.OFF:
        return None

    def known() -> tuple[Baseline | None, bytes]:
        baseline = load_baseline(parts.root / wanted.baseline)
        # without a baseline nothing is held against what was kept, and any key will do
        return baseline, secrets.token_bytes(32) if baseline is None else key_for(baseline)

    return SecretGate(
        partial(find_git, parts.root),
        parts.repository.objects,
        partial(LeakFinder, level=wanted.level),
        known,
    )


def _router(parts: Parts, journal: Journal) -> AimRouter | None:
    if parts.aim is None:
        return None
    aim = parts.aim
    return AimRouter(
        lambda: ToolSide(aim.registry, parts.toolbox, journal),
        aim.settings,
        journal,
        check_payload=aim.check_payload,
        jitter=jitter,
    )


def make_caller(toolbox: Toolbox, root: Path, state: str) -> Caller:
    """Return what calls tools in a repository as it is."""
    scratch = root / state / "calls" / secrets.token_hex(6)
    masks = redactor()
    return Caller(
        toolbox,
        root,
        scratch,
        make_filter=masks.stream,
        mask=masks.prose,
        new_marker=new_marker,
    )


def call_by_capability(
    parts: Parts,
    journal: Journal,
    capability: str,
    payload: Mapping[str, Any],
    timeout_s: float | None,
) -> CallResult:
    """Call the tools of a capability until one succeeds. Raises AIMCapabilityNotFoundError."""
    aim = parts.aim
    if aim is None:
        raise AIMRegistryNotFoundError
    rule = aim.registry.rule(capability)
    refusal = aim.check_payload(parts.root, payload)
    if refusal is not None:
        return refused(refusal)
    given = payload.get("timeout_ms") or rule.timeout_ms or aim.settings.switches.default_timeout_ms
    return run_capability(
        make_caller(parts.toolbox, parts.root, parts.state),
        capability,
        payload,
        lambda tries: ToolSide(aim.registry, parts.toolbox, journal).decide(
            capability, payload, tries, jitter=jitter()
        ),
        timeout_s=timeout_s or float(given) / 1000,
        settle=lambda tool, attempt: _settle(journal, tool, attempt),
    )


def _settle(journal: Journal, tool_id: str, attempt: Try) -> None:
    journal.record_tool_result(tool_id, attempt.kind, attempt.reset_at)


def checkout_policy(settings: PipelineSettings, *, terminal: bool) -> CheckoutPolicy:
    """Return what happens when the user's checkout changes during a turn.

    At a terminal the user may be editing, so that only warns; unattended it stops the run.
    """
    default = CheckoutPolicy.WARN if terminal else CheckoutPolicy.STOP
    return settings.checkout_policy or default


def jitter() -> float:
    """Draw from 0.5..1.5."""
    return random.uniform(0.5, 1.5)  # noqa: S311 - spreads retries, guards nothing


def new_marker(run_id: str, ws_id: str, step: str, attempt: int) -> str:
    """Make the value that every process of an attempt carries."""
    return f"{run_id}/{ws_id}/{step}/{attempt}/{secrets.token_hex(6)}"


def _hold_nothing(_run_id: str) -> AbstractContextManager[None]:
    return nullcontext()


def _sweep_nothing(_markers: Iterable[str], _cwds: Iterable[Path]) -> int:
    return 0


def run_holder(state: Path) -> Callable[[str], AbstractContextManager[None]]:
    """Return what keeps other processes off a run while its block runs. Raises ClaimError."""

    def hold(run_id: str) -> AbstractContextManager[None]:
        return exclusive(
            state / "locks" / f"{run_id}.lock",
            busy=f"another process is working on run {run_id}",
            hint=f"watch it with penstock events {run_id} --follow",
            patience_s=GRACE_S,
        )

    return hold


def _slot_lock(state: Path) -> Callable[[str, int], AbstractContextManager[None]]:
    def lock(tool_id: str, number: int) -> AbstractContextManager[None]:
        name = re.sub(r"[^A-Za-z0-9._-]", "_", tool_id)
        place = state / "locks" / f"tool-{name}-{number}.lock"
        return exclusive(place, busy=f"all slots of {tool_id} are taken")

    return lock


def _room(parts: Parts, run_id: str, ws_id: str, busy: Collection[str]) -> Room:
    limits = parts.settings.limits
    # counting them reads a few files for each
    trees = parts.repository.worktrees() if limits.max_worktrees else ()
    places = (parts.root, parts.root / parts.state, Path(tempfile.gettempdir()))
    return worktree_room(places, trees, limits, run_id=run_id, ws_id=ws_id, busy=busy)


def _attempt_lives(attempt: Attempt) -> bool:
    """Tell whether the process of an attempt is there: same number, start time and marker."""
    if attempt.pid is None or attempt.marker is None or not proc.available():
        return False
    here = this_process()
    process = msgspec.structs.replace(here, pid=attempt.pid, start=attempt.pid_start or 0)
    if not is_alive(process):
        return False
    return attempt.marker.encode() in proc.environ_values(attempt.pid, MARKER_VARIABLE.encode())


def _watcher(
    observer: Observer | None,
) -> Callable[[str, str], Callable[[bytes], None] | None]:
    """Cut redacted output into lines for whoever watches."""

    def watch(ws_id: str, step: str) -> Callable[[bytes], None] | None:
        if observer is None:
            return None
        lines = _Lines(lambda line: observer.output(ws_id, step, line))
        return lines.feed

    return watch


class _Lines:
    """Gathers pieces of a stream into lines; an endless line is cut."""

    LIMIT = 4096

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take the next piece."""
        *whole, rest = (self._rest + data).split(b"\n")
        for line in whole:
            self._tell(line[: self.LIMIT].decode("utf-8", "replace").rstrip("\r"))
        self._rest = rest[: self.LIMIT]
