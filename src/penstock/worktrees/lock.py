"""One lock for each repository, around whatever git itself does not keep from colliding."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penstock.errors import RepositoryError

FILE = "penstock-lock"
"""Not `*.lock`: those are git's, and people delete them when git is stuck."""

PATIENCE_S = 120.0


@contextmanager
def repository_lock(common: Path, *, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Hold the repository's lock, a flock on a file in the common git folder, while the block runs.

    The kernel frees it when the holder dies, in whatever way. It keeps out other processes and
    other threads alike, because each holder opens the file anew. Not reentrant. Raises
    RepositoryError when it is not to be had within `patience_s` (seconds), or not to be made.
    """
    path, deadline = common / FILE, time.monotonic() + patience_s
    while True:
        descriptor = _open(path)
        try:
            _take(descriptor, path, deadline)
            if not _is_same(descriptor, path):
                continue  # deleted while we waited: somebody else may hold its successor
            yield
            return
        finally:
            os.close(descriptor)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise RepositoryError(
            f"cannot make the lock {path}: {error.strerror}",
            hint="penstock must be able to write to the repository's git folder",
        ) from error


def _is_same(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _take(descriptor: int, path: Path, deadline: float) -> None:
    import fcntl  # not on Windows, where runs are not supported

    pause = 0.001
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise _held(descriptor, path) from None
            time.sleep(pause)
            pause = min(0.02, pause * 1.5)
        else:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            return


def _held(descriptor: int, path: Path) -> RepositoryError:
    holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
    return RepositoryError(
        f"process {holder} does not let go of the repository's lock {path}",
        hint=f"see what it does (ps -p {holder}); the lock goes when it ends",
    )
