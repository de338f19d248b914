"""Where a trail ends, kept in a small file beside it so that an append reads no lines."""

from __future__ import annotations

import struct
from typing import NamedTuple, Self

from penstock.audit.api import FIRST_PREV

_FORM = struct.Struct("<4s10sqqq64s4s")
_MAGIC = b"AH01"
_END = b"end\n"
SIZE = _FORM.size


class Head(NamedTuple):
    """The end of a trail: the day that is open, its bytes and lines, the last time and hash.

    `day` is empty for a trail without a line.
    """

    day: str = ""
    size: int = 0
    lines: int = 0
    last_us: int = 0
    hash: bytes = FIRST_PREV.encode()

    def pack(self) -> bytes:
        """Return it as it is kept."""
        day = self.day.encode()
        return _FORM.pack(_MAGIC, day, self.size, self.lines, self.last_us, self.hash, _END)

    @classmethod
    def unpack(cls, data: bytes) -> Self | None:
        """Read it; None for a file that is empty, torn or something else."""
        if len(data) != SIZE:
            return None
        magic, day, size, lines, last_us, last_hash, end = _FORM.unpack(data)
        if magic != _MAGIC or end != _END:
            return None
        return cls(day.rstrip(b"\0").decode(), size, lines, last_us, last_hash)
