"""Failures of the file system, said in terms of what was being done."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from penstock.errors import RepositoryError

_HINTS = {
    errno.ENOSPC: "free space on the disk, then resume",
    errno.EDQUOT: "free space on the disk, then resume",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f), then resume",
    errno.EROFS: "penstock must be able to write to the repository",
    errno.EACCES: "penstock must be able to write to the repository",
    errno.EPERM: "penstock must be able to write to the repository",
}


@contextmanager
def file_errors(doing: str) -> Iterator[None]:
    """Turn an OSError inside the block, or the decorated function, into a RepositoryError."""
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise RepositoryError(
            f"cannot {doing}: {error.strerror or error}{where}",
            hint=_HINTS.get(error.errno or 0, "look at that path, then resume"),
        ) from error
