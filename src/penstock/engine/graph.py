"""The graph of a run, or of bundles that might become one, with the times that the journal knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from penstock.engine.history import (
    EARLIER_RUNS,
    INTEGRATE,
    STEPS,
    History,
    by_workstream,
    earlier_history,
    editor_of,
    expected,
    times_by_step,
)
from penstock.engine.rows import bundle_of
from penstock.errors import BundleError
from penstock.model.bundle import Bundle
from penstock.model.records import Run
from penstock.model.settings import OverlapPolicy, PipelineSettings
from penstock.model.states import WorkstreamState
from penstock.schedule.frontier import Capacity
from penstock.schedule.picture import Picture, Rules, picture
from penstock.store.api import Journal


def resource_keys(bundle: Bundle, tool: str | None = None) -> tuple[str, ...]:
    """Return the keys under which limits count a workstream: its capability's, or its tool's.

    `tool` is that of the whole run, which beats both.
    """
    if tool is None and bundle.capability is not None:
        return (f"capability:{bundle.capability}",)
    return (f"tool:{tool or bundle.tool}",)


def capacity_of(settings: PipelineSettings, slots: int | None = None) -> Capacity:
    """Return the limits of the settings; `slots` beats limits.max_parallel."""
    limits = settings.limits
    keys = {f"tool:{name}": limit for name, limit in limits.tools.items()}
    keys |= {f"capability:{name}": limit for name, limit in limits.capabilities.items()}
    return Capacity(total=slots or limits.max_parallel, keys=keys)


def graph_of_bundles(
    bundles: Iterable[Bundle],
    journal: Journal,
    settings: PipelineSettings,
    *,
    slots: int | None = None,
) -> Picture:
    """Draw the graph of bundles, with durations by their tools in earlier runs.

    Raises BundleCycleError, and ValueError for a claim that is none.
    """
    history = History()
    for run in journal.list_runs(limit=EARLIER_RUNS):
        attempts = by_workstream(journal.list_attempts(run.run_id))
        history.add(journal.list_workstreams(run.run_id), attempts)
    wanted = tuple(bundles)
    times = {b.id: _expected_s(b.tool, history) for b in wanted}
    return picture(wanted, _rules(settings, slots), durations=_known(times))


def graph_of_run(
    journal: Journal, run: Run, settings: PipelineSettings, *, slots: int | None = None
) -> Picture:
    """Draw the graph of a run: what is done with the time it took, the rest with the time that it
    may take by what this and earlier runs took.

    Rows without a (right) bundle, which scripts may enter, are left out. Raises BundleError for
    bundles that cannot be scheduled, among them BundleCycleError.
    """
    everything = journal.list_workstreams(run.run_id)
    found = [(row, bundle) for row in everything if (bundle := bundle_of(row)) is not None]
    rows = [row for row, _ in found]
    bundles = [bundle for _, bundle in found]
    attempts = by_workstream(journal.list_attempts(run.run_id))
    present = History()
    present.add(rows, attempts)
    histories = (present, earlier_history(journal, run))
    tool = run.metadata.get("tool")
    times: dict[str, float | None] = {}
    for row, bundle in zip(rows, bundles, strict=True):
        mine = attempts.get(row.ws_id, ())
        if row.status is WorkstreamState.DONE:
            times[row.ws_id] = sum(times_by_step(mine).values())
        else:
            times[row.ws_id] = _expected_s(editor_of(mine) or tool or bundle.tool, *histories)
    wanted = run.metadata.get("max_parallel")
    rules = _rules(settings, slots or (wanted if isinstance(wanted, int) else None), tool)
    states = {row.ws_id: row.status for row in rows}
    try:
        return picture(bundles, rules, durations=_known(times), states=states)
    except BundleError:
        raise
    except ValueError as error:
        raise BundleError(f"a claim of a bundle of {run.run_id} is wrong: {error}") from error


def _rules(settings: PipelineSettings, slots: int | None, tool: str | None = None) -> Rules:
    def keys_of(bundle: Bundle) -> Sequence[str]:
        return resource_keys(bundle, tool)

    return Rules(
        capacity=capacity_of(settings, slots),
        keys_of=keys_of,
        overlap_holds=settings.overlap_policy is not OverlapPolicy.MERGE,
    )


def _expected_s(tool: str, *histories: History) -> float | None:
    """Return the seconds that a workstream is going to take, None when a step is unknown.

    A merge that no journal tells of counts nothing.
    """
    found = [expected(tool, step, *histories) for step in STEPS]
    known = [took for took in found if took is not None]
    if len(known) < len(found):
        return None
    return sum(known) + (expected(tool, INTEGRATE, *histories) or 0.0)


def _known(times: dict[str, float | None]) -> dict[str, float]:
    return {ws: took for ws, took in times.items() if took is not None}
