"""What another process, or the user, asks of a run: pause, cancel, retry, quarantine.

A wish is a row of the journal. Whoever works on the run heeds it; when nobody does, the command that
wrote it takes the run for a moment and heeds it itself, by the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from penstock.engine.compensate import compensate
from penstock.engine.desk import Desk
from penstock.engine.job import Job
from penstock.engine.quarantine import gather_evidence, quarantine_workstream
from penstock.engine.services import Services
from penstock.engine.signals import Signals
from penstock.engine.step import ENDED
from penstock.errors import ExitCode, RepositoryError, UsageError
from penstock.model.events import EventType
from penstock.model.ids import INTEGRATION
from penstock.model.records import Request, RequestKind, Workstream
from penstock.model.states import IntegrationState, RunState, WorkstreamState

ENDINGS: Mapping[RequestKind, RunState] = {
    RequestKind.CANCEL: RunState.CANCELED,
    RequestKind.QUARANTINE: RunState.QUARANTINED,
}


def never(_ws_id: str) -> bool:
    """Tell that nothing is under way, where nobody works on the run."""
    return False


class Control:
    """Heeds what is asked of one run. For the thread that coordinates it.

    `busy` tells whether something of a workstream is under way; what is asked of it waits so long.
    """

    def __init__(
        self,
        services: Services,
        run_id: str,
        jobs: Mapping[str, Job],
        desk: Desk,
        signals: Signals,
        busy: Callable[[str], bool] = never,
    ) -> None:
        self._services = services
        self._run_id = run_id
        self._jobs = jobs
        self._desk = desk
        self._signals = signals
        self._busy = busy
        self.ending: Request | None = None

    def heed(self) -> list[str]:
        """Do what is asked; return the workstreams that changed.

        A wish for the end of the whole run is kept in `ending` until nothing is under way and `end`
        is called; it stays open until then, so that a death in between does not lose it.
        """
        changed: list[str] = []
        for request in self._services.journal.open_requests(self._run_id):
            if request.ws_id is not None and self._busy(request.ws_id):
                continue
            changed += self._do(request)
            if not ends_run(request):
                self._services.journal.heed_request(request.id)
        return changed

    def _do(self, request: Request) -> list[str]:
        if ends_run(request):
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
        if why_not_retried(job.row(), from_step) is not None:
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
        """End the whole run as was asked. Nothing of it may be under way; safe to repeat."""
        if self.ending is None:
            return
        journal, state = self._services.journal, ENDINGS[self.ending.kind]
        reason = str(self.ending.payload.get("reason") or "by the user")
        asked = [r for r in journal.open_requests(self._run_id) if ends_run(r)]
        journal.set_run_reason(self._run_id, f"is to be {state.value}: {reason}")
        for row in journal.list_workstreams(self._run_id):
            self._end_workstream(self._jobs.get(row.ws_id), row, state, reason)
        if any(request.payload.get("compensate") for request in (self.ending, *asked)):
            for job in self._last_first():
                compensate(job, self._desk)
        for ws_id in (*self._jobs, INTEGRATION):
            self._services.isolation.give_back(self._run_id, ws_id)
        journal.move_run(self._run_id, state, reason=reason, exit_code=ExitCode.FAILED)
        for request in asked:
            journal.heed_request(request.id)

    def _last_first(self) -> list[Job]:
        """Return the workstreams that have begun, the one that began last first."""
        begun = {
            ws: attempts[0].id for ws, job in self._jobs.items() if (attempts := job.attempts())
        }
        return [self._jobs[ws] for ws in sorted(begun, key=begun.__getitem__, reverse=True)]

    def _end_workstream(
        self, job: Job | None, row: Workstream, state: RunState, reason: str
    ) -> None:
        """End a workstream with its run; of one without a bundle there is no evidence."""
        move = self._services.journal.move_workstream
        aside = state is RunState.QUARANTINED
        if row.status is WorkstreamState.FAILED and aside:
            if job is None:
                move(self._run_id, row.ws_id, WorkstreamState.QUARANTINED, reason=reason)
            else:
                quarantine_workstream(job, reason)
        if row.status in ENDED:
            return
        if aside and job is not None and job.attempts():
            gather_evidence(job, reason, WorkstreamState.CANCELED)
        move(self._run_id, row.ws_id, WorkstreamState.CANCELED, reason=reason)


def ends_run(request: Request) -> bool:
    """Tell whether a request is for the end of the whole run."""
    return request.ws_id is None and request.kind in ENDINGS


def retry(job: Job, desk: Desk, from_step: str) -> None:
    """Free a workstream to be tried again. From `edit` its commits are kept as a patch only."""
    row, services = job.row(), job.services
    if from_step == "edit" and row.status is WorkstreamState.FAILED:
        _put_away(job, desk, row)
    desk.forget(job)
    services.journal.retry_workstream(job.run_id, job.ws_id, from_step)


def _put_away(job: Job, desk: Desk, row: Workstream) -> None:
    """Keep what the workstream has committed as a patch, and give its worktree back, if it is there
    and its commit still is."""
    kept = job.services.repository.patch_between(row.base_commit or "", row.head_commit or "")
    if kept:
        patch = job.keep_patch(f"before_retry_{len(job.attempts())}", kept)
        job.event(EventType.WORK_SAVED, {"patch": patch, "bytes": len(kept)})
    if desk.has_vanished(job):
        desk.forget(job)
    try:
        if job.services.repository.resolve(row.head_commit or row.base_commit or "") is not None:
            desk.worktree(job)  # what was left uncommitted is kept, too
            desk.release(job)
    except RepositoryError:  # it is laid anew in any case, and says what is wrong if it still is
        desk.forget(job)


def set_apart(job: Job, reason: str) -> None:
    """Quarantine a failed workstream, or reject the integration of one that is done."""
    if job.row().status is WorkstreamState.DONE:
        payload = {"branch": job.branch, "into": job.integration_branch, "reason": reason}
        journal, rejected = job.services.journal, IntegrationState.REJECTED
        with journal.together():
            journal.move_integration(job.run_id, job.ws_id, rejected, payload=payload)
            journal.set_workstream_reason(job.run_id, job.ws_id, f"rejected: {reason}")
    else:
        quarantine_workstream(job, reason)


def why_not_retried(row: Workstream, from_step: str = "edit") -> str | None:
    """Return why a workstream cannot be retried from a step, None when it can."""
    if row.status is WorkstreamState.FAILED and from_step == "integrate":
        return f"{row.ws_id} failed before it could be merged: take --from edit, static or runtime"
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
