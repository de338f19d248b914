"""The figures of a run, put together from the journal and, for the diffs, from git."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from penstock.engine.facts import FINISHED, TURNS
from penstock.engine.history import (
    INTEGRATE,
    by_workstream,
    duration_of,
    step_of,
    times_by_step,
)
from penstock.engine.report_events import (
    conflicts_of,
    flaky_of,
    offences_of,
    quarantines_of,
    trips_of,
    waits_of,
)
from penstock.engine.rows import bundle_of
from penstock.engine.usage import spent_today, usage_of
from penstock.model.figures import (
    Again,
    DiffStat,
    Integration,
    NotChecked,
    RunFigures,
    StepFigures,
    ToolFigures,
    WorkstreamFigures,
)
from penstock.model.records import Attempt, Cost, Event, Workstream
from penstock.model.settings import PipelineSettings
from penstock.model.states import AttemptState, IntegrationState, WorkstreamState
from penstock.store.api import Journal

PAGE = 1000
CHECKED = ("static", "runtime")
NOT_RUN = "not run"
"""How the notes begin that the checks leave on what they did not run."""
ORDER = ("edit", "static", "runtime", "fix", INTEGRATE)

MeasureDiff = Callable[[str | None, str | None], DiffStat | None]
"""Measures the diff between two commits; None when one of them is missing or gone."""


def run_figures(
    journal: Journal,
    run_id: str,
    now: float,
    settings: PipelineSettings,
    measure: MeasureDiff,
    *,
    integrated: str | None = None,
) -> RunFigures:
    """Return the figures of a run at `now`. `integrated` is the head of its integration branch.

    Raises NotFoundError.
    """
    run = journal.get_run(run_id)
    rows = journal.list_workstreams(run_id)
    attempts = journal.list_attempts(run_id)
    costs = journal.list_costs(run_id)
    events = all_events(journal, run_id)
    return RunFigures(
        usage=usage_of(costs),
        max_cost_usd=settings.limits.max_cost_usd,
        max_tokens=settings.limits.max_tokens,
        today=spent_today(journal, settings.limits.per_day, now),
        workstreams=_workstreams(rows, attempts, costs, measure),
        tools=_tools(attempts, costs),
        steps=_steps(attempts),
        breaker_trips=trips_of(events),
        flaky=flaky_of(events),
        scope_violations=offences_of(events),
        attempts_again=_again(attempts),
        integration=_integration(rows, attempts, events),
        waits=waits_of(events, run, now),
        quarantines=quarantines_of(run, rows),
        not_checked=_not_checked(rows, attempts),
        diff=measure(run.base_commit, integrated),
    )


def all_events(journal: Journal, run_id: str) -> list[Event]:
    """Return the events of a run, oldest first."""
    found: list[Event] = []
    while page := journal.list_events(
        run_id=run_id, after_id=found[-1].id if found else 0, limit=PAGE
    ):
        found += page
    return found


def _time(attempts: Iterable[Attempt]) -> float:
    return round(sum(duration_of(attempt) or 0.0 for attempt in attempts), 3)


def _count(attempts: Iterable[Attempt], status: AttemptState) -> int:
    return sum(attempt.status is status for attempt in attempts)


# -- workstreams, tools, steps ---------------------------------------------------------------
def _workstreams(
    rows: Sequence[Workstream],
    attempts: Sequence[Attempt],
    costs: Sequence[Cost],
    measure: MeasureDiff,
) -> tuple[WorkstreamFigures, ...]:
    mine = by_workstream(attempts)
    return tuple(
        WorkstreamFigures(
            ws_id=row.ws_id,
            usage=usage_of(cost for cost in costs if cost.ws_id == row.ws_id),
            max_cost_usd=_cap(row),
            duration_sec=_time(mine.get(row.ws_id, ())),
            steps={k: round(v, 3) for k, v in times_by_step(mine.get(row.ws_id, ())).items()},
            diff=measure(row.base_commit, row.head_commit),
        )
        for row in rows
    )


def _cap(row: Workstream) -> float | None:
    """Return the money cap of a workstream's own bundle; a row of a script's own has none."""
    bundle = bundle_of(row)
    return None if bundle is None else bundle.max_cost_usd


def _tools(attempts: Sequence[Attempt], costs: Sequence[Cost]) -> tuple[ToolFigures, ...]:
    turns: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        if attempt.step_name in TURNS and attempt.tool_id is not None:
            turns.setdefault(attempt.tool_id, []).append(attempt)
    by_attempt: dict[int | None, list[Cost]] = {}
    for cost in costs:
        by_attempt.setdefault(cost.step_attempt_id, []).append(cost)
    return tuple(_tool(name, turns[name], by_attempt) for name in sorted(turns))


def _tool(
    name: str, turns: Sequence[Attempt], costs: Mapping[int | None, Sequence[Cost]]
) -> ToolFigures:
    succeeded, failed = _count(turns, AttemptState.SUCCEEDED), _count(turns, AttemptState.FAILED)
    ended = succeeded + failed
    return ToolFigures(
        tool_id=name,
        turns=len(turns),
        succeeded=succeeded,
        failed=failed,
        success_rate=round(succeeded / ended, 4) if ended else None,
        duration_sec=_time(turns),
        usage=usage_of(cost for turn in turns for cost in costs.get(turn.id, ())),
    )


def _steps(attempts: Sequence[Attempt]) -> tuple[StepFigures, ...]:
    found: dict[str, list[Attempt]] = {name: [] for name in ORDER}
    for attempt in attempts:
        found.setdefault(attempt.step_name, []).append(attempt)
    return tuple(
        StepFigures(
            step_name=name,
            attempts=len(mine),
            succeeded=_count(mine, AttemptState.SUCCEEDED),
            failed=_count(mine, AttemptState.FAILED),
            duration_sec=_time(mine),
        )
        for name, mine in found.items()
        if mine
    )


# -- what went otherwise ---------------------------------------------------------------------
def _again(attempts: Sequence[Attempt]) -> tuple[Again, ...]:
    """Return the attempts that the same was tried again after, and those that were lost."""
    found: list[Again] = []
    for mine in by_workstream(attempts).values():
        following = [*mine[1:], None]
        for attempt, after in zip(mine, following, strict=True):
            lost = attempt.status is AttemptState.UNKNOWN
            if lost or (after is not None and _same(attempt, after)):
                found.append(_tried(attempt, lost=lost))
    return tuple(found)


def _same(attempt: Attempt, after: Attempt) -> bool:
    return (attempt.step_name, attempt.for_step) == (after.step_name, after.for_step)


def _tried(attempt: Attempt, *, lost: bool) -> Again:
    outcome = attempt.result.get("outcome") or attempt.status.value
    return Again(
        ws_id=attempt.ws_id,
        step=attempt.step_name,
        attempt=attempt.attempt,
        tool_id=attempt.tool_id if attempt.step_name in TURNS else None,
        why="lost" if lost else str(outcome),
    )


def _integration(
    rows: Sequence[Workstream], attempts: Sequence[Attempt], events: Sequence[Event]
) -> Integration:
    checks = [a for a in attempts if a.step_name == INTEGRATE and a.status in FINISHED]
    states = [row.integration for row in rows]
    return Integration(
        merged=states.count(IntegrationState.MERGED),
        open=sum(states.count(s) for s in (IntegrationState.QUEUED, IntegrationState.CONFLICT)),
        checks=len(checks),
        red=_count(checks, AttemptState.FAILED),
        fixes=sum(a.step_name in TURNS and step_of(a) == INTEGRATE for a in attempts),
        conflicts=conflicts_of(events),
        rejected=tuple(r.ws_id for r in rows if r.integration is IntegrationState.REJECTED),
    )


def _not_checked(rows: Sequence[Workstream], attempts: Sequence[Attempt]) -> tuple[NotChecked, ...]:
    """Return which steps had nothing to run or were never come to, and the acceptance in prose."""
    mine = by_workstream(attempts)
    return tuple(
        NotChecked(ws_id=row.ws_id, step=step, why=why)
        for row in rows
        for step in CHECKED
        for why in _why_not_checked(row, mine.get(row.ws_id, ()), step)
    )


def _why_not_checked(row: Workstream, attempts: Sequence[Attempt], step: str) -> list[str]:
    last = next((a for a in reversed(attempts) if a.step_name == step), None)
    if last is None:
        done = row.status is WorkstreamState.DONE
        return [] if done else [f"not come to ({row.status.value})"]
    notes = [str(note) for note in last.result.get("notes") or ()]
    if last.result.get("skipped"):
        return [": ".join(["nothing to run", *notes])]
    return [note for note in notes if note.startswith(NOT_RUN)]
