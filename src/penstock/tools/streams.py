"""Reading the event streams of AI CLIs line by line, with bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

MAX_LINE = 2 << 20
"""The longest line that is kept, in bytes; longer ones are counted and dropped."""


class LineSplitter:
    """Cuts a byte stream into lines, however its pieces fall.

    Never holds more than `max_line` bytes: a longer line is dropped whole and counted in
    `overlong`. Lines end at a newline; a carriage return before it belongs to the end.
    """

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self.overlong = 0
        self._max = max_line
        self._rest = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take the next piece and yield the lines it completes. Must be exhausted."""
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            line = self._finish(data[start:end])
            start = end + 1
            if line is not None:
                yield line
        self._hold(data[start:])

    def flush(self) -> Iterator[bytes]:
        """Yield the last line if the stream ended without a newline."""
        line = self._finish(b"")
        if line:
            yield line

    def _hold(self, piece: bytes) -> None:
        if self._skipping:
            return
        if len(self._rest) + len(piece) > self._max:
            self._skipping = True
            self._rest = bytearray()
            return
        self._rest += piece

    def _finish(self, piece: bytes) -> bytes | None:
        self._hold(piece)
        line, self._rest = bytes(self._rest), bytearray()
        if self._skipping:
            self._skipping = False
            self.overlong += 1
            return None
        return line.removesuffix(b"\r")


def decode_event(line: bytes) -> dict[str, Any] | None:
    """Return the JSON object that a line holds, or None when it holds anything else."""
    if not line.lstrip().startswith(b"{"):
        return None
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    return value if isinstance(value, dict) else None


def whole(value: object) -> int | None:
    """Return a count as an int, None for anything that is not one (unknown is never zero)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < 1 << 53 else None


def amount(value: object) -> float | None:
    """Return an amount of money as a float, None for anything that is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < float("inf") else None


def text(value: object) -> str:
    """Return a string as it is, anything else as the empty string."""
    return value if isinstance(value, str) else ""


def table(value: object) -> dict[str, Any]:
    """Return an object as it is, anything else as an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """Return a list as it is, anything else as an empty one."""
    return value if isinstance(value, list) else []
