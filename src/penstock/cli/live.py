"""Watching a run: a live table on a terminal, lines with time and ids elsewhere, all on stderr."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

import msgspec

from penstock.cli import output
from penstock.cli.words import clock, duration, one_line
from penstock.engine.narrate import narrate
from penstock.model.events import EventType
from penstock.model.records import Event
from penstock.model.times import iso

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

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
REFRESH_PER_SECOND = 4
STEP_STYLES = {"done": "green", "failed": "red", "canceled": "yellow", "quarantined": "red"}


def _told_by_tool_run(event: Event) -> bool:
    """Tell whether a turn's end is about to be told, in better words, by its tool_run."""
    return event.event_type == EventType.STEP_END and event.payload.get("step") in ("edit", "fix")


class Watcher(Protocol):
    """An observer of a run that is used as a context around it; `run_id` is empty at first."""

    @property
    def run_id(self) -> str:
        """The run that it has heard of."""
        ...

    def event(self, event: Event) -> None:
        """Take notice of an event that has just been recorded."""
        ...

    def output(self, ws_id: str, step: str, line: str) -> None:
        """Take notice of a redacted line that a tool or check printed."""
        ...

    def __enter__(self) -> Watcher: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Row(msgspec.Struct, kw_only=True):
    """What is known of one workstream right now. Times are seconds since the epoch."""

    ws_id: str
    state: str = "pending"
    step: str = ""
    tool: str = ""
    attempt: int = 0
    began: float | None = None
    ended: float | None = None
    last: str = ""


class LineWatcher:
    """Prints each event as a line; with `verbose` also what the tools print."""

    def __init__(self, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self.run_id = ""
        self._lock = threading.Lock()

    def event(self, event: Event) -> None:
        """Print an event."""
        if event.run_id:
            self.run_id = event.run_id
        if event.event_type in QUIET or _told_by_tool_run(event):
            return
        where = " ".join(n for n in (event.run_id, event.ws_id) if n)
        self._print(f"{clock(event.timestamp)} [{where or '-'}] {narrate(event)}")

    def output(self, ws_id: str, step: str, line: str) -> None:
        """Print a line of a tool."""
        if self._verbose:
            now = clock(iso(time.time()))
            self._print(f"{now} [{self.run_id} {ws_id}] {step}| {one_line(line)}")

    def _print(self, line: str) -> None:
        with self._lock:
            output.warn(line)
            if sys.stderr is not None:
                sys.stderr.flush()

    def __enter__(self) -> LineWatcher:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is held."""


class Board:
    """The rows of a run, kept up to date by its events."""

    def __init__(self, ws_ids: Sequence[str] = ()) -> None:
        self.run_id = ""
        self.rows: dict[str, Row] = {name: Row(ws_id=name) for name in ws_ids}

    def row(self, ws_id: str) -> Row:
        """Return the row of a workstream, made when it is not there."""
        return self.rows.setdefault(ws_id, Row(ws_id=ws_id))

    def event(self, event: Event, now: float) -> None:
        """Bring the rows up to date."""
        self.run_id = event.run_id or self.run_id
        if event.ws_id is None:
            return
        row = self.row(event.ws_id)
        if event.event_type not in QUIET and event.event_type not in IN_COLUMNS:
            row.last = narrate(event)
        change = CHANGES.get(event.event_type)
        if change is not None:
            change(row, event, now)

    def output(self, ws_id: str, line: str) -> None:
        """Show the last line that a tool printed."""
        text = one_line(line)
        if text:
            self.row(ws_id).last = text


def _state_changed(row: Row, event: Event, now: float) -> None:
    row.state = str(event.payload.get("to", row.state))
    if row.began is None and row.state != "pending":
        row.began = now
    if row.state in STEP_STYLES:
        row.ended, row.step = now, ""
        row.last = str(event.payload.get("reason") or row.last)


def _step_began(row: Row, event: Event, now: float) -> None:
    payload = event.payload
    row.step = str(payload.get("step") or payload.get("step_name") or row.step)
    row.tool = str(payload.get("tool_id") or row.tool)
    row.attempt = int(payload.get("attempt") or row.attempt)
    row.began = row.began if row.began is not None else now


CHANGES: dict[str, Callable[[Row, Event, float], None]] = {
    EventType.WORKSTREAM_STATUS_CHANGED: _state_changed,
    EventType.STEP_START: _step_began,
    EventType.STEP_STARTED: _step_began,
}


class LiveWatcher:
    """Shows the board as a table that is redrawn in place."""

    def __init__(
        self, ws_ids: Sequence[str] = (), *, verbose: bool = False, console: Console | None = None
    ) -> None:
        from rich.console import Console as RichConsole
        from rich.live import Live as RichLive

        self._board = Board(ws_ids)
        self._verbose = verbose
        self._lock = threading.Lock()
        self._console = console or RichConsole(stderr=True, highlight=False)
        self._live: Live = RichLive(
            get_renderable=self._render,
            console=self._console,
            refresh_per_second=REFRESH_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    @property
    def run_id(self) -> str:
        """The run that it has heard of."""
        return self._board.run_id

    def event(self, event: Event) -> None:
        """Bring the table up to date."""
        with self._lock:
            self._board.event(event, time.time())

    def output(self, ws_id: str, step: str, line: str) -> None:
        """Show a tool's line in the table, or with `verbose` above it."""
        with self._lock:
            self._board.output(ws_id, line)
        if self._verbose:
            text = f"{ws_id} {step}| {one_line(line)}"
            self._console.print(text, markup=False, highlight=False)

    def _render(self) -> RenderableType:
        with self._lock:
            return board_table(self._board, time.time(), self._console.width)

    def __enter__(self) -> LiveWatcher:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()


def board_table(board: Board, now: float, width: int) -> RenderableType:
    """Return the table of a run, fitted to `width` columns; the last column takes what is left."""
    from rich.table import Table
    from rich.text import Text

    grid = Table(
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        title=board.run_id or None,
        title_justify="left",
        width=width,
        header_style="bold",
    )
    name_width = max([10, *(len(row.ws_id) for row in board.rows.values())])
    grid.add_column("workstream", width=min(name_width, max(width // 4, 10)), no_wrap=True)
    grid.add_column("state", no_wrap=True, min_width=7)
    grid.add_column("step", no_wrap=True, min_width=9)
    grid.add_column("tool", no_wrap=True, min_width=6, max_width=12)
    grid.add_column("time", no_wrap=True, justify="right", min_width=5)
    grid.add_column("last", no_wrap=True, overflow="ellipsis", ratio=1)
    for row in board.rows.values():
        end = row.ended if row.ended is not None else now
        took = duration(end - row.began) if row.began is not None else "-"
        step = f"{row.step} {row.attempt}" if row.step and row.attempt else row.step
        state = Text(
            STATE_WORDS.get(row.state, row.state), style=STEP_STYLES.get(row.state, "cyan")
        )
        grid.add_row(row.ws_id, state, step, row.tool, took, Text(row.last))
    return grid


# The journal's names of states, short enough for 80 columns.
STATE_WORDS = {"ready_for_static": "checking", "static_check": "static", "runtime_tests": "runtime"}


def make_watcher(ws_ids: Sequence[str] = (), *, verbose: bool = False) -> Watcher:
    """Return the watcher that fits stderr: a live table on a terminal, lines elsewhere."""
    if output.on_terminal(sys.stderr):
        return LiveWatcher(ws_ids, verbose=verbose)
    return LineWatcher(verbose=verbose)
