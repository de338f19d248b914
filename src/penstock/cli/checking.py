"""What `penstock check` and the hook share: what was asked for, progress, the exit code."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from penstock.cli import output
from penstock.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from penstock.model.inspection import CheckReport

DEFAULT_BASELINE = ".penstock-baseline.json"
QUIET_S = 1.0
"""A check that is shorter shows no progress."""
REDRAW_S = 0.1
TICK_S = 0.5
CLEAR = "\r\x1b[K"


class CheckOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The command line of `penstock check`, one field for each option."""

    paths: tuple[str, ...] = ()
    changed: str | None = None
    staged: bool = False
    fix: bool = False
    style: str = "text"
    cache: str | None = None
    use_cache: bool = True
    baseline: str | None = None
    update_baseline: bool = False
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    explain: bool = False
    strict: bool = False
    require: bool = False
    listing: bool = False
    verbose: bool = False
    summary: bool = False


def refuse_contradictions(options: CheckOptions) -> None:
    """Raise UsageError for options that cannot be meant together."""
    if options.summary and not options.paths:
        raise UsageError("name the files to check")
    wrong = (
        (options.staged and options.changed is not None, "--staged and --changed"),
        (options.staged and options.fix, "--staged and --fix"),
        (options.update_baseline and options.fix, "--update-baseline and --fix"),
        (options.cache is not None and not options.use_cache, "--cache and --no-cache"),
    )
    hints = {
        "--staged and --fix": "What is staged cannot be rewritten: `penstock check --fix`, then"
        " stage the files again.",
    }
    for both, names in wrong:
        if both:
            raise UsageError(f"{names} do not go together", hint=hints.get(names))


def plugin_ids(given: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of a repeated option whose values may be lists joined by commas."""
    return tuple(
        dict.fromkeys(name.strip() for text in given for name in text.split(",") if name.strip())
    )


def exit_code(report: CheckReport) -> ExitCode:
    """Return what a check ends with: interrupted, a mistake in the command, a failed file, done."""
    if report.interrupted:
        return ExitCode.INTERRUPTED
    if report.unusable:
        return ExitCode.USAGE
    return ExitCode.DONE if report.passed else ExitCode.FAILED


class Progress:
    """What is being checked, on one line of a terminal's stderr that is drawn in place.

    Called with (plugin id, files done, files in all), from any thread; `tick` keeps the time going
    while nothing is heard.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, things: str = "plugins"
    ) -> None:
        self._clock = clock
        self._things = things
        self._began = clock()
        self._drawn_at = self._began + QUIET_S - REDRAW_S
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[int, int]] = {}
        self._visible = False
        self._ended = threading.Event()

    def __call__(self, plugin_id: str, done: int, total: int) -> None:
        """Take note of how far a plugin is, and draw it when it is time to."""
        with self._lock:
            self._counts[plugin_id] = (done, total)
        self.tick()

    def tick(self) -> None:
        """Draw the line when it is time to."""
        with self._lock:
            now = self._clock()
            if now - self._drawn_at >= REDRAW_S and not self._ended.is_set():
                self._drawn_at = now
                self._draw(self.line(now))

    def keep_ticking(self) -> None:
        """Tick until the end; for a thread of its own."""
        while not self._ended.wait(TICK_S):
            self.tick()

    def line(self, now: float) -> str:
        """Return the line: how long it takes already, and the plugins that are not done."""
        parts = [
            f"{name} {done}/{total}" for name, (done, total) in self._counts.items() if done < total
        ]
        over = len(self._counts) - len(parts)
        count = f", {over} of {len(self._counts)} {self._things} done" if self._counts else ""
        return f"{now - self._began:.0f}s{count}: {', '.join(parts)}".removesuffix(": ")

    def warn(self, text: str) -> None:
        """Write a line of its own, above the progress."""
        with self._lock:
            self._clear()
            sys.stderr.write(f"{text}\n")

    def end(self) -> None:
        """Leave nothing of it on the screen."""
        self._ended.set()
        with self._lock:
            self._clear()
            sys.stderr.flush()

    def _draw(self, text: str) -> None:
        room = output.width() - 1
        short = text if len(text) <= room else text[: room - 2] + ".."
        sys.stderr.write(CLEAR + short)
        sys.stderr.flush()
        self._visible = True

    def _clear(self) -> None:
        if self._visible:
            sys.stderr.write(CLEAR)
            self._visible = False


@contextmanager
def progress(things: str = "plugins") -> Iterator[Progress | None]:
    """Show progress while the block runs; None where stderr is no terminal, which shows nothing.

    `things` is what several of are worked on.
    """
    if not output.on_terminal(sys.stderr):
        yield None
        return
    shown = Progress(things=things)
    ticking = threading.Thread(target=shown.keep_ticking, daemon=True)
    with output.warnings_to(shown.warn):
        ticking.start()
        try:
            yield shown
        finally:
            shown.end()
            ticking.join()
