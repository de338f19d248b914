"""Locks between processes: held by the kernel, so a holder's death frees them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from penstock.errors import ClaimError, EnvironmentProblem

_PAUSE_S = 0.005


def try_lock(descriptor: int) -> bool:
    """Lock an open file for this descriptor alone; tell whether that could be done at once.

    The kernel frees it when the descriptor is closed, at the latest with the process.
    """
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


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

    With `sign` the file tells people which process holds it. Raises ClaimError with the text `busy` when another process still holds it after `patience_s`
    (seconds), EnvironmentProblem when the file cannot be made.
    """
    import fcntl  # not on Windows, where runs are not supported

    deadline = time.monotonic() + patience_s
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EnvironmentProblem(f"cannot make the lock {path}: {error.strerror}") from error
    try:
        while not try_lock(descriptor):
            if time.monotonic() >= deadline:
                raise ClaimError(busy, hint=hint)
            time.sleep(_PAUSE_S)
        if sign:
            os.truncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)
