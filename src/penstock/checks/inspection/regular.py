"""Reading a file that may be something else by now: never a pipe that blocks, never a folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path


class Refusal(Exception):  # noqa: N818 - a verdict, not a fault
    """Why a file was left as it is."""


def read_regular(
    path: str | Path, *, follow: bool, limit: int | None = None
) -> tuple[bytes, os.stat_result]:
    """Return the bytes of a file, at most `limit` and one more, and what it is.

    Raises Refusal for what is no file, and OSError; a link is one unless `follow`.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
    descriptor = os.open(path, flags if follow else flags | os.O_NOFOLLOW)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Refusal("it is no longer a file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(-1 if limit is None else limit + 1), status
    finally:
        os.close(descriptor)
