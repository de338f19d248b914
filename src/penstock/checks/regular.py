"""Reading a file that may be something else: never waiting for the writer of a pipe."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def read_regular(path: str | Path, *, limit: int | None = None) -> bytes:
    """Return the bytes of a file, links followed, at most `limit`. Raises OSError, also for what is
    no file."""
    return open_regular(path, follow=True, limit=limit)[0]


def open_regular(
    path: str | Path, *, follow: bool, limit: int | None = None
) -> tuple[bytes, os.stat_result]:
    """Return the bytes of a file, at most `limit`, and its status.

    Raises OSError, also for what is no file, and for a link unless `follow`.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
    descriptor = os.open(path, flags if follow else flags | os.O_NOFOLLOW)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a file", str(path))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(-1 if limit is None else limit), status
    finally:
        os.close(descriptor)
