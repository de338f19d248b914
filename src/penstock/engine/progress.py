"""How far a run has come, from the journal alone: the snapshot and the view of a watcher."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from penstock.engine.graph import capacity_of, resource_keys
from penstock.engine.history import (
    INTEGRATE,
    History,
    by_workstream,
    earlier_history,
    editor_of,
    expected,
    step_of,
    steps_to_come,
    times_by_step,
)
from penstock.engine.metrics import elapsed_s
from penstock.engine.rows import bundle_of
from penstock.engine.usage import spent_today, usage_of
from penstock.errors import BundleCycleError
from penstock.model.bundle import Bundle
from penstock.model.progress import ProgressSnapshot, RunNow, WorkstreamNow
from penstock.model.records import Attempt, Cost, Run, Workstream
from penstock.model.settings import OverlapPolicy, PipelineSettings
from penstock.model.states import AttemptState, IntegrationState, RunState, WorkstreamState
from penstock.model.times import iso, seconds
from penstock.schedule.estimate import critical_path, timeline
from penstock.schedule.frontier import Frontier
from penstock.schedule.picture import Rules
from penstock.schedule.readiness import Reason, Verdict
from penstock.store.api import Journal

_LOST = frozenset({WorkstreamState.FAILED, WorkstreamState.QUARANTINED, WorkstreamState.CANCELED})
ENDED = _LOST | {WorkstreamState.DONE}
_UNDER_WAY = frozenset({RunState.PENDING, RunState.RUNNING})


def snapshot(
    journal: Journal, run_id: str, now: float, settings: PipelineSettings
) -> ProgressSnapshot:
    """Return how far a run has come at `now`. Raises NotFoundError."""
    return ProgressReader(journal, run_id, settings).look(now).snapshot


class ProgressReader:
    """Looks at one run again and again. What cannot change is read once: the bundles, and how long
    the steps of earlier runs took.

    Raises NotFoundError when there is no such run.
    """

    def __init__(self, journal: Journal, run_id: str, settings: PipelineSettings) -> None:
        self._journal = journal
        self._run_id = run_id
        self._settings = settings
        self._earlier: History | None = None
        self._seen: set[str] = set()
        self._bundles: dict[str, Bundle] = {}
        self._frontier: Frontier | None = None
        self._rules = Rules(capacity=capacity_of(settings))

    def look(self, now: float) -> RunNow:
        """Return the run as it is at `now` (seconds since the epoch)."""
        journal, limits = self._journal, self._settings.limits
        run = journal.get_run(self._run_id)
        rows = journal.list_workstreams(self._run_id)
        attempts = by_workstream(journal.list_attempts(self._run_id))
        costs = journal.list_costs(self._run_id)
        self._read_bundles(run, rows)
        views = self._views(run, rows, attempts, costs, now)
        outlook = self._outlook(run, rows, attempts, now)
        working = [view for view in views if view.working]
        return RunNow(
            run_id=run.run_id,
            status=run.status.value,
            reason=run.reason or run.error_message,
            seen_at=now,
            snapshot=_snapshot(run, rows, working, outlook, now),
            workstreams=views,
            working=len(working),
            waiting=dict(Counter(view.waiting for view in views if view.waiting)),
            usage=usage_of(costs),
            max_cost_usd=limits.max_cost_usd,
            max_tokens=limits.max_tokens,
            today=spent_today(journal, limits.per_day, now),
            critical_path=outlook.path,
            critical_path_s=outlook.path_s,
        )

    def _read_bundles(self, run: Run, rows: Sequence[Workstream]) -> None:
        """Decode the bundles of rows that were not there before, and lay out their schedule.

        Rows of a script's own may have no bundle, or a set of them that nobody could schedule: then
        there is no schedule, and nothing is estimated.
        """
        fresh = [row for row in rows if row.ws_id not in self._seen]
        self._seen.update(row.ws_id for row in fresh)
        found = [bundle for row in fresh if (bundle := bundle_of(row)) is not None]
        self._bundles.update((bundle.id, bundle) for bundle in found)
        if found:
            self._rules = _rules(run, self._settings)
            self._frontier = _frontier(
                self._bundles.values(), self._settings.approvals, self._rules
            )

    # -- the workstreams -------------------------------------------------------------------
    def _views(
        self,
        run: Run,
        rows: Sequence[Workstream],
        attempts: Mapping[str, Sequence[Attempt]],
        costs: Sequence[Cost],
        now: float,
    ) -> tuple[WorkstreamNow, ...]:
        verdicts = self._verdicts(run, rows, attempts, now)
        spent: dict[str | None, list[Cost]] = {}
        for cost in costs:
            spent.setdefault(cost.ws_id, []).append(cost)
        return tuple(
            _view(
                row,
                attempts.get(row.ws_id, ()),
                spent.get(row.ws_id, ()),
                verdicts.get(row.ws_id),
                over=run.status not in _UNDER_WAY,
            )
            for row in rows
        )

    def _verdicts(
        self,
        run: Run,
        rows: Sequence[Workstream],
        attempts: Mapping[str, Sequence[Attempt]],
        now: float,
    ) -> dict[str, Verdict]:
        """Return why each workstream waits that does, by the rules that the run goes by."""
        frontier = self._frontier
        if frontier is None or run.status not in _UNDER_WAY:
            return {}
        known = [row for row in rows if row.ws_id in self._bundles]
        for row in known:
            frontier.record(row.ws_id, row.status, row.integration)
        frontier.approve(self._journal.approved_gates(self._run_id))
        working = {row.ws_id for row in known if _running(attempts.get(row.ws_id, ()))}
        for ws_id in set(frontier.at_work) - working:
            frontier.stop(ws_id)
        for ws_id in sorted(working - set(frontier.at_work)):
            frontier.start(ws_id)
        return frontier.verdicts(now)

    # -- the estimate ----------------------------------------------------------------------
    def _outlook(
        self,
        run: Run,
        rows: Sequence[Workstream],
        attempts: Mapping[str, Sequence[Attempt]],
        now: float,
    ) -> Outlook:
        """Estimate what is left, from this run's durations and those of earlier ones."""
        unknown = any(row.ws_id not in self._bundles for row in rows)
        if run.status not in _UNDER_WAY or unknown or self._frontier is None:
            return Outlook()
        left, elapsed = self._left(run, rows, attempts, now)
        if left is None:
            return Outlook(progress=None)
        states = {row.ws_id: row.status for row in rows}
        bundles = [self._bundles[row.ws_id] for row in rows]
        total = {ws: elapsed[ws] + left[ws] for ws in left}
        open_ones = [bundle for bundle in bundles if bundle.id in left]
        path, path_s = critical_path(open_ones, lambda ws: left.get(ws, 0.0))
        spans = timeline(
            bundles,
            states,
            total,
            self._rules.capacity,
            elapsed=elapsed,
            keys_of=self._rules.keys_of,
            overlap_holds=self._rules.overlap_holds,
        )
        return Outlook(
            remaining_s=max((span.end for span in spans.values()), default=0.0),
            path=path,
            path_s=path_s,
            progress={ws: 100.0 * elapsed[ws] / total[ws] for ws in total if total[ws] > 0},
        )

    def _left(
        self,
        run: Run,
        rows: Sequence[Workstream],
        attempts: Mapping[str, Sequence[Attempt]],
        now: float,
    ) -> tuple[dict[str, float] | None, dict[str, float]]:
        """Return the seconds of work that each open workstream has before and behind it.

        The first is None when one of them has a step before it whose length nothing tells.
        """
        if self._earlier is None:
            self._earlier = earlier_history(self._journal, run)
        present = History()
        present.add(rows, attempts)
        left: dict[str, float] = {}
        elapsed: dict[str, float] = {}
        for row in rows:
            if not _open(row):
                continue
            mine = attempts.get(row.ws_id, ())
            tool = editor_of(mine) or run.metadata.get("tool") or self._bundles[row.ws_id].tool
            times = _times_until(mine, now)
            amounts = [
                _step_left(tool, step, times, (present, self._earlier))
                for step in steps_to_come(row)
            ]
            known = [amount for amount in amounts if amount is not None]
            if len(known) < len(amounts):
                return None, {}
            left[row.ws_id], elapsed[row.ws_id] = sum(known), sum(times.values())
        return left, elapsed


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What is estimated of a run; None and empty where nothing is known."""

    remaining_s: float | None = None
    path: tuple[str, ...] = ()
    path_s: float | None = None
    progress: dict[str, float] | None = None


def _rules(run: Run, settings: PipelineSettings) -> Rules:
    """Return the rules that a run goes by; what it was started with beats the settings."""
    tool, wanted = run.metadata.get("tool"), run.metadata.get("max_parallel")

    def keys_of(bundle: Bundle) -> Sequence[str]:
        return resource_keys(bundle, tool)

    return Rules(
        capacity=capacity_of(settings, wanted if isinstance(wanted, int) else None),
        keys_of=keys_of,
        overlap_holds=settings.overlap_policy is not OverlapPolicy.MERGE,
    )


def _frontier(
    bundles: Iterable[Bundle], approvals: Collection[int], rules: Rules
) -> Frontier | None:
    """Return what may start by the rules of the run, None for bundles that cannot be scheduled."""
    try:
        return Frontier(
            bundles,
            approvals_needed=approvals,
            capacity=rules.capacity,
            keys_of=rules.keys_of,
            overlap_holds=rules.overlap_holds,
        )
    except (BundleCycleError, ValueError):
        return None


def _open(row: Workstream) -> bool:
    """Tell whether work on a workstream is still to come: its merge belongs to it."""
    if row.status is WorkstreamState.DONE:
        return row.integration is IntegrationState.QUEUED
    return row.status not in ENDED


def _times_until(attempts: Sequence[Attempt], now: float) -> dict[str, float]:
    """Return the seconds spent by step, with what the attempt under way has taken so far."""
    times = times_by_step(attempts)
    for attempt in attempts:
        if attempt.status is AttemptState.RUNNING and attempt.started_at is not None:
            step = step_of(attempt)
            times[step] = times.get(step, 0.0) + max(0.0, now - seconds(attempt.started_at))
    return times


def _step_left(
    tool: str | None, step: str, times: Mapping[str, float], histories: tuple[History, History]
) -> float | None:
    """Return how long a step still takes. A merge that no journal tells of is part of nothing."""
    typical = expected(tool, step, *histories)
    if typical is None:
        return 0.0 if step == INTEGRATE else None
    return max(0.0, typical - times.get(step, 0.0))


def _running(attempts: Sequence[Attempt]) -> Attempt | None:
    """Return the attempt that is under way."""
    return next((a for a in reversed(attempts) if a.status is AttemptState.RUNNING), None)


def _view(
    row: Workstream,
    attempts: Sequence[Attempt],
    costs: Iterable[Cost],
    verdict: Verdict | None,
    *,
    over: bool,
) -> WorkstreamNow:
    """Return a workstream as it is now."""
    running = _running(attempts)
    ended = row.status in ENDED
    waiting = None if over or ended or running is not None else _waits_for(row, verdict)
    begun = [a.started_at for a in attempts if a.started_at is not None]
    ends = [a.completed_at for a in attempts if a.completed_at is not None]
    tool = running.tool_id if running else editor_of(attempts)
    return WorkstreamNow(
        ws_id=row.ws_id,
        state=row.status,
        integration=row.integration,
        step=running.step_name if running else "",
        attempt=running.attempt if running else 0,
        tool_id=tool or "",
        began_at=seconds(begun[0]) if begun else None,
        ended_at=seconds(max(ends)) if ends and running is None and (ended or over) else None,
        usage=usage_of(costs),
        waiting=waiting,
        reason=_reason(row) or (verdict.message if waiting and verdict else None) or None,
        working=not over and not waiting and (running is not None or not ended),
    )


def _reason(row: Workstream) -> str | None:
    """Return why a workstream waits or failed, and the time of day until when it waits."""
    if row.reason is None or row.reason_until is None:
        return row.reason
    return f"{row.reason.replace('_', ' ')} until {row.reason_until[11:16]}Z"


def _waits_for(row: Workstream, verdict: Verdict | None) -> str | None:
    """Return in a word what a workstream waits for, None when it is at work between two steps."""
    if row.reason is not None:
        return row.reason.partition(":")[0].strip()
    if verdict is not None and verdict.reason is not None:
        return verdict.reason.value
    return Reason.SLOTS.value if row.status is WorkstreamState.PENDING else None


def _snapshot(
    run: Run,
    rows: Sequence[Workstream],
    working: Sequence[WorkstreamNow],
    outlook: Outlook,
    now: float,
) -> ProgressSnapshot:
    states = Counter(row.status for row in rows)
    done, lost = states[WorkstreamState.DONE], sum(states[state] for state in _LOST)
    over = run.status not in _UNDER_WAY
    remaining = 0.0 if over else outlook.remaining_s
    end = run.ended_at if over else None if remaining is None else iso(now + remaining)
    current = min(working, key=lambda view: (view.began_at or now, view.ws_id), default=None)
    return ProgressSnapshot(
        run_id=run.run_id,
        timestamp=iso(now),
        total_tasks=len(rows),
        completed_tasks=done,
        failed_tasks=lost,
        pending_tasks=len(rows) - done - lost,
        completion_percent=round(100.0 * done / len(rows), 1) if rows else 100.0,
        started_at=run.started_at,
        estimated_completion=end,
        elapsed_seconds=elapsed_s(run, now),
        estimated_remaining_seconds=None if remaining is None else round(remaining, 1),
        current_task=current.ws_id if current else None,
        current_task_progress=_percent(current, outlook),
    )


def _percent(current: WorkstreamNow | None, outlook: Outlook) -> float | None:
    if current is None or outlook.progress is None:
        return None
    found = outlook.progress.get(current.ws_id)
    return None if found is None else round(found, 1)
