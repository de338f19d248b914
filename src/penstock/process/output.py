"""Where a child's output goes: to its log through a filter, to a callback, and into a short tail."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from penstock.process.api import FilterFactory, OutputFilter

PIECE = 1 << 16
"""Bytes per read, the size of a pipe on Linux."""


def _make_private(folder: Path) -> None:
    # mkdir(parents=True) would leave the folders in between open to others
    if not folder.is_dir():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


class Log:
    """A log file being appended to. No failure of it raises: `error` says what went wrong first.

    A full disk must neither kill the child nor hang it, so after an error the rest is dropped.
    `tell` hears of all that is to be written; what it raises is passed on.
    """

    def __init__(self, path: Path | None, tell: Callable[[bytes], None] | None = None) -> None:
        self.error = ""
        self._tell = tell
        self._path = path
        self._descriptor = -1
        if path is not None:
            self._open(path)

    def _open(self, path: Path) -> None:
        # a symlink there would lead us to write elsewhere, a FIFO without a reader would hang us
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            _make_private(path.parent)
            self._descriptor = os.open(path, flags | os.O_NONBLOCK, 0o600)
        except OSError as error:
            self._fail(error)

    def write(self, data: bytes) -> None:
        """Append all of the data."""
        if self._tell is not None and data:
            self._tell(data)
        if self._descriptor < 0:
            return
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            self.close()
            self._fail(error)

    def close(self) -> None:
        """Close the file; harmless when it is closed."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            try:
                os.close(descriptor)
            except OSError as error:
                self._fail(error)

    def _fail(self, error: OSError) -> None:
        self.error = self.error or f"the log {self._path} cannot be written: {error.strerror}"


class Tail:
    """The last bytes of a stream, in memory bounded to twice as many, and how many there were."""

    def __init__(self, keep_bytes: int) -> None:
        self.total = 0
        self._keep = keep_bytes
        self._held = bytearray()

    def add(self, data: bytes) -> None:
        """Take the next piece."""
        self.total += len(data)
        self._held += data
        if len(self._held) > 2 * self._keep:
            self._cut()

    def value(self) -> bytes:
        """Return the tail."""
        self._cut()
        return bytes(self._held)

    def _cut(self) -> None:
        # len() - keep and not a negative index: keep may be 0
        del self._held[: max(0, len(self._held) - self._keep)]


class Stream:
    """The reading end of one output pipe of a child, and all that is done with what comes."""

    def __init__(
        self,
        log: Log,
        keep_bytes: int,
        make_filter: FilterFactory | None,
        callback: Callable[[bytes], bool | None] | None,
    ) -> None:
        """Make the pipe. Raises OSError when no descriptors are left."""
        self.read_end, self.write_end = os.pipe()
        self.inode = os.fstat(self.read_end).st_ino
        self.tail = Tail(keep_bytes)
        self.at_end = False
        self._log = log
        self._filter: OutputFilter | None = None if make_filter is None else make_filter()
        self._callback = callback
        os.set_blocking(self.read_end, False)

    def pump(self) -> bool:
        """Read one piece and pass it on; tell whether the callback wants the child stopped."""
        try:
            data = os.read(self.read_end, PIECE)
        except BlockingIOError:
            return False
        if not data:
            self.at_end = True
            return False
        self.tail.add(data)
        self._log.write(data if self._filter is None else self._filter.feed(data))
        return self._callback is not None and self._callback(data) is True

    def finish(self) -> None:
        """Write what the filter still holds back."""
        if self._filter is not None:
            self._log.write(self._filter.flush())

    def close_write_end(self) -> None:
        """Close our copy of the writing end, so that the end of the stream can be seen."""
        descriptor, self.write_end = self.write_end, -1
        if descriptor >= 0:
            os.close(descriptor)

    def close(self) -> None:
        """Close both ends."""
        self.close_write_end()
        os.close(self.read_end)
