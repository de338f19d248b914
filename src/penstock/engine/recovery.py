"""After a death of any kind: end what still runs, settle what was lost, mend what was left."""

from __future__ import annotations

from pathlib import Path

from penstock.engine.job import Job
from penstock.engine.services import Services
from penstock.model.events import EventType
from penstock.model.records import Attempt
from penstock.model.states import AttemptState, RunState, WorkstreamState

ENDED = frozenset(
    {
        WorkstreamState.DONE,
        WorkstreamState.FAILED,
        WorkstreamState.QUARANTINED,
        WorkstreamState.CANCELED,
    }
)


ORCHESTRATOR = "orchestrator"
"""The cause of a loss that nobody is charged for."""


def recover(services: Services, run_id: str) -> None:
    """Bring a run whose orchestrator died back to what its journal says.

    To be called with the run's lock held. Attempts that were running become `unknown`: their
    turn is taken again and no breaker is charged. Worktrees are mended when they are opened next.
    """
    journal = services.journal
    lost = [a for a in journal.list_attempts(run_id) if a.status is AttemptState.RUNNING]
    alive = {a.id for a in lost if services.is_alive(a)}
    swept = services.sweep(_markers(lost), _worktrees(services, run_id))
    if swept:
        payload = {"count": swept, "attempts": [a.id for a in lost]}
        journal.record_event(EventType.PROCESSES_SWEPT, run_id=run_id, payload=payload)
    running = journal.list_runs(status=RunState.RUNNING, limit=1000)
    done = services.repository.recover(live_runs=[r.run_id for r in running])
    done += services.isolation.recover()
    for attempt in lost:
        result = {
            **attempt.result,
            "outcome": "unknown",
            "error": "its orchestrator died",
            "cause": ORCHESTRATOR,
            "process": "alive" if attempt.id in alive else "gone",
        }
        journal.finish_attempt(
            attempt.id, AttemptState.UNKNOWN, diff_hash=attempt.diff_hash, result=result
        )
    journal.record_event(
        EventType.RUN_RESUMED,
        run_id=run_id,
        payload={"lost_attempts": [a.id for a in lost], "mended": list(done)},
    )


def settle_lost(job: Job, attempt: Attempt, *, cause: str, error: str) -> None:
    """Record that the outcome of an attempt is not known; it is not charged to any breaker."""
    result = {**attempt.result, "outcome": "unknown", "error": error, "cause": cause}
    job.services.journal.finish_attempt(
        attempt.id, AttemptState.UNKNOWN, diff_hash=attempt.diff_hash, result=result
    )
    told = {"step_attempt_id": attempt.id, "step": attempt.step_name, "attempt": attempt.attempt}
    job.event(EventType.ATTEMPT_LOST, {**told, "cause": cause})


def _markers(attempts: list[Attempt]) -> list[str]:
    return [a.marker for a in attempts if a.marker]


def _worktrees(services: Services, run_id: str) -> list[Path]:
    return [
        services.root / row.worktree_path
        for row in services.journal.list_workstreams(run_id)
        if row.worktree_path and row.status not in ENDED
    ]
