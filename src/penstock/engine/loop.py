"""The loop over the workstreams of a run: what is ready is worked on, what is done is merged.

One workstream at a time. What may start is decided from the journal's rows by a pure function,
so the place to work on several at once is `_next`: it may hand out more than one.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from penstock.engine.desk import Desk
from penstock.engine.integrate import integrate
from penstock.engine.job import Job
from penstock.engine.services import Services
from penstock.engine.step import run_step, run_workstream
from penstock.engine.waiting import Waiting
from penstock.errors import ExitCode, NotFoundError
from penstock.model.bundle import Bundle
from penstock.model.events import EventType
from penstock.model.records import Workstream
from penstock.model.states import IntegrationState, RunState, WorkstreamState
from penstock.schedule.readiness import Readiness, Reason, Verdict


def run_loop(services: Services, run_id: str, *, tool: str | None = None) -> None:
    """Work on a claimed, running run until nothing is ready, and record how it ended."""
    jobs, desk = _jobs(services, run_id, tool), Desk()
    schedule = Readiness([job.bundle for job in jobs.values()], services.settings.approvals)
    waiting: dict[str, str] = {}
    for row in services.journal.list_workstreams(run_id):
        _finish(jobs[row.ws_id], desk)
    while True:
        verdicts = _verdicts(services, run_id, schedule)
        job = _next(jobs, verdicts, waiting)
        if job is None:
            break
        try:
            run_workstream(job, desk)
        except Waiting as reason:
            waiting[job.ws_id] = str(reason)
        else:
            _finish(job, desk)
    _end(services, run_id, jobs, verdicts, waiting)


def run_one_step(services: Services, run_id: str, ws_id: str, step: str, *, fix: bool) -> None:
    """Work on one step of one workstream of a claimed, running run; nothing else starts."""
    jobs, desk = _jobs(services, run_id, None), Desk()
    if ws_id not in jobs:
        raise NotFoundError(f"run {run_id} does not hold {ws_id}")
    run_step(jobs[ws_id], desk, step, fix=fix)
    _finish(jobs[ws_id], desk)


def _jobs(services: Services, run_id: str, tool: str | None) -> dict[str, Job]:
    run = services.journal.get_run(run_id)
    jobs: dict[str, Job] = {}
    for row in services.journal.list_workstreams(run_id):
        bundle = msgspec.convert(row.metadata["bundle"], Bundle)
        jobs[row.ws_id] = Job(
            services=services,
            run_id=run_id,
            integration_branch=run.integration_branch or f"integration/{run_id}",
            bundle=bundle,
            tool_id=tool or run.metadata.get("tool") or bundle.tool,
            model=run.metadata.get("model"),
            forced_tool=bool(tool or run.metadata.get("tool")),
        )
    return jobs


def _verdicts(services: Services, run_id: str, schedule: Readiness) -> dict[str, Verdict]:
    rows = services.journal.list_workstreams(run_id)
    return schedule.verdicts(
        {row.ws_id: row.status for row in rows},
        integration={row.ws_id: row.integration for row in rows},
        approved_gates=services.journal.approved_gates(run_id),
        now=services.clock(),
    )


def _next(
    jobs: Mapping[str, Job], verdicts: Mapping[str, Verdict], waiting: Mapping[str, str]
) -> Job | None:
    """Return the workstream to work on, in the order of the verdicts; None when none is ready."""
    ready = (ws for ws, verdict in verdicts.items() if verdict.ready and ws not in waiting)
    return next((jobs[ws] for ws in ready), None)


def _finish(job: Job, desk: Desk) -> None:
    """Integrate a done workstream and give its worktree back; one that failed keeps it."""
    row = job.row()
    if row.status is not WorkstreamState.DONE:
        return
    if row.integration in (IntegrationState.NONE, IntegrationState.QUEUED):
        integrate(job)
    desk.release(job)


def _end(
    services: Services,
    run_id: str,
    jobs: Mapping[str, Job],
    verdicts: Mapping[str, Verdict],
    waiting: Mapping[str, str],
) -> None:
    journal = services.journal
    rows = journal.list_workstreams(run_id)
    for row in rows:
        verdict = verdicts.get(row.ws_id)
        if row.status is WorkstreamState.PENDING and verdict is not None and verdict.message:
            journal.set_workstream_reason(run_id, row.ws_id, verdict.message)
    held = [v for v in verdicts.values() if v.reason is Reason.APPROVAL]
    if waiting or held:
        first = next(iter(waiting.values()), "") or held[0].message
        if held:
            _gate_waits(services, run_id, jobs, verdicts)
        journal.set_run_reason(run_id, first)
        return
    failed = [row for row in rows if not _well(row)]
    state = RunState.FAILED if failed else RunState.SUCCEEDED
    names = ", ".join(row.ws_id for row in failed[:10])
    journal.move_run(
        run_id,
        state,
        reason=f"not done: {names}" if failed else None,
        exit_code=ExitCode.FAILED if failed else ExitCode.DONE,
    )


def _gate_waits(
    services: Services, run_id: str, jobs: Mapping[str, Job], verdicts: Mapping[str, Verdict]
) -> None:
    held = [ws for ws, verdict in verdicts.items() if verdict.reason is Reason.APPROVAL]
    gate = min(jobs[ws].bundle.gate for ws in held)
    services.journal.record_event(
        EventType.GATE_WAITING, run_id=run_id, payload={"gate": gate, "workstreams": held}
    )


def _well(row: Workstream) -> bool:
    return row.status is WorkstreamState.DONE and row.integration is IntegrationState.MERGED
