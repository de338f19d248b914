"""How long things took, out of the journal: what estimates are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from penstock.engine.facts import FINISHED
from penstock.model.records import Attempt, Run, Workstream
from penstock.model.states import IntegrationState, WorkstreamState
from penstock.model.times import seconds
from penstock.store.api import Journal

STEPS = ("edit", "static", "runtime")
INTEGRATE = "integrate"
EARLIER_RUNS = 20
"""How many earlier runs are looked at: older ones say little about today's code."""

_PASSED: Mapping[WorkstreamState, int] = {
    WorkstreamState.READY_FOR_STATIC: 1,
    WorkstreamState.STATIC_CHECK: 1,
    WorkstreamState.RUNTIME_TESTS: 2,
    WorkstreamState.DONE: 3,
}


def step_of(attempt: Attempt) -> str:
    """Return the step that an attempt belongs to: a FIX turn to the step that it serves."""
    return attempt.for_step or attempt.step_name


def duration_of(attempt: Attempt) -> float | None:
    """Return the seconds that an attempt took, None while it is not over."""
    if attempt.started_at is None or attempt.completed_at is None:
        return None
    return max(0.0, seconds(attempt.completed_at) - seconds(attempt.started_at))


def times_by_step(attempts: Iterable[Attempt]) -> dict[str, float]:
    """Return the seconds that finished attempts took, by step, FIX turns included."""
    times: dict[str, float] = {}
    for attempt in attempts:
        took = duration_of(attempt)
        if took is not None and attempt.status in FINISHED:
            step = step_of(attempt)
            times[step] = times.get(step, 0.0) + took
    return times


def passed_steps(row: Workstream) -> tuple[str, ...]:
    """Return the steps that a workstream has come through."""
    passed = STEPS[: _PASSED.get(row.status, 0)]
    return (*passed, INTEGRATE) if row.integration is IntegrationState.MERGED else passed


def steps_to_come(row: Workstream) -> tuple[str, ...]:
    """Return the steps that a workstream has not come through yet, the present one first."""
    passed = passed_steps(row)
    return tuple(step for step in (*STEPS, INTEGRATE) if step not in passed)


def by_workstream(attempts: Iterable[Attempt]) -> dict[str, list[Attempt]]:
    """Sort attempts by workstream, oldest first in each."""
    found: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        found.setdefault(attempt.ws_id, []).append(attempt)
    return found


def editor_of(attempts: Sequence[Attempt]) -> str | None:
    """Return the tool of the last EDIT turn, None before the first one."""
    return next((a.tool_id for a in reversed(attempts) if a.step_name == "edit"), None)


class History:
    """How long the steps of workstreams took, by the tool that did the work.

    A sample is the time of one step of one workstream that came through it, its checks and FIX
    turns together.
    """

    def __init__(self) -> None:
        self._samples: dict[tuple[str | None, str], list[float]] = {}

    def add(self, rows: Iterable[Workstream], attempts: Mapping[str, Sequence[Attempt]]) -> None:
        """Take in the workstreams of one run."""
        for row in rows:
            mine = attempts.get(row.ws_id, ())
            times = times_by_step(mine)
            tool = editor_of(mine)
            if row.integration is IntegrationState.MERGED:
                times.setdefault(INTEGRATE, 0.0)  # merged together with others, at their cost
            for step in passed_steps(row):
                if step in times:
                    for key in {(tool, step), (None, step)}:
                        self._samples.setdefault(key, []).append(times[step])

    def typical(self, tool: str | None, step: str) -> float | None:
        """Return the mean seconds of a step with a tool (None: with any), None when unknown."""
        found = self._samples.get((tool, step))
        return fmean(found) if found else None


def expected(tool: str | None, step: str, *histories: History) -> float | None:
    """Return how long a step is going to take: by the same tool in the first history that knows,
    else by any tool; None when none knows."""
    for wanted in (tool, None):
        for history in histories:
            found = history.typical(wanted, step)
            if found is not None:
                return found
    return None


def earlier_history(journal: Journal, run: Run) -> History:
    """Return what the newest runs other than this one took."""
    history = History()
    for other in journal.list_runs(limit=EARLIER_RUNS + 1):
        if other.run_id != run.run_id:
            attempts = by_workstream(journal.list_attempts(other.run_id))
            history.add(journal.list_workstreams(other.run_id), attempts)
    return history
