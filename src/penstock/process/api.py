"""Command and Outcome: what to start, and what became of it."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

MARKER_VARIABLE = "PENSTOCK_ATTEMPT"
"""The environment variable whose value marks every child of one attempt."""


class End(StrEnum):
    """Why a child process came to its end."""

    EXITED = "exited"
    SIGNALED = "signaled"
    WALL_LIMIT = "wall_limit"
    IDLE_LIMIT = "idle_limit"
    STOPPED = "stopped"  # by its own caller, e.g. an adapter that has read enough
    INTERRUPTED = "interrupted"  # by the user, through the Stop token
    NOT_FOUND = "not_found"
    NOT_STARTED = "not_started"


class Stop:
    """The user's wish to stop: `ask()` once is polite, twice is at once. Thread-safe."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._now = threading.Event()
        self._lock = threading.Lock()
        self._pipe: tuple[int, int] | None = None

    def ask(self) -> None:
        """Ask to stop; a second call asks to stop at once. May be called by a signal handler."""
        if self._asked.is_set():
            self._now.set()
        self._asked.set()
        self._wake()

    def descriptor(self) -> int:
        """Return a descriptor, for poll, that becomes readable when a stop is asked for, for good.

        It belongs to this object. Raises OSError when there are none left.
        """
        with self._lock:
            if self._pipe is None:
                self._pipe = os.pipe()
                os.set_blocking(self._pipe[1], False)
                weakref.finalize(self, _close, self._pipe)
        if self.asked:  # perhaps before the pipe was there to be written to
            self._wake()
        return self._pipe[0]

    def _wake(self) -> None:
        if self._pipe is not None:
            with suppress(BlockingIOError):
                os.write(self._pipe[1], b"!")

    @property
    def asked(self) -> bool:
        """Tell whether a stop was asked for."""
        return self._asked.is_set()

    @property
    def now(self) -> bool:
        """Tell whether it was asked for a second time."""
        return self._now.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds` (s); return True as soon as a stop is asked for."""
        return self._asked.wait(seconds)


def _close(descriptors: tuple[int, ...]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


class OutputFilter(Protocol):
    """Rewrites a byte stream piece by piece (redaction); `flush` gives what it still holds."""

    def feed(self, data: bytes) -> bytes:
        """Take the next piece, return what may be written."""
        ...

    def flush(self) -> bytes:
        """Return the rest at the end of the stream."""
        ...


FilterFactory = Callable[[], OutputFilter]
"""Makes a fresh output filter for each stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A child process to be.

    `argv[0]` is looked up on the PATH of `env`, which is the whole environment. `stdin` is a file
    to read from; None is closed (/dev/null). Times are seconds; None is no limit. `marker` is
    put into the environment as MARKER_VARIABLE. Output goes to `log` (both streams as they come,
    through filters made by `make_filter`; `on_log` hears of it too), and the last `keep_bytes` of
    each stream are kept.
    `on_stdout`/`on_stderr` see every raw piece; when one returns True the child is stopped
    (End.STOPPED). After `settle_s` from that moment, if `settle_s` > 0, so that it may end itself.
    `sweep_cwd`: whatever has its working directory in here is ended too. `on_start` hears of the
    child right after it was started: its process id and start time (clock ticks since boot, as in
    ProcessIdentity; 0 when unknown). Not yet collected, it still has that number even if it has
    ended meanwhile.
    """

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    stdin: Path | None = None
    log: Path | None = None
    wall_s: float | None = None
    idle_s: float | None = None
    grace_s: float = 3.0
    settle_s: float = 0.0
    keep_bytes: int = 1 << 20
    marker: str | None = None
    sweep_cwd: Path | None = None
    make_filter: FilterFactory | None = field(default=None, repr=False)
    on_log: Callable[[bytes], None] | None = field(default=None, repr=False)
    on_start: Callable[[int, int], None] | None = field(default=None, repr=False)
    on_stdout: Callable[[bytes], bool | None] | None = field(default=None, repr=False)
    on_stderr: Callable[[bytes], bool | None] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a Command.

    `exit_code` is the child's, negative for a signal, None when it was never started.
    `stdout`/`stderr` are the kept tails; `*_bytes` how much there was in all. `swept` counts the
    processes that were still alive afterwards and had to be ended. `error` says why it could
    not be started or ended, and what kept its log from being written. Times are seconds since the epoch and seconds.
    """

    argv: tuple[str, ...]
    end: End
    exit_code: int | None
    started_at: float
    duration_s: float
    stdout: bytes = b""
    stderr: bytes = b""
    stdout_bytes: int = 0
    stderr_bytes: int = 0
    swept: int = 0
    error: str = ""

    @property
    def text(self) -> str:
        """The kept stdout, decoded safely."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def error_text(self) -> str:
        """The kept stderr, decoded safely."""
        return self.stderr.decode("utf-8", "replace")

    @property
    def timed_out(self) -> bool:
        """Tell whether one of our limits ended it."""
        return self.end in (End.WALL_LIMIT, End.IDLE_LIMIT)
