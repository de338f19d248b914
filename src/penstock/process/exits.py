"""Waiting for the exit of a child without collecting it, so that its number stays its own."""

from __future__ import annotations

import os
import select
import time

POLL_S = 0.02
"""How often an exit is looked for where there is no pidfd."""


def pidfd(pid: int) -> int | None:
    """Open a descriptor that becomes readable when the process ends; None where there is none."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def has_ended(pid: int) -> bool:
    """Tell whether our child has ended, leaving it to be collected."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def wait_for_end(pid: int, timeout: float | None) -> bool:
    """Wait up to `timeout` (s, None: for ever) for our child to end; tell whether it did."""
    descriptor = pidfd(pid)
    if descriptor is None:
        return _poll_for_end(pid, timeout)
    try:
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        return bool(poller.poll(None if timeout is None else max(0.0, timeout * 1000)))
    finally:
        os.close(descriptor)


def _poll_for_end(pid: int, timeout: float | None) -> bool:
    deadline = None if timeout is None else time.monotonic() + timeout
    while not has_ended(pid):
        if deadline is not None and time.monotonic() >= deadline:
            return False
        time.sleep(POLL_S)
    return True
