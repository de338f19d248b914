"""A run: entered, driven to its end, resumed, and told from outside what to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec

from penstock.engine.control import (
    ENDINGS,
    Control,
    ends_run,
    require,
    why_not_quarantined,
    why_not_retried,
)
from penstock.engine.desk import Desk
from penstock.engine.loop import Coordinator
from penstock.engine.masked import masked
from penstock.engine.plan import choices_of, jobs_of
from penstock.engine.ports import ResumeOptions, RunRequest
from penstock.engine.queue import Integration
from penstock.engine.recovery import recover
from penstock.engine.report import run_result
from penstock.engine.selection import enter_bundles
from penstock.engine.services import Services
from penstock.engine.signals import Signals
from penstock.engine.single import run_one_step
from penstock.errors import ClaimError, Interrupted, UsageError
from penstock.model.events import EventType
from penstock.model.ids import require_run_id
from penstock.model.records import Request, RequestKind, Run
from penstock.model.results import RunResult
from penstock.model.states import RunState
from penstock.model.times import run_id_at

T = TypeVar("T")
VERSION = 1
"""Version of what a run keeps in its metadata."""
AS_BEGUN = ResumeOptions()
PATIENCE_S = 15.0
"""How long the process that works on a run may take to heed what is asked of it, in seconds."""
POLL_S = 0.1
UNFINISHED = frozenset({RunState.PENDING, RunState.RUNNING})
CAN_END: Mapping[RequestKind, frozenset[RunState]] = {
    RequestKind.PAUSE: UNFINISHED,
    RequestKind.CANCEL: UNFINISHED,
    RequestKind.QUARANTINE: frozenset({RunState.RUNNING, RunState.FAILED}),
}


class Engine:
    """Starts runs, resumes them and ends them. One object per process and repository."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def start(self, request: RunRequest, *, dry_run: bool = False) -> RunResult:
        """Run a set of bundles to its end; `dry_run` marks the result of one.

        Raises Interrupted, EnvironmentProblem and JournalError; the run can then be resumed.
        """
        run_id = self.create(request)
        result = self._drive(run_id, resumed=False, options=AS_BEGUN)
        return msgspec.structs.replace(result, dry_run=dry_run)

    def resume(self, run_id: str, options: ResumeOptions = AS_BEGUN) -> RunResult:
        """Go on with a run after any kind of end that was not its own, or begin a pending one.

        Raises UsageError when the run has ended, ClaimError when another process works on it.
        """
        self._require_state(run_id, UNFINISHED)
        if options.tool is not None:
            self._services.toolbox.get(options.tool)
        return self._drive(run_id, resumed=True, options=options)

    def create(self, request: RunRequest) -> str:
        """Enter a run with its workstreams as pending and return its id."""
        services = self._services
        base = services.repository.head()
        for tool_id in sorted({request.tool or bundle.tool for bundle in request.bundles}):
            services.toolbox.get(tool_id)
        given = None if request.run_id is None else require_run_id(request.run_id)
        # killed in between, it would end without some of them; and nobody else takes the free id
        with services.journal.together():
            run_id = given or self._free_id()
            services.journal.create_run(
                run_id,
                base_commit=base,
                integration_branch=f"integration/{run_id}",
                metadata=_metadata(request),
            )
            enter_bundles(services.journal, run_id, request.bundles, mask=services.masks.prose)
            self._keep(run_id, request.preflight)
        return run_id

    def _keep(self, run_id: str, preflight: Mapping[str, Any] | None) -> None:
        """Keep with a run what was found before it began or went on."""
        if preflight is not None:
            told = masked(dict(preflight), self._services.masks.text)
            self._services.journal.record_event(EventType.PREFLIGHT, run_id=run_id, payload=told)

    def step(self, run_id: str, ws_id: str, step: str, *, fix: bool = True) -> RunResult:
        """Work on one step (edit, static, runtime) of one workstream and on nothing else.

        Raises UsageError when the workstream is not at that step.
        """
        services = self._services
        with self._held(run_id):
            run = self._begin(services.journal.get_run(run_id))
            jobs = jobs_of(services, run, choices_of(services, run, AS_BEGUN))
            run_one_step(jobs, run_id, ws_id, step, fix=fix)
        return run_result(services.journal, run_id)

    # -- told from outside -----------------------------------------------------------------
    def ask(
        self,
        run_id: str,
        kind: RequestKind,
        *,
        ws_id: str | None = None,
        payload: Mapping[str, Any] | None = None,
        by: str | None = None,
    ) -> bool:
        """Ask for a pause, a cancelation or a quarantine; return whether it is done already.

        When another process works on the run, it heeds the wish soon: False. Raises UsageError when
        the run or the workstream is in no state for it.
        """
        journal = self._services.journal
        if ws_id is None:
            self._require_state(run_id, CAN_END[kind])
        else:
            row = journal.get_workstream(run_id, ws_id)
            require(why_not_quarantined(row), f"penstock show {run_id} {ws_id}")
        mask = self._services.masks.text
        told = {k: mask(v) if isinstance(v, str) else v for k, v in (payload or {}).items()}
        request = journal.add_request(run_id, kind, ws_id=ws_id, payload=told, by=by)
        return self._see_to([request], lambda: self._heed_idle(run_id, request)) is not None

    def _see_to(self, asked: Sequence[Request], work: Callable[[], T]) -> T | None:
        """Do the work, once no other process works on the run; None when that one has heeded what
        is asked, or has not for too long."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return work()
            except ClaimError:
                if not self._is_open(asked) or time.monotonic() > deadline:
                    return None
            time.sleep(POLL_S)

    def _is_open(self, asked: Sequence[Request]) -> bool:
        """Tell whether nobody has heeded some of what is asked."""
        waiting = {r.id for r in self._services.journal.open_requests(asked[0].run_id)}
        return any(request.id in waiting for request in asked)

    def _heed_idle(self, run_id: str, request: Request) -> bool:
        """Heed what is asked of a run that nobody works on; True."""
        with self._held(run_id):
            if not self._is_open([request]):
                return True
            status = self._services.journal.get_run(run_id).status
            if ends_run(request) and status is ENDINGS[request.kind]:  # asked for by two
                self._services.journal.heed_request(request.id)
                return True
            if request.ws_id is None:
                self._require_state(run_id, CAN_END[request.kind], drop=request)
            self._heed(run_id)
        return True

    def _heed(self, run_id: str) -> None:
        services = self._services
        run = services.journal.get_run(run_id)
        if run.status is RunState.RUNNING:
            recover(services, run_id)
        signals = Signals()
        jobs = jobs_of(services, run, choices_of(services, run, AS_BEGUN), only_known=True)
        control = Control(services, run_id, jobs, Desk(), signals)
        control.heed()
        if control.ending is not None:
            branch = run.integration_branch or f"integration/{run_id}"
            Integration(services, run_id, branch, jobs).close()
            return control.end()
        if (pause := signals.pause) is not None:
            payload = {"reason": pause}
            services.journal.record_event(EventType.RUN_PAUSED, run_id=run_id, payload=payload)
            services.journal.set_run_reason(run_id, f"paused: {pause}")
        return None

    def retry(
        self, run_id: str, ws_ids: tuple[str, ...], from_step: str, options: ResumeOptions
    ) -> RunResult | None:
        """Try workstreams of a run again and go on with it; None when another process does that.

        Raises UsageError when one of them has not failed, or when the run has ended for good.
        """
        journal = self._services.journal
        if not ws_ids:
            raise UsageError(f"{run_id}: say which workstream", hint=f"penstock status {run_id}")
        for ws_id in ws_ids:
            row = journal.get_workstream(run_id, ws_id)
            require(why_not_retried(row, from_step), f"penstock status {run_id}")
        self._require_state(run_id, UNFINISHED | {RunState.FAILED})
        if options.tool is not None:
            self._services.toolbox.get(options.tool)
        payload = {"from": from_step}
        asked = [
            journal.add_request(run_id, RequestKind.RETRY, ws_id=ws_id, payload=payload)
            for ws_id in ws_ids
        ]
        return self._see_to(asked, lambda: self._drive(run_id, resumed=True, options=options))

    def _require_state(
        self, run_id: str, allowed: frozenset[RunState], *, drop: Request | None = None
    ) -> None:
        """Raise UsageError when a run is in no state for what is asked; the request is then closed."""
        run = self._services.journal.get_run(run_id)
        if run.status in allowed:
            return
        if drop is not None:
            self._services.journal.heed_request(drop.id)
        if run.status is RunState.PENDING:
            raise UsageError(f"run {run_id} has not begun", hint=f"penstock resume {run_id}")
        again = f"penstock retry {run_id} --failed tries what failed again"
        look = f"look at it with penstock show {run_id}"
        raise UsageError(
            f"run {run_id} has ended ({run.status.value})",
            hint=again if run.status is RunState.FAILED else look,
        )

    # -- driving it ------------------------------------------------------------------------
    def _drive(self, run_id: str, *, resumed: bool, options: ResumeOptions) -> RunResult:
        services = self._services
        with self._held(run_id):
            if resumed:
                self._drop_old_wishes(run_id)
                self._keep(run_id, options.preflight)
                recover(services, run_id)
            run = self._begin(services.journal.get_run(run_id))
            choices = choices_of(services, run, options)
            jobs = jobs_of(services, run, choices)
            Coordinator(services, run_id, jobs, choices).run()
        return run_result(services.journal, run_id)

    def _drop_old_wishes(self, run_id: str) -> None:
        """Close what nobody came to heed: going on is the later word than a pause, and trying an
        ended run again is later than any wish for its end."""
        journal = self._services.journal
        ended = journal.get_run(run_id).status is RunState.FAILED
        for request in journal.open_requests(run_id):
            if request.kind is RequestKind.PAUSE or (ended and ends_run(request)):
                journal.heed_request(request.id)

    def _free_id(self) -> str:
        wanted = run_id_at(self._services.clock())
        taken = {run.run_id for run in self._services.journal.list_runs(limit=1000)}
        number, run_id = 1, wanted
        while run_id in taken:
            number += 1
            run_id = f"{wanted}-{number}"
        return run_id

    @contextmanager
    def _held(self, run_id: str) -> Iterator[None]:
        """Hold a run's lock and claim; an interrupt is recorded."""
        services, journal = self._services, self._services.journal
        if services.audit is not None:
            services.audit.require_writable()
        with services.hold(run_id):
            journal.claim_run(run_id, services.owner)
            try:
                yield
                _anchor(services)
            except Interrupted:
                journal.record_event(EventType.RUN_INTERRUPTED, run_id=run_id, payload={})
                _anchor(services)
                raise
            finally:
                journal.release_run(run_id)

    def _begin(self, run: Run) -> Run:
        """Bring a run to work: its base and branch are there, it is running and waits no more."""
        services = self._services
        base = run.base_commit or services.repository.head()
        branch = run.integration_branch or f"integration/{run.run_id}"
        services.journal.set_run_base(run.run_id, base, branch)
        services.repository.ensure_branch(branch, base)
        if run.status is not RunState.RUNNING:
            retry = run.status is RunState.FAILED
            services.journal.move_run(run.run_id, RunState.RUNNING, retry=retry)
        services.journal.set_run_reason(run.run_id, None)
        return services.journal.get_run(run.run_id)


def _metadata(request: RunRequest) -> dict[str, Any]:
    """Return what a run keeps of how it was asked for."""
    kept: dict[str, Any] = {
        **request.metadata,
        "version": VERSION,
        "tool": request.tool,
        "model": request.model,
        "max_parallel": request.max_parallel,
        "fail_fast": request.fail_fast or None,
        "max_cost_usd": request.max_cost_usd,
    }
    return {key: value for key, value in kept.items() if value is not None}


def _anchor(services: Services) -> None:
    """Keep a signed word of how far the audit trail has got, outside of it."""
    if services.audit is not None:
        services.audit.anchor()
