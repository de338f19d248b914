"""Events and looks to watch a run by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from penstock.model.events import EventType
from penstock.model.progress import ProgressSnapshot, RunNow, Usage, WorkstreamNow
from penstock.model.records import Event
from penstock.model.states import IntegrationState, WorkstreamState
from penstock.model.times import iso

RUN = "run-20260131T102030Z"


def event(kind: EventType, ws_id: str | None = "ws-a", **payload: Any) -> Event:
    """Return an event of the run."""
    return Event(
        id=1,
        timestamp="2026-01-31T10:20:31.500000Z",
        event_type=kind,
        run_id=RUN,
        ws_id=ws_id,
        payload=payload,
    )


def story() -> Iterator[Event]:
    """Yield the events of a workstream up to its first check."""
    yield event(EventType.RUN_STARTED, None)
    yield event(EventType.WORKSTREAM_STATUS_CHANGED, to="editing")
    yield event(EventType.STEP_START, step="edit", attempt=1)
    yield event(EventType.STEP_STARTED, step="edit", attempt=1, tool_id="claude-cli")
    yield event(EventType.WORKSTREAM_STATUS_CHANGED, to="ready_for_static")


def view(ws_id: str, state: str = "pending", **more: Any) -> WorkstreamNow:
    """Return a workstream at one moment; `merge` is its integration."""
    merge = IntegrationState(more.pop("merge", "none"))
    return WorkstreamNow(ws_id=ws_id, state=WorkstreamState(state), integration=merge, **more)


def run_now(
    *states: tuple[str, str] | WorkstreamNow,
    left: float | None = None,
    elapsed: float = 65.0,
    **more: Any,
) -> RunNow:
    """Return a run at second 1000: its workstreams by id and state, or as views."""
    views = tuple(one if isinstance(one, WorkstreamNow) else view(*one) for one in states)
    done = sum(one.state is WorkstreamState.DONE for one in views)
    snap = ProgressSnapshot(
        run_id=RUN,
        timestamp=iso(1000.0),
        total_tasks=len(views),
        completed_tasks=done,
        failed_tasks=0,
        pending_tasks=len(views) - done,
        completion_percent=0.0,
        elapsed_seconds=elapsed,
        estimated_remaining_seconds=left,
        estimated_completion=None if left is None else iso(1000.0 + left),
    )
    fields: dict[str, Any] = {"status": "running", "reason": None, "usage": Usage()}
    return RunNow(
        run_id=RUN, seen_at=1000.0, snapshot=snap, workstreams=views, **{**fields, **more}
    )
