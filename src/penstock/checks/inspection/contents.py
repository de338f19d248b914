"""Digests of files: each read once, and looked at again by its status when asked whether it changed."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

DIGEST_BYTES = 16
_PIECE = 1 << 20
# A status tells of every change but one in the tick of the clock in which the file was read; file
# systems tick in milliseconds, those with whole seconds show that by their times.
_TICK_NS = 100_000_000
_COARSE_TICK_NS = 2_100_000_000
_SECOND_NS = 1_000_000_000
_FLAGS = os.O_RDONLY
for _name in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):  # a FIFO must not make us wait
    _FLAGS |= getattr(os, _name, 0)


class _Known(NamedTuple):
    """A digest (None: cannot be read), the status that it belongs to, and when it was read."""

    digest: str | None
    status: tuple[int, ...] | None
    read_ns: int


class Contents:
    """The digests of files by their absolute paths. Thread-safe enough: at worst one is read twice.

    One object sees each file at one moment; `again` gives another that sees them as they are now.
    """

    def __init__(self, earlier: dict[str, _Known] | None = None) -> None:
        self._known: dict[str, _Known] = {}
        self._earlier = earlier or {}

    def digest(self, path: str) -> str | None:
        """Return the digest of a regular file's bytes and of its right to be executed, None when it
        cannot be read."""
        known = self._known.get(path)
        if known is None:
            known = self._earlier.get(path)
            if known is None or not _holds(known, path):
                known = _read(path)
            self._known[path] = known
        return known.digest

    def forget(self, paths: Iterable[str]) -> None:
        """Read these anew when they are asked for."""
        for path in paths:
            self._known.pop(path, None)
            self._earlier.pop(path, None)

    def again(self) -> Contents:
        """Return the digests as of now: files whose status has changed are read again."""
        return Contents({**self._earlier, **self._known})


def digest_of(*parts: str | bytes) -> str:
    """Return a digest of texts in their order; no two sequences of texts share one."""
    whole = blake2b(digest_size=DIGEST_BYTES)
    for part in parts:
        data = part if isinstance(part, bytes) else os.fsencode(part)
        whole.update(b"%d:" % len(data))
        whole.update(data)
    return whole.hexdigest()


def _holds(known: _Known, path: str) -> bool:
    """Tell whether a file is sure to be as it was when it was read."""
    try:
        status = _status(os.stat(path))  # noqa: PTH116 - asked for every file of a project
    except (OSError, ValueError):
        return known.status is None
    return status == known.status and _is_settled(status, known.read_ns)


def _is_settled(status: tuple[int, ...], read_ns: int) -> bool:
    """Tell whether a change after the reading would have given the file another status."""
    modified, changed = status[:2]
    tick = _TICK_NS if modified % _SECOND_NS or changed % _SECOND_NS else _COARSE_TICK_NS
    return max(modified, changed) < read_ns - tick


def _status(status: os.stat_result) -> tuple[int, ...]:
    return (
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_size,
        status.st_ino,
        status.st_dev,
        status.st_mode,
    )


def _read(path: str) -> _Known:
    now = time.time_ns()
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError):
        return _Known(None, None, now)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return _Known(None, _status(found), now)
        whole = blake2b(b"x" if found.st_mode & stat.S_IXUSR else b"-", digest_size=DIGEST_BYTES)
        while piece := os.read(descriptor, _PIECE):
            whole.update(piece)
        return _Known(whole.hexdigest(), _status(found), now)
    except OSError:
        return _Known(None, None, now)
    finally:
        os.close(descriptor)
