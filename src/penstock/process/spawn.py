"""Starting a child: the one call of Popen, its count, and which children of ours still live."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from penstock.process.api import MARKER_VARIABLE
from penstock.process.descriptors import raise_file_limit
from penstock.process.interrupts import interrupts_held


class _Ledger:
    """Counts the children started and knows the sessions of those not yet reaped. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._sessions: set[int] = set()
        self._limit_raised = False
        self._abandoned: list[subprocess.Popen[bytes]] = []

    @property
    def count(self) -> int:
        return self._count

    def sessions(self) -> frozenset[int]:
        with self._lock:
            return frozenset(self._sessions)

    def started(self, pid: int) -> None:
        with self._lock:
            self._count += 1
            self._sessions.add(pid)

    def reaped(self, pid: int) -> None:
        with self._lock:
            self._sessions.discard(pid)

    def raise_file_limit(self) -> None:
        if not self._limit_raised:
            self._limit_raised = True
            raise_file_limit()

    def abandon(self, child: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._abandoned.append(child)
            self._sessions.discard(child.pid)

    def collect_abandoned(self) -> None:
        if self._abandoned:
            with self._lock:
                self._abandoned = [child for child in self._abandoned if child.poll() is None]


_ledger = _Ledger()


def spawned() -> int:
    """Return how many children this process has started through the door since start-up."""
    return _ledger.count


def live_sessions() -> frozenset[int]:
    """Return the session ids of our children that are not yet reaped."""
    return _ledger.sessions()


def start(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    marker: str | None,
    stdin: int,
    stdout: int,
    stderr: int,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, with exactly `env` and the marker.

    Raises OSError when it cannot be started and ValueError for an empty argv or a NUL byte. After
    KeyboardInterrupt the child is gone.
    """
    if not argv:
        raise ValueError("an empty argument list names no program")
    _ledger.raise_file_limit()
    _ledger.collect_abandoned()
    whole = dict(env) if marker is None else {**env, MARKER_VARIABLE: marker}
    child: subprocess.Popen[bytes] | None = None
    try:
        with interrupts_held():  # Popen would forget a child that is under way
            child = subprocess.Popen(
                argv,
                cwd=cwd,
                env=whole,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                bufsize=0,
                start_new_session=True,
            )
            _ledger.started(child.pid)
    except KeyboardInterrupt:
        if child is not None:
            _end(child)
        raise
    return child


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a child that nobody will hear of."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    reap(child)


def reap(child: subprocess.Popen[bytes]) -> int | None:
    """Collect an ended child and return its exit code, negative for a signal.

    None when its status is lost, because this process was started with SIGCHLD ignored.
    """
    try:
        _, status = os.waitpid(child.pid, 0)
        code: int | None = os.waitstatus_to_exitcode(status)
    except ChildProcessError:
        code = None
    child.returncode = -1 if code is None else code
    _ledger.reaped(child.pid)
    return code


def abandon(child: subprocess.Popen[bytes]) -> None:
    """Leave a child that does not end even when killed to be collected at a later start."""
    _ledger.abandon(child)
