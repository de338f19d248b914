"""Watching one child from its start to the moment when nothing of it is left."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from penstock.process import proc, spawn
from penstock.process.api import Command, End, Stop
from penstock.process.exits import POLL_S as EXIT_POLL_S
from penstock.process.exits import has_ended, pidfd, wait_for_end
from penstock.process.output import Stream
from penstock.process.sweep import sweep

if TYPE_CHECKING:
    from penstock.process.portable import Descendants

STOP_POLL_S = 0.1
"""How often is looked whether the user wants it at once, after the first wish to stop."""
LONGEST_POLL_S = 60.0
DRAIN_S = 0.2
"""How long the output of an ended child may still come from others that hold its pipe."""
KILLED_S = 5.0
"""How long a killed child may take to go: one inside a hung file system call stays for ever."""


def _start_of(pid: int) -> int:
    try:
        return proc.start_of(pid)
    except OSError:  # out of descriptors: then nothing is known to be older
        return 0


def _descriptor_of(stop: Stop) -> int | None:
    try:
        return stop.descriptor()
    except OSError:  # out of descriptors: then it is looked at again and again
        return None


def _descendants(pid: int) -> Descendants:
    from penstock.process.portable import Descendants

    return Descendants(pid)


class Limits:
    """The moments at which a child must end, on the monotonic clock. Decides, does nothing."""

    def __init__(self, command: Command, stop: Stop | None, now: float) -> None:
        self._command = command
        self._stop = stop
        self._wall_at = None if command.wall_s is None else now + command.wall_s
        self._settled_at: float | None = None
        self.last_output = now

    def settle(self, now: float) -> None:
        """Note that the caller has seen enough; the child may still end itself for `settle_s`."""
        if self._settled_at is None:
            self._settled_at = now + self._command.settle_s

    def reason(self, now: float) -> End | None:
        """Return why the child must end now, None when it may go on."""
        if self._stop is not None and self._stop.asked:
            return End.INTERRUPTED
        if self._settled_at is not None:
            return End.STOPPED if now >= self._settled_at else None
        if self._wall_at is not None and now >= self._wall_at:
            return End.WALL_LIMIT
        if self._idle_at is not None and now >= self._idle_at:
            return End.IDLE_LIMIT
        return None

    def next_at(self) -> float | None:
        """Return the earliest moment at which `reason` may change by time alone."""
        if self._settled_at is not None:
            return self._settled_at
        moments = [at for at in (self._wall_at, self._idle_at) if at is not None]
        return min(moments, default=None)

    @property
    def _idle_at(self) -> float | None:
        idle_s = self._command.idle_s
        return None if idle_s is None else self.last_output + idle_s


class Watch:
    """One started child. After `run`, the attributes say what became of it.

    `ended_at` is on the monotonic clock; `exit_code` is None when the child could not be ended
    or its status is lost, and then `error` says so.
    """

    def __init__(
        self,
        command: Command,
        stop: Stop | None,
        child: subprocess.Popen[bytes],
        streams: tuple[Stream, Stream],
    ) -> None:
        now = time.monotonic()
        self.end = End.EXITED
        self.exit_code: int | None = None
        self.ended_at = now
        self.swept = 0
        self.error = ""
        self._command = command
        self._stop = stop
        self._child = child
        self._born = _start_of(child.pid)
        self._descendants = None if proc.available() else _descendants(child.pid)
        self._limits = Limits(command, stop, now)
        self._ended = False
        self._stopping: End | None = None
        self._kill_at = self._give_up_at = float("inf")
        self._streams = {stream.read_end: stream for stream in streams}
        self._inodes = frozenset(stream.inode for stream in streams)
        self._pidfd = pidfd(child.pid)
        self._poll = select.poll()
        self._wish = None if stop is None else _descriptor_of(stop)
        for descriptor in (*self._streams, self._pidfd, self._wish):
            if descriptor is not None:
                self._poll.register(descriptor, select.POLLIN)

    def run(self) -> None:
        """Watch the child to its end, pass its output on, sweep, and collect it."""
        everything = tuple(self._streams.values())
        try:
            if self._command.on_start is not None:
                self._command.on_start(self._child.pid, self._born)
            now = time.monotonic()
            while not self._ended and now < self._give_up_at:
                self._wait(now)
                now = time.monotonic()
                if not self._ended:
                    self._judge(now)
            self.ended_at = now
            self._release()
            self._drain(DRAIN_S)
        finally:
            self._clean_up()
        self._drain(0.0)
        for stream in everything:
            stream.finish()

    # -- waiting ---------------------------------------------------------------------------
    def _wait(self, now: float) -> None:
        for descriptor, _ in self._poll.poll(self._patience(now) * 1000):
            if descriptor == self._pidfd:
                self._ended = True
            elif descriptor == self._wish:
                self._forget_wish()  # it stays readable
            else:
                self._pump(descriptor)
        if self._pidfd is None:
            self._ended = has_ended(self._child.pid)
        if self._descendants is not None:
            self._descendants.record()

    def _patience(self, now: float) -> float:
        told = self._stop is None or self._wish is not None
        wait = LONGEST_POLL_S if told else STOP_POLL_S
        if self._pidfd is None:
            wait = EXIT_POLL_S
        moment = min(self._kill_at, self._give_up_at)
        if self._stopping is None:
            moment = self._limits.next_at() or moment
        return max(0.0, min(wait, moment - now))

    def _pump(self, descriptor: int) -> None:
        stream = self._streams[descriptor]
        if stream.pump():
            self._limits.settle(time.monotonic())
        if stream.at_end:
            self._poll.unregister(descriptor)
            del self._streams[descriptor]
        else:
            self._limits.last_output = time.monotonic()

    def _drain(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self._streams:
            ready = self._poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
            for descriptor, _ in ready:
                self._pump(descriptor)
            if not ready or time.monotonic() >= deadline + DRAIN_S:
                return

    # -- ending ----------------------------------------------------------------------------
    def _judge(self, now: float) -> None:
        at_once = self._stop is not None and self._stop.now
        if self._stopping is None:
            self._stopping = self._limits.reason(now)
            if self._stopping is not None and not at_once:
                self._ask_to_end(now)
        if self._stopping is not None and (at_once or now >= self._kill_at):
            self._kill(now)

    def _ask_to_end(self, now: float) -> None:
        self._kill_at = now + self._command.grace_s
        with suppress(ProcessLookupError, PermissionError):
            os.kill(self._child.pid, signal.SIGTERM)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGCONT)

    def _kill(self, now: float) -> None:
        if self._give_up_at == float("inf"):
            self._give_up_at = now + KILLED_S
        self._kill_at = float("inf")
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)

    def _clean_up(self) -> None:
        # the child is collected last: until then its number, and that of its session, is its own
        if not self._ended:
            self._kill(time.monotonic())
            self._ended = wait_for_end(self._child.pid, 0.0 if self._gave_up() else KILLED_S)
        try:
            self.swept = self._sweep()
        finally:
            self._release()
            self._collect()

    def _sweep(self) -> int:
        swept = sweep(
            marker=self._command.marker,
            session=self._child.pid,
            pipes=self._inodes,
            cwd=self._command.sweep_cwd,
            since=self._born,
        )
        return swept + (0 if self._descendants is None else self._descendants.kill())

    def _forget_wish(self) -> None:
        descriptor, self._wish = self._wish, None
        if descriptor is not None:
            self._poll.unregister(descriptor)

    def _release(self) -> None:
        self._forget_wish()
        descriptor, self._pidfd = self._pidfd, None
        if descriptor is not None:
            self._poll.unregister(descriptor)
            os.close(descriptor)

    def _gave_up(self) -> bool:
        return time.monotonic() >= self._give_up_at

    def _collect(self) -> None:
        # the sweep may have reached it where the group could not
        if not self._ended and not has_ended(self._child.pid):
            spawn.abandon(self._child)
            self.error = f"process {self._child.pid} does not end, even when killed"
        else:
            self.exit_code = spawn.reap(self._child)
            if self.exit_code is None:
                self.error = "the exit status is lost: SIGCHLD is ignored in this process"
        if self._stopping is not None:
            self.end = self._stopping
        elif self.exit_code is not None and self.exit_code < 0:
            self.end = End.SIGNALED
