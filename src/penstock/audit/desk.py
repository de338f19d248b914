"""The open files of a writer: the head, which is the lock too, and the day's lines."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from penstock.audit import head as heads
from penstock.audit import layout
from penstock.audit.head import Head
from penstock.errors import AIMAuditLogError

_FLAGS = os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_TAKE, _GIVE = 2, 8
"""LOCK_EX and LOCK_UN, the same on every Unix."""
LOOK_EVERY_S = 1.0
"""Seconds after which a writer looks again whether the head file is still in the folder."""


class Desk:
    """Holds a trail's files open for one process, and sees when they were replaced or deleted.

    As a context manager it keeps every other writer out while the block runs; each OSError of the
    block leaves it as an AIMAuditLogError.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._turn = threading.Lock()
        self._lock: Callable[[int, int], None] | None = None
        self._process = 0
        self._looked_at = 0.0
        self._head = -1
        self._lines = -1
        self._day = ""

    def __enter__(self) -> None:
        self._turn.acquire()
        try:
            self._take()
        except OSError as error:
            self._turn.release()
            raise unusable(self.folder, error) from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._lock is not None:
            self._lock(self._head, _GIVE)
        self._turn.release()
        if isinstance(error, OSError):
            raise unusable(self.folder, error) from error

    def close(self) -> None:
        """Close what is open; the next use opens it again."""
        with self._turn:
            self._close()

    # -- the head --------------------------------------------------------------------------
    def read_head(self) -> Head | None:
        """Read where the trail ends; None when the file does not say."""
        return Head.unpack(os.pread(self._head, heads.SIZE, 0))

    def write_head(self, head: Head) -> None:
        """Keep where the trail ends."""
        os.pwrite(self._head, head.pack(), 0)

    # -- the day's lines -------------------------------------------------------------------
    def in_step(self, head: Head) -> bool:
        """Tell whether the open file is that of the head's day, still there, and as long."""
        if head.day != self._day or self._lines < 0:
            return False
        state = os.fstat(self._lines)
        return state.st_size == head.size and state.st_nlink > 0

    def open_day(self, day: str) -> int:
        """Open the lines of a day, made when missing, and return their size in bytes."""
        if self._lines >= 0:
            os.close(self._lines)
            self._lines = -1
        path = layout.lines_file(self.folder, day)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self._lines = os.open(path, _FLAGS | os.O_RDWR | os.O_APPEND, 0o600)
        self._day = day
        return os.fstat(self._lines).st_size

    def write(self, data: bytes, size: int) -> None:
        """Append to a day's lines that are `size` bytes long: all of it, or nothing and OSError."""
        try:
            written = os.write(self._lines, data)
            while written < len(data):
                written += os.write(self._lines, memoryview(data)[written:])
        except OSError:
            os.ftruncate(self._lines, size)
            raise

    def cut(self, size: int) -> None:
        """Cut the day's lines to so many bytes."""
        os.ftruncate(self._lines, size)

    def read(self, start: int, end: int) -> bytes:
        """Read a range of the day's lines."""
        parts: list[bytes] = []
        while start < end and (part := os.pread(self._lines, end - start, start)):
            parts.append(part)
            start += len(part)
        return b"".join(parts)

    def synchronise(self) -> None:
        """Push the day's lines to the disk."""
        if self._lines >= 0:
            os.fsync(self._lines)

    # -- opening ---------------------------------------------------------------------------
    def _take(self) -> None:
        """Lock the head file that is in the folder now."""
        while True:
            lock = self._lock
            if lock is None or self._head < 0 or self._process != os.getpid():
                lock = self._open()
            lock(self._head, _TAKE)
            if self._is_there():
                return
            self._close()  # it was deleted, and others may hold another one

    def _is_there(self) -> bool:
        """Tell whether the open head file is still in the folder; looked at once a second."""
        now = time.monotonic()
        if now < self._looked_at + LOOK_EVERY_S:
            return True
        self._looked_at = now
        return os.fstat(self._head).st_nlink > 0

    def _open(self) -> Callable[[int, int], None]:
        # after a fork the descriptors, and with them the lock, would be shared with the parent
        import fcntl  # not on Windows, where runs are not supported

        self._close()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._head = os.open(self.folder / layout.HEAD, _FLAGS | os.O_RDWR, 0o600)
        self._process = os.getpid()
        self._lock = fcntl.flock
        return fcntl.flock

    def _close(self) -> None:
        for descriptor in (self._head, self._lines):
            if descriptor >= 0:
                os.close(descriptor)
        self._head = self._lines = -1
        self._day = ""
        self._looked_at = 0.0


def read_head(folder: Path) -> Head | None:
    """Read where a trail ends without keeping writers out; None when nothing says it."""
    try:
        return Head.unpack((folder / layout.HEAD).read_bytes())
    except OSError:
        return None


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    """Turn each OSError of the block into an AIMAuditLogError."""
    try:
        yield
    except OSError as error:
        raise unusable(folder, error) from error


def unusable(folder: Path, error: OSError) -> AIMAuditLogError:
    """Say that a trail cannot be used, and what mends it."""
    where = error.filename or folder
    return AIMAuditLogError(
        f"the audit trail cannot be used: {where}: {error.strerror}",
        hint="Free space or mend the permissions, move the trail with audit.logPath in"
        " config/aim_config.json, or set enable_audit_logging to false to work without it.",
    )
