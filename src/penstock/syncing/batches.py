"""What a run did of the plans that its workstreams came from, as the journal has it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from penstock.errors import UsageError
from penstock.model.records import Workstream
from penstock.model.states import IntegrationState, WorkstreamState
from penstock.planning.sources.api import Dialect, Trace
from penstock.planning.writeback.api import Batch, Desk, Report, Standing
from penstock.typed import typed

_WAITS_FOR_A_PERSON: Final = frozenset({IntegrationState.CONFLICT, IntegrationState.REJECTED})
_BEGUN: Final = frozenset(
    {
        WorkstreamState.STARTED,
        WorkstreamState.EDITING,
        WorkstreamState.READY_FOR_STATIC,
        WorkstreamState.STATIC_CHECK,
        WorkstreamState.RUNTIME_TESTS,
    }
)


class Traced(NamedTuple):
    """A workstream of a run with where it came from."""

    row: Workstream
    trace: Trace


def traced(rows: Iterable[Workstream]) -> list[Traced]:
    """Return those that came from a plan. Raises UsageError when what is kept of it is damaged."""
    found = ((row, _plan_of(row)) for row in rows)
    return [Traced(row, _trace(row, plan)) for row, plan in found if plan is not None]


def _plan_of(row: Workstream) -> Mapping[str, Any] | None:
    """Return what a bundle remembers of its plan; `metadata.plan` may also be the user's own."""
    bundle = row.metadata.get("bundle")
    metadata = bundle.get("metadata") if isinstance(bundle, dict) else None
    plan = metadata.get("plan") if isinstance(metadata, dict) else None
    return plan if isinstance(plan, dict) and "dialect" in plan else None


def _trace(row: Workstream, plan: Mapping[str, Any]) -> Trace:
    try:
        return typed(plan, Trace)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"metadata.plan of {row.ws_id} cannot be read: {error}",
            hint="plan again, and leave that part of the bundles as it is",
        ) from error


def is_in(row: Workstream) -> bool:
    """Tell whether a workstream's work passed the gates on the integrated tree."""
    return row.status is WorkstreamState.DONE and row.integration is IntegrationState.MERGED


def standing(row: Workstream) -> Standing | None:
    """Return what may be said of a workstream's items; None when nothing may."""
    if is_in(row):
        return Standing.DONE
    if row.status is WorkstreamState.DONE and row.integration in _WAITS_FOR_A_PERSON:
        return Standing.REVIEW
    if row.status is WorkstreamState.QUARANTINED:
        return Standing.BLOCKED
    return Standing.STARTED if row.status in _BEGUN else None


def batches(found: Iterable[Traced], desk: Desk) -> list[Batch]:
    """Put the workstreams of each plan together, as it was when it was read."""
    groups: dict[tuple[Any, ...], list[Traced]] = {}
    for one in found:
        trace = one.trace
        version = trace.version or tuple(sorted(trace.files.items()))
        key = (trace.dialect, trace.id, trace.path, trace.tag, version)
        groups.setdefault(key, []).append(one)
    return [_batch(group, desk) for group in groups.values()]


def _batch(group: list[Traced], desk: Desk) -> Batch:
    trace = group[0].trace
    reports = [report for one in group for report in _reports(one)]
    names = dict.fromkeys(report.item.place.file for report in reports)
    files = {name: digest for one in group for name, digest in one.trace.files.items()}
    return Batch(
        dialect=trace.dialect,
        id=trace.id,
        path=trace.path,
        tag=trace.tag,
        reports=tuple(reports),
        unchanged=frozenset(name for name in names if _is_as_read(desk, name, files)),
    )


def _is_as_read(desk: Desk, name: str, files: Mapping[str, str]) -> bool:
    raw = desk.read(name)
    return raw is not None and hashlib.sha256(raw).hexdigest() == files.get(name)


def _reports(one: Traced) -> list[Report]:
    said = standing(one.row)
    if said is None:
        return []
    moment = one.row.updated_at[:19] + "Z"  # whole seconds, as CCPM writes them
    return [Report(item=item, standing=said, moment=moment) for item in one.trace.items]


def needs_others(batch: Batch) -> bool:
    """Tell whether it matters what other runs did: a CCPM task has streams, and an end of its own."""
    return batch.dialect is Dialect.CCPM


def done_elsewhere(
    batch: Batch, others: Iterable[Traced], holds: Callable[[str], bool]
) -> frozenset[str]:
    """Return the keys of a plan's items that workstreams of other runs have done.

    `holds` tells whether a commit is in what is written to: only then it is done there too.
    """
    same = (
        one
        for one in others
        if one.trace.path == batch.path
        and is_in(one.row)
        and one.row.head_commit is not None
        and holds(one.row.head_commit)
    )
    return frozenset(item.key for one in same for item in one.trace.items)
