"""Counts over a run, from the journal."""

from __future__ import annotations

from collections import Counter

from penstock.model.events import EventType
from penstock.model.progress import RunMetrics
from penstock.model.records import Run
from penstock.model.states import AttemptState
from penstock.model.times import seconds
from penstock.store.api import Journal

PAGE = 1000
ERROR_EVENTS = frozenset(
    {
        EventType.FIX_ATTEMPT_ERROR,
        EventType.BREAKER_TRIP,
        EventType.SCOPE_VIOLATION,
        EventType.SECRET_FOUND,
        EventType.MAIN_CHECKOUT_TOUCHED,
        EventType.TEST_GATE_ERROR,
        EventType.MERGE_CONFLICT,
        EventType.MERGE_REJECTED,
        EventType.BUDGET_EXCEEDED,
        EventType.CAPABILITY_REFUSED,
        EventType.ATTEMPT_LOST,
        EventType.DISK_LOW,
    }
)


def run_metrics(journal: Journal, run_id: str, now: float) -> RunMetrics:
    """Return the counts over a run; of one that is not over, its duration until `now`.

    Raises NotFoundError.
    """
    run = journal.get_run(run_id)
    states = Counter(attempt.status for attempt in journal.list_attempts(run_id))
    types = _event_types(journal, run_id)
    return RunMetrics(
        run_id=run.run_id,
        status=run.status.value,
        total_steps=states.total(),
        completed_steps=states[AttemptState.SUCCEEDED],
        failed_steps=states[AttemptState.FAILED],
        total_events=types.total(),
        error_events=sum(types[kind.value] for kind in ERROR_EVENTS),
        created_at=run.created_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
        duration_seconds=None if run.started_at is None else elapsed_s(run, now),
    )


def _event_types(journal: Journal, run_id: str) -> Counter[str]:
    """Count the events of a run by type."""
    found: Counter[str] = Counter()
    last = 0
    while page := journal.list_events(run_id=run_id, after_id=last, limit=PAGE):
        found.update(event.event_type for event in page)
        last = page[-1].id
    return found


def elapsed_s(run: Run, now: float) -> float:
    """Return the seconds from the beginning of a run to its end or to `now`."""
    if run.started_at is None:
        return 0.0
    end = now if run.ended_at is None else seconds(run.ended_at)
    return round(max(0.0, end - seconds(run.started_at)), 3)
