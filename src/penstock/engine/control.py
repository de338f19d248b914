"""What another process, or the user, asks of a run: pause, cancel, retry, quarantine.

A wish is a row of the journal. Whoever works on the run heeds it; when nobody does, the command that
wrote it takes the run for a moment and heeds it itself, by the same functions.
"""

from __future__ import annotations

from collections.abc import Mapping

from penstock.engine.compensate import compensate
from penstock.engine.desk import Desk
from penstock.engine.job import Job
from penstock.engine.quarantine import quarantine_workstream
from penstock.engine.services import Services
from penstock.engine.signals import Signals
from penstock.engine.step import ENDED
from penstock.errors import ExitCode, UsageError
from penstock.model.events import EventType
from penstock.model.records import Request, RequestKind, Workstream
from penstock.model.states import IntegrationState, RunState, WorkstreamState

ENDINGS: Mapping[RequestKind, RunState] = {
    RequestKind.CANCEL: RunState.CANCELED,
    RequestKind.QUARANTINE: RunState.QUARANTINED,
}


class Control:
    """Heeds what is asked of one run. For the thread that coordinates it."""

    def __init__(
        self,
        services: Services,
        run_id: str,
        jobs: Mapping[str, Job],
        desk: Desk,
        signals: Signals,
    ) -> None:
        self._services = services
        self._run_id = run_id
        self._jobs = jobs
        self._desk = desk
        self._signals = signals
        self.ending: Request | None = None

    def heed(self) -> list[str]:
        """Do what is asked; return the workstreams that changed. A wish for the end of the whole run
        is kept in `ending` until nothing is under way and `end` is called."""
        changed: list[str] = []
        for request in self._services.journal.open_requests(self._run_id):
            changed += self._do(request)
            self._services.journal.heed_request(request.id)
        return changed

    def _do(self, request: Request) -> list[str]:
        if request.ws_id is None and request.kind in ENDINGS:
            self.ending = request
            self._services.stop.ask()
            return []
        if request.kind is RequestKind.PAUSE:
            self._signals.ask_pause(str(request.payload.get("reason") or "the user's wish"))
        job = self._jobs.get(request.ws_id or "")
        if job is None:
            return []
        if request.kind is RequestKind.RETRY:
            return self._retry(job, str(request.payload.get("from") or "edit"))
        if request.kind is RequestKind.QUARANTINE:
            return self._quarantine(job, request)
        return []

    def _retry(self, job: Job, from_step: str) -> list[str]:
        if why_not_retried(job.row()) is not None:
            return []
        retry(job, self._desk, from_step)
        return [job.ws_id]

    def _quarantine(self, job: Job, request: Request) -> list[str]:
        if why_not_quarantined(job.row()) is not None:
            return []
        reason = str(request.payload.get("reason") or "by the user")
        set_apart(job, reason)
        if request.payload.get("compensate"):
            compensate(job, self._desk)
        return [job.ws_id]

    def end(self) -> None:
        """End the whole run as was asked. Nothing of it may be under way."""
        if self.ending is None:
            return
        state = ENDINGS[self.ending.kind]
        reason = str(self.ending.payload.get("reason") or "by the user")
        for row in self._services.journal.list_workstreams(self._run_id):
            self._end_workstream(self._jobs[row.ws_id], row, state, reason)
        if self.ending.payload.get("compensate"):
            for ws_id in sorted(self._jobs, reverse=True):
                compensate(self._jobs[ws_id], self._desk)
        self._services.journal.move_run(
            self._run_id, state, reason=reason, exit_code=ExitCode.FAILED
        )

    def _end_workstream(self, job: Job, row: Workstream, state: RunState, reason: str) -> None:
        move = self._services.journal.move_workstream
        if row.status not in ENDED:
            move(self._run_id, row.ws_id, WorkstreamState.CANCELED, reason=reason)
        elif row.status is WorkstreamState.FAILED and state is RunState.QUARANTINED:
            quarantine_workstream(job, reason)
        self._services.isolation.give_back(self._run_id, row.ws_id)


def retry(job: Job, desk: Desk, from_step: str) -> None:
    """Free a workstream to be tried again. From `edit` its commits are kept as a patch only."""
    row, services = job.row(), job.services
    if from_step == "edit" and row.status is WorkstreamState.FAILED:
        _put_away(job, desk, row)
    desk.forget(job)
    services.journal.retry_workstream(job.run_id, job.ws_id, from_step)


def _put_away(job: Job, desk: Desk, row: Workstream) -> None:
    """Keep what the workstream has committed as a patch, and give its worktree back."""
    place = job.services.root / row.worktree_path if row.worktree_path else None
    if (
        place is None
        or not place.is_dir()
        or job.services.repository.resolve(row.head_commit or row.base_commit or "HEAD") is None
    ):
        return
    tree = desk.worktree(job)
    if tree.head != tree.base:
        number = len(job.attempts())
        kept = job.services.repository.patch_between(tree.base, tree.head)
        patch = job.keep_patch(f"before_retry_{number}", kept)
        job.event(EventType.WORK_SAVED, {"patch": patch})
    desk.release(job)


def set_apart(job: Job, reason: str) -> None:
    """Quarantine a failed workstream, or reject the integration of one that is done."""
    if job.row().status is WorkstreamState.DONE:
        payload = {"branch": job.branch, "into": job.integration_branch, "reason": reason}
        job.services.journal.move_integration(
            job.run_id, job.ws_id, IntegrationState.REJECTED, payload=payload
        )
        job.services.journal.set_workstream_reason(job.run_id, job.ws_id, f"rejected: {reason}")
    else:
        quarantine_workstream(job, reason)


def why_not_retried(row: Workstream) -> str | None:
    """Return why a workstream cannot be retried, None when it can."""
    if row.status is WorkstreamState.FAILED:
        return None
    if row.status is WorkstreamState.DONE and row.integration is IntegrationState.CONFLICT:
        return None
    how = row.status.value
    if row.status is WorkstreamState.DONE:
        how = f"done, its integration {row.integration.value}"
    return f"{row.ws_id} is {how}: what can be retried has failed, or could not be merged"


def why_not_quarantined(row: Workstream) -> str | None:
    """Return why a workstream cannot be quarantined, None when it can."""
    merging = (IntegrationState.QUEUED, IntegrationState.CONFLICT)
    if row.status is WorkstreamState.FAILED:
        return None
    if row.status is WorkstreamState.DONE and row.integration in merging:
        return None
    return (
        f"{row.ws_id} is {row.status.value}: what can be quarantined has failed, or is not merged"
    )


def require(problem: str | None, hint: str) -> None:
    """Raise UsageError when there is a problem."""
    if problem is not None:
        raise UsageError(problem, hint=hint)
