"""Puts the engine together: the real one, and the one of a dry run."""

from __future__ import annotations

import os
import random
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from penstock.checks.api import Checks
from penstock.config.circuit_breakers import BreakerConfig
from penstock.engine.dryrun import (
    DryChecks,
    DryEvidence,
    DryRepository,
    DryToolbox,
    Plan,
)
from penstock.engine.evidence import FileEvidence
from penstock.engine.ports import Observer, PlannedWorkstream, RunRequest
from penstock.engine.run import Engine
from penstock.engine.runlog import RunLog
from penstock.engine.services import Services
from penstock.locks import exclusive
from penstock.model.records import Event
from penstock.model.results import RunResult
from penstock.model.settings import CheckoutPolicy, PipelineSettings
from penstock.process.api import Stop
from penstock.process.identity import this_process
from penstock.process.sweep import sweep_markers
from penstock.redact import Redactor
from penstock.store.api import Journal
from penstock.store.sqlite import open_journal
from penstock.tools.api import Toolbox
from penstock.worktrees.api import Repository

SECRET_NAMES = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL")
"""An environment variable with one of these in its name holds a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The edges of one repository, as the workspace has opened them."""

    root: Path
    state: str
    settings: PipelineSettings
    breakers: BreakerConfig
    repository: Repository
    toolbox: Toolbox
    checks: Checks


def engine(
    parts: Parts, journal: Journal, *, observer: Observer | None = None, stop: Stop | None = None
) -> Engine:
    """Return the engine over real edges."""
    return Engine(_services(parts, journal, observer, stop or Stop()))


def event_sink(root: Path, observer: Observer | None) -> Callable[[Event], None]:
    """Return what hears of every event of a run: the log of the orchestrator, then the observer."""
    log = RunLog(root / "logs" / "orchestrator.log", make_redactor().text)

    def hear(event: Event) -> None:
        log.event(event)
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
    )
    with open_journal(None) as journal:
        services = replace(
            _services(dry, journal, None, Stop()),
            evidence=DryEvidence(parts.root),
            hold=_hold_nothing,
            sweep=_sweep_nothing,
        )
        result = Engine(services).start(request, dry_run=True)
    bundles = {bundle.id: bundle for bundle in request.bundles}
    return plan.workstreams(bundles, result.run_id), result


def _services(parts: Parts, journal: Journal, observer: Observer | None, stop: Stop) -> Services:
    redactor = make_redactor()
    return Services(
        root=parts.root,
        settings=parts.settings,
        checkout_policy=checkout_policy(parts.settings, terminal=sys.stderr.isatty()),
        limits_for=parts.breakers.limits_for,
        journal=journal,
        repository=parts.repository,
        toolbox=parts.toolbox,
        checks=parts.checks,
        evidence=FileEvidence(parts.root, parts.state),
        clock=time.time,
        stop=stop,
        masks=redactor,
        make_filter=redactor.stream,
        watch_output=_watcher(observer),
        hold=_holder(parts.root / parts.state),
        jitter=_jitter,
        new_marker=_marker,
        sweep=sweep_markers,
        owner=this_process().to_dict(),
        free_mb=lambda: shutil.disk_usage(parts.root).free >> 20,
    )


def make_redactor() -> Redactor:
    """Return what takes the secrets of this environment, and what looks like one, out of text."""
    return Redactor(secret_values(os.environ))


def secret_values(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of the variables whose names say that they are secret."""
    return tuple(
        value for name, value in environ.items() if any(s in name.upper() for s in SECRET_NAMES)
    )


def checkout_policy(settings: PipelineSettings, *, terminal: bool) -> CheckoutPolicy:
    """Return what happens when the user's checkout changes during a turn.

    At a terminal the user may be editing, so that only warns; unattended it stops the run.
    """
    default = CheckoutPolicy.WARN if terminal else CheckoutPolicy.STOP
    return settings.checkout_policy or default


def _jitter() -> float:
    return random.uniform(0.5, 1.5)  # noqa: S311 - spreads retries, guards nothing


def _marker(run_id: str, ws_id: str, step: str, attempt: int) -> str:
    return f"{run_id}/{ws_id}/{step}/{attempt}/{secrets.token_hex(6)}"


def _hold_nothing(_run_id: str) -> AbstractContextManager[None]:
    return nullcontext()


def _sweep_nothing(_markers: Iterable[str], _cwds: Iterable[Path]) -> int:
    return 0


def _holder(state: Path) -> Callable[[str], AbstractContextManager[None]]:
    def hold(run_id: str) -> AbstractContextManager[None]:
        return exclusive(
            state / "locks" / f"{run_id}.lock",
            busy=f"another process is working on run {run_id}",
            hint=f"watch it with penstock events {run_id} --follow",
        )

    return hold


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
