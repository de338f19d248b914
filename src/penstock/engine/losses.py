"""An attempt whose outcome is lost while this process lives: its worktree was taken away."""

from __future__ import annotations

from penstock.engine.desk import Desk
from penstock.engine.job import Job
from penstock.engine.quarantine import quarantine_workstream
from penstock.engine.step import run_workstream
from penstock.errors import InvalidTransitionError, RepositoryError
from penstock.model.events import EventType
from penstock.model.records import Attempt
from penstock.model.states import AttemptState, WorkstreamState

WORKTREE = "worktree"
"""The cause of a loss that is counted; the death of an orchestrator never is."""


def drive(job: Job, desk: Desk) -> WorkstreamState:
    """Drive a workstream to its end; an attempt whose worktree vanished is made again.

    After `limits.max_lost_attempts` such losses the workstream fails and is quarantined. Raises
    what `run_workstream` raises.
    """
    while True:
        try:
            return run_workstream(job, desk)
        except (RepositoryError, OSError) as error:
            if not desk.has_vanished(job):
                raise
            _lose(job, desk, error)


def _lose(job: Job, desk: Desk, error: Exception) -> None:
    """Settle what ran in a vanished worktree, and leave it."""
    services = job.services
    desk.forget(job)
    lost = [a for a in job.attempts() if a.status is AttemptState.RUNNING]
    services.sweep([a.marker for a in lost if a.marker], [])
    for attempt in lost:
        settle(job, attempt, cause=WORKTREE, error=f"its worktree vanished: {error}")
    count, most = _count(job), services.settings.limits.max_lost_attempts
    if count < most:
        return
    reason = f"the worktree vanished {count} times during an attempt"
    try:
        services.journal.move_workstream(
            job.run_id, job.ws_id, WorkstreamState.FAILED, reason=reason
        )
    except (
        InvalidTransitionError
    ):  # between two steps there is no attempt that could have been lost
        raise error from None
    quarantine_workstream(job, reason)


def settle(job: Job, attempt: Attempt, *, cause: str, error: str) -> None:
    """Record that the outcome of an attempt is not known; it is not charged to any breaker."""
    result = {**attempt.result, "outcome": "unknown", "error": error, "cause": cause}
    job.services.journal.finish_attempt(
        attempt.id, AttemptState.UNKNOWN, diff_hash=attempt.diff_hash, result=result
    )
    told = {"step_attempt_id": attempt.id, "step": attempt.step_name, "attempt": attempt.attempt}
    job.event(EventType.ATTEMPT_LOST, {**told, "cause": cause})


def _count(job: Job) -> int:
    return sum(
        a.status is AttemptState.UNKNOWN and a.result.get("cause") == WORKTREE
        for a in job.history()
    )
