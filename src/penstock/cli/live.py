"""Watching a run: a live table on a terminal, lines with time and ids elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TextIO

from penstock.cli import output
from penstock.cli.board import QUIET, Board, told_by_tool_run
from penstock.cli.frame import Line, frame, left_words, progress_words
from penstock.cli.looking import Look, Pace
from penstock.cli.words import clock, one_line
from penstock.engine.narrate import narrate
from penstock.model.progress import RunNow
from penstock.model.records import Event
from penstock.model.times import iso

if TYPE_CHECKING:
    from rich.console import Console, ConsoleDimensions, ConsoleOptions
    from rich.live import Live
    from rich.segment import Segment

FRAME_S = 0.25
PROGRESS_S = 30.0
"""How long it is at least from one line about the whole run to the next, where there is no screen."""
QUIET_LIMIT = 10
"""After how many times that long such a line comes though nothing happened."""


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

    def note(self, text: str) -> None:
        """Tell something about the run that is in no event; empty when it no longer holds."""
        ...

    def __enter__(self) -> Watcher: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class _Ticker:
    """Calls a function again and again from a thread of its own until it is stopped."""

    def __init__(self, call: Callable[[], None], every_s: float) -> None:
        self._call = call
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="penstock-watch", daemon=True)

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            self._call()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Let the call under way end, and no other begin."""
        self._stop.set()
        self._thread.join()


class LineWatcher:
    """Prints each event as a line, and now and then one about the whole run; with `verbose` also
    what the tools print."""

    def __init__(
        self,
        ws_ids: Sequence[str] = (),
        *,
        verbose: bool = False,
        look: Look | None = None,
        say: Callable[[str], None] = output.warn,
        run_id: str = "",
        every_s: float = PROGRESS_S,
    ) -> None:
        self._verbose = verbose
        self._look = look
        self._say = say
        self._board = Board(ws_ids)
        self._board.run_id = run_id
        self._lock = threading.Lock()
        self._heard = False
        self._silent = 0
        self._ticker = _Ticker(self._tick, every_s)

    @property
    def run_id(self) -> str:
        """The run that it has heard of."""
        return self._board.run_id

    def event(self, event: Event) -> None:
        """Print an event."""
        with self._lock:
            self._board.event(event, time.time())
            self._heard = True
        if event.event_type in QUIET or told_by_tool_run(event):
            return
        where = " ".join(n for n in (event.run_id, event.ws_id) if n)
        self._print(f"{clock(event.timestamp)} [{where or '-'}] {narrate(event)}")

    def output(self, ws_id: str, step: str, line: str) -> None:
        """Print a line of a tool."""
        if self._verbose:
            self._print(f"{_now()} [{self.run_id} {ws_id}] {step}| {one_line(line)}")

    def note(self, text: str) -> None:
        """Print it once."""
        if text:
            self._print(f"{_now()} [{self.run_id}] {text}")

    def progress(self) -> None:
        """Print a line about the whole run."""
        now = self._look(self.run_id) if self._look is not None and self.run_id else None
        with self._lock:
            if now is not None:
                self._board.look(now)
            words = ", ".join(
                part for part in (progress_words(self._board), left_words(now)) if part
            )
        self._print(f"{_now()} [{self.run_id}] {words}")

    def _tick(self) -> None:
        """Print such a line when there is something to count and something has happened."""
        self._silent += 1
        if len(self._board.rows) < 2 or not (self._heard or self._silent >= QUIET_LIMIT):
            return
        self._heard, self._silent = False, 0
        self.progress()

    def _print(self, line: str) -> None:
        with self._lock:
            self._say(line)
            output.flush()

    def __enter__(self) -> LineWatcher:
        self._ticker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ticker.stop()


class Screen:
    """Lines of text as rich draws them, without any layout of its own."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterable[Segment]:
        """Yield the text with its styles."""
        from rich.segment import Segment

        for number, line in enumerate(self._lines):
            if number:
                yield Segment.line()
            for text, style in line:
                yield Segment(text, console.get_style(style) if style else None)


class LiveWatcher:
    """Shows the run as a table that is redrawn in place when it has changed."""

    def __init__(
        self,
        ws_ids: Sequence[str] = (),
        *,
        verbose: bool = False,
        console: Console | None = None,
        look: Look | None = None,
        run_id: str = "",
        every_s: float = FRAME_S,
    ) -> None:
        from rich.console import Console as RichConsole
        from rich.live import Live as RichLive

        self._board = Board(ws_ids)
        self._board.run_id = run_id
        self._verbose = verbose
        self._pace = Pace(look)
        self._note = ""
        self._drawn: list[Line] = []
        self._size: ConsoleDimensions | None = None
        self._lock = threading.Lock()
        self._console = console or RichConsole(stderr=True, highlight=False)
        self._ticker = _Ticker(self._draw, every_s)
        self._diverted = ExitStack()
        self._live: Live = RichLive(
            console=self._console,
            auto_refresh=False,
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
            self._above(f"{ws_id} {step}| {one_line(line)}")

    def _above(self, text: str) -> None:
        """Print a line that stays, above the table."""
        self._console.print(text, markup=False, highlight=False)

    def note(self, text: str) -> None:
        """Show it below the table."""
        with self._lock:
            self._note = text

    def _draw(self) -> None:
        """Draw what has changed; the journal is looked at before, when it is time to."""
        self._take(self._pace.take(self.run_id))
        width, height = size = self._console.size
        if size != self._size:
            if self._size is not None:
                self._console.clear()  # where the terminal has put the lines nobody knows
            self._size = size
        with self._lock:
            note: list[Line] = [((self._note[:width], "yellow"),)] if self._note else []
            lines = [*frame(self._board, time.time(), width, height - 1 - len(note)), *note]
        if lines != self._drawn:
            self._drawn = lines
            self._live.update(Screen(lines), refresh=True)

    def _take(self, now: RunNow | None) -> None:
        if now is not None:
            with self._lock:
                self._board.look(now)

    def __enter__(self) -> LiveWatcher:
        self._diverted.enter_context(output.warnings_to(self._above))
        self._live.start()
        self._draw()
        self._ticker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ticker.stop()
        self._draw()
        self._live.stop()
        self._diverted.close()


def _now() -> str:
    return clock(iso(time.time()))


def make_watcher(
    ws_ids: Sequence[str] = (),
    *,
    verbose: bool = False,
    look: Look | None = None,
    stream: TextIO | None = None,
) -> Watcher:
    """Return the watcher that fits a stream (stderr): a live table on a terminal, lines elsewhere."""
    if output.on_terminal(sys.stderr if stream is None else stream):
        return LiveWatcher(ws_ids, verbose=verbose, look=look)
    return LineWatcher(ws_ids, verbose=verbose, look=look)
