"""An attempt whose outcome is lost while this process lives: its worktree was taken away."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from penstock.breakers.decide import Decision, Next
from penstock.engine.desk import Desk, commit_gone
from penstock.engine.job import Job
from penstock.engine.quarantine import quarantine_workstream
from penstock.engine.recovery import settle_lost
from penstock.engine.repair import give_up, repair
from penstock.engine.step import run_workstream
from penstock.errors import RepositoryError
from penstock.model.states import AttemptState, WorkstreamState

WORKTREE = "worktree"
"""The cause of a loss that is counted; the death of an orchestrator never is."""


Act = Callable[[], object]
GiveUp = Callable[[str], None]


def drive(job: Job, desk: Desk) -> None:
    """Drive a workstream to its end; an attempt whose worktree vanished is made again.

    After `limits.max_lost_attempts` such losses the workstream fails and is quarantined. It fails
    as well when a commit of its own is gone. Raises what `run_workstream` raises.
    """

    def quarantine(reason: str) -> None:
        _fail(job, reason)
        quarantine_workstream(job, reason)

    _again(job, desk, partial(run_workstream, job, desk), quarantine, partial(_fail, job))


def mend(job: Job, desk: Desk, decision: Decision) -> None:
    """Take the FIX turn of a merge; what is lost on the way is dealt with as in `drive`, but that
    the workstream stays done and is not merged."""

    def end(reason: str) -> None:
        give_up(job, desk, Decision(next=Next.FAIL, reason=reason))

    _again(job, desk, partial(repair, job, desk, decision), end, end)


def _again(job: Job, desk: Desk, act: Act, too_often: GiveUp, gone: GiveUp) -> None:
    """Act, again after each loss of a worktree, until there were too many or a commit is gone."""
    while True:
        try:
            act()
        except (RepositoryError, OSError) as error:
            lost = commit_gone(job)
            if lost is None and not desk.has_vanished(job):
                raise
            _lose(job, desk, lost or f"its worktree vanished: {error}")
            if lost is not None:
                return gone(f"{lost}: {_way_back(job)}")
            count = _count(job)
            if count >= job.services.settings.limits.max_lost_attempts:
                return too_often(f"the worktree vanished {count} times during an attempt")
        else:
            return None


def _way_back(job: Job) -> str:
    retry = f"penstock retry {job.run_id} {job.ws_id} --from"
    if job.row().status is WorkstreamState.DONE:
        return f"fetch it back, then {retry} integrate"
    return f"fetch it back, then {retry} static; or do the edit anew: {retry} edit"


def _fail(job: Job, reason: str) -> None:
    job.services.journal.move_workstream(
        job.run_id, job.ws_id, WorkstreamState.FAILED, reason=reason
    )


def _lose(job: Job, desk: Desk, error: str) -> None:
    """Settle what ran in a worktree that is no use any more, and leave it."""
    services = job.services
    desk.forget(job)
    lost = [a for a in job.attempts() if a.status is AttemptState.RUNNING]
    services.sweep([a.marker for a in lost if a.marker], [])
    for attempt in lost:
        settle_lost(job, attempt, cause=WORKTREE, error=error)


def _count(job: Job) -> int:
    return sum(
        a.status is AttemptState.UNKNOWN and a.result.get("cause") == WORKTREE
        for a in job.history()
    )
