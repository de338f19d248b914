"""What the events of a run come to in its report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from penstock.model.events import EventType
from penstock.model.figures import Conflict, Flaky, Offence, Quarantine, Trip, Wait
from penstock.model.records import Event, Run, Workstream
from penstock.model.states import RunState, WorkstreamState
from penstock.model.times import seconds

PATHS_KEPT = 50
# After one of these a workstream no longer waits.
_GOES_ON = frozenset({EventType.STEP_STARTED, EventType.WORKSTREAM_END, EventType.RUN_RESUMED})


def _of(events: Iterable[Event], kind: EventType) -> list[Event]:
    return [event for event in events if event.event_type == kind]


def _text(event: Event, key: str) -> str:
    return str(event.payload.get(key) or "")


def trips_of(events: Iterable[Event]) -> tuple[Trip, ...]:
    """Return the breakers that stopped a step."""
    return tuple(
        Trip(
            ws_id=event.ws_id or "",
            step=_text(event, "step"),
            reason=_text(event, "reason"),
            message=_text(event, "message"),
        )
        for event in _of(events, EventType.BREAKER_TRIP)
    )


def flaky_of(events: Iterable[Event]) -> tuple[Flaky, ...]:
    """Return the checks that were found flaky."""
    return tuple(
        Flaky(ws_id=event.ws_id or "", step=_text(event, "step"), check=_text(event, "check"))
        for event in _of(events, EventType.FLAKY_CHECK)
    )


def offences_of(events: Iterable[Event]) -> tuple[Offence, ...]:
    """Return the turns that edited outside their scope."""
    return tuple(
        Offence(
            ws_id=event.ws_id or "",
            step=_text(event, "step"),
            policy=_text(event, "policy"),
            paths=_paths(event.payload.get("out_of_scope_files")),
            patch=_text(event, "patch") or None,
        )
        for event in _of(events, EventType.SCOPE_VIOLATION)
    )


def conflicts_of(events: Iterable[Event]) -> tuple[Conflict, ...]:
    """Return the merges that could not be made."""
    return tuple(
        Conflict(ws_id=event.ws_id or "", paths=_joined(event.payload.get("conflicts")))
        for event in _of(events, EventType.MERGE_CONFLICT)
    )


def _joined(value: Any) -> str:
    return value if isinstance(value, str) else ", ".join(_paths(value))


def _paths(items: Any) -> tuple[str, ...]:
    """Return the paths of a list of paths or of mappings with a path."""
    if not isinstance(items, (list, tuple)):
        return ()
    names = [str(i.get("path", "?")) if isinstance(i, Mapping) else str(i) for i in items]
    return tuple(names[:PATHS_KEPT])


def quarantines_of(run: Run, rows: Iterable[Workstream]) -> tuple[Quarantine, ...]:
    """Return what was set aside: the run, or workstreams of it."""
    whole = [Quarantine(ws_id=None, reason=run.reason or run.error_message)]
    found = whole if run.status is RunState.QUARANTINED else []
    aside = [row for row in rows if row.status is WorkstreamState.QUARANTINED]
    return (*found, *(Quarantine(ws_id=row.ws_id, reason=row.reason) for row in aside))


def waits_of(events: Sequence[Event], run: Run, now: float) -> tuple[Wait, ...]:
    """Return what workstreams waited for and how long, until they went on or the run was over.

    A wait lasts from the event that tells of it to the next step of the workstream; a stated end
    of a rate limit bounds it, because after that it waits for nothing but its turn.
    """
    over = seconds(run.ended_at) if run.ended_at is not None else now
    waiting: dict[str, Event] = {}
    spans: dict[str, list[float]] = {}
    for event in events:
        for begun in _ended_by(event, waiting):
            spans.setdefault(_kind(begun), []).append(_span(begun, seconds(event.timestamp)))
        if event.event_type == EventType.WORKSTREAM_WAITING and event.ws_id is not None:
            waiting[event.ws_id] = event
    for begun in waiting.values():
        spans.setdefault(_kind(begun), []).append(_span(begun, over))
    return tuple(
        Wait(reason=kind, times=len(found), duration_sec=round(sum(found), 3))
        for kind, found in sorted(spans.items())
    )


def _ended_by(event: Event, waiting: dict[str, Event]) -> list[Event]:
    """Take the waits out of `waiting` that an event ends, and return them."""
    another = event.event_type == EventType.WORKSTREAM_WAITING
    if event.event_type not in _GOES_ON and not another:
        return []
    if event.ws_id is None:
        found = list(waiting.values())
        waiting.clear()
        return found
    begun = waiting.pop(event.ws_id, None)
    return [] if begun is None else [begun]


def _kind(event: Event) -> str:
    """Return the word that says what a workstream waits for."""
    return _text(event, "reason").partition(":")[0].strip() or "unknown"


def _span(begun: Event, end: float) -> float:
    until = event_until(begun)
    last = end if until is None else min(end, until)
    return max(0.0, last - seconds(begun.timestamp))


def event_until(event: Event) -> float | None:
    """Return the stated end of a wait (seconds since the epoch), None without one."""
    text = _text(event, "until")
    return seconds(text) if text else None
