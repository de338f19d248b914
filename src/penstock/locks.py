"""Locks between processes: held by the kernel, so a holder's death frees them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from penstock.errors import ClaimError, EnvironmentProblem

GRACE_S = 2.0
"""Seconds to wait for the lock of a holder that may have been killed: a child that it was starting has
the descriptor too until it has become another program."""
_PAUSE_S = 0.005
_OPEN = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
_FAR = 1 << 30
"""Where Windows locks a byte: beyond what is written, which nobody else could read otherwise."""


def try_lock(descriptor: int) -> bool:
    """Lock an open file for this descriptor alone; tell whether that could be done at once.

    The kernel frees it when the descriptor is closed, at the latest with the process.
    """
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
    else:
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _unlock(descriptor: int) -> None:
    """Free a lock before its descriptor is closed: a child that inherited it would keep it."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def exclusive(
    path: Path,
    *,
    busy: str,
    hint: str | None = None,
    patience_s: float = 0.0,
    sign: bool = True,
) -> Iterator[None]:
    """Hold an exclusive lock on `path` (created 0600) while the block runs.

    With `sign` the file tells people which process holds it. Raises ClaimError with the text `busy`
    when another process still holds it after `patience_s` (seconds), EnvironmentProblem when the
    file cannot be made.
    """
    deadline = time.monotonic() + patience_s
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, _OPEN, 0o600)
    except OSError as error:
        raise EnvironmentProblem(f"cannot make the lock {path}: {error.strerror}") from error
    try:
        while not try_lock(descriptor):
            if time.monotonic() >= deadline:
                raise ClaimError(busy, hint=hint)
            time.sleep(_PAUSE_S)
        if sign:
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.truncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        with suppress(OSError):
            _unlock(descriptor)
        os.close(descriptor)
