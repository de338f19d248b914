"""Locks between processes: held by the kernel, so a holder's death frees them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from penstock.errors import ClaimError, EnvironmentProblem


@contextmanager
def exclusive(path: Path, *, busy: str, hint: str | None = None) -> Iterator[None]:
    """Hold an exclusive lock on `path` (created 0600) while the block runs.

    Raises ClaimError with the text `busy` when another process holds it, EnvironmentProblem when
    the file cannot be made.
    """
    import fcntl  # not on Windows, where runs are not supported

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EnvironmentProblem(f"cannot make the lock {path}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ClaimError(busy, hint=hint) from error
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)
