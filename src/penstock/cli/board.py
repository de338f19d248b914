"""What is known of a run while it is watched: its rows, kept up to date by events and by looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from penstock.cli.words import one_line
from penstock.engine.narrate import narrate
from penstock.model.events import EventType
from penstock.model.progress import RunNow, WorkstreamNow
from penstock.model.records import Event

# The other half of these pairs says the same; a screen needs one.
QUIET = frozenset(
    {
        EventType.STEP_START,
        EventType.STEP_COMPLETED,
        EventType.FIX_ATTEMPT,
        EventType.MERGE_QUEUED,
        EventType.RUN_STATUS_CHANGED,
        EventType.WORKSTREAM_STATUS_CHANGED,
    }
)
# The columns of the table say these already.
IN_COLUMNS = frozenset(
    {EventType.STEP_STARTED, EventType.WORKSTREAM_START, EventType.WORKSTREAM_END}
)
ENDED = frozenset({"done", "failed", "canceled", "quarantined"})
LOST = ENDED - {"done"}


class Row(msgspec.Struct, kw_only=True):
    """What is known of one workstream right now. Times are seconds since the epoch.

    `merge` is how far it is integrated once it is done; `waiting` says in a word what it waits
    for; `last` is the last thing that was heard of it.
    """

    ws_id: str
    state: str = "pending"
    merge: str = "none"
    step: str = ""
    tool: str = ""
    attempt: int = 0
    began: float | None = None
    ended: float | None = None
    tokens: int | None = None
    cost_usd: float | None = None
    waiting: str = ""
    last: str = ""

    @property
    def working(self) -> bool:
        """Tell whether somebody is at work on it, its merge included."""
        return bool(self.step) or (self.state not in ENDED | {"pending"} and not self.waiting)

    @property
    def lost(self) -> bool:
        """Tell whether it ended otherwise than done, or cannot be merged."""
        return self.state in LOST or self.merge in ("conflict", "rejected")


class Board:
    """The rows of a run, kept up to date by its events at once and by looks at the journal for
    what no event tells. Not for several threads."""

    def __init__(self, ws_ids: Sequence[str] = ()) -> None:
        self.run_id = ""
        self.rows: dict[str, Row] = {name: Row(ws_id=name) for name in ws_ids}
        self.now: RunNow | None = None

    def row(self, ws_id: str) -> Row:
        """Return the row of a workstream, made when it is not there."""
        return self.rows.setdefault(ws_id, Row(ws_id=ws_id))

    def event(self, event: Event, now: float) -> None:
        """Bring the rows up to date."""
        self.run_id = event.run_id or self.run_id
        if event.ws_id is None:
            return
        row = self.row(event.ws_id)
        change = CHANGES.get(event.event_type)
        if change is not None:
            change(row, event, now)
        if event.event_type not in QUIET | IN_COLUMNS and not told_by_tool_run(event):
            row.last = narrate(event)

    def output(self, ws_id: str, line: str) -> None:
        """Show the last line that a tool printed."""
        text = one_line(line)
        if text:
            self.row(ws_id).last = text

    def look(self, now: RunNow) -> None:
        """Take in what the journal says; a row keeps what it heard last."""
        self.run_id, self.now = now.run_id, now
        for view in now.workstreams:
            _take_in(self.row(view.ws_id), view)

    @property
    def done(self) -> int:
        """How many workstreams are done."""
        return sum(row.state == "done" for row in self.rows.values())


def told_by_tool_run(event: Event) -> bool:
    """Tell whether a turn's end is about to be told, in better words, by its tool_run."""
    return event.event_type == EventType.STEP_END and event.payload.get("step") in ("edit", "fix")


def _take_in(row: Row, view: WorkstreamNow) -> None:
    row.state, row.merge = view.state.value, view.integration.value
    row.step, row.attempt = view.step, view.attempt
    row.tool = view.tool_id or row.tool
    row.began, row.ended = view.began_at, view.ended_at
    row.tokens, row.cost_usd = view.usage.tokens, view.usage.cost_usd
    if row.waiting and not view.waiting:
        row.last = ""
    row.waiting = view.waiting or ""
    if view.reason and row.waiting:
        row.last = one_line(view.reason.removeprefix(f"{row.waiting}:"))
    elif view.reason and row.state in LOST:
        row.last = one_line(view.reason)


def _state_changed(row: Row, event: Event, now: float) -> None:
    row.state = str(event.payload.get("to", row.state))
    if row.waiting:
        row.waiting = row.last = ""
    if row.began is None and row.state != "pending":
        row.began = now
    if row.state in ENDED:
        row.ended, row.step, row.attempt = now, "", 0
        row.last = str(event.payload.get("reason") or row.last)


def _step_began(row: Row, event: Event, now: float) -> None:
    payload = event.payload
    row.step = str(payload.get("step") or payload.get("step_name") or row.step)
    row.tool = str(payload.get("tool_id") or row.tool)
    row.attempt = int(payload.get("attempt") or row.attempt)
    row.began = row.began if row.began is not None else now
    if row.waiting:
        row.last = ""
    row.ended, row.waiting = None, ""


def _step_ended(row: Row, _event: Event, now: float) -> None:
    """After the end of a workstream only its merge has steps."""
    if row.state in ENDED:
        row.ended, row.step, row.attempt = now, "", 0


def _waits(row: Row, event: Event, _now: float) -> None:
    row.waiting = str(event.payload.get("reason") or "").partition(":")[0].strip()
    row.step, row.attempt = "", 0


def _merge_is(state: str) -> Callable[[Row, Event, float], None]:
    def change(row: Row, _event: Event, _now: float) -> None:
        row.merge = state

    return change


CHANGES: dict[str, Callable[[Row, Event, float], None]] = {
    EventType.WORKSTREAM_STATUS_CHANGED: _state_changed,
    EventType.WORKSTREAM_WAITING: _waits,
    EventType.STEP_START: _step_began,
    EventType.STEP_STARTED: _step_began,
    EventType.STEP_END: _step_ended,
    EventType.MERGE_QUEUED: _merge_is("queued"),
    EventType.MERGED: _merge_is("merged"),
    EventType.MERGE_CONFLICT: _merge_is("conflict"),
    EventType.MERGE_REJECTED: _merge_is("rejected"),
}
