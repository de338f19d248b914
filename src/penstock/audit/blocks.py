"""Reading a day's lines in blocks, from either end, without reading what is out of a span of time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from penstock.audit.line import BEGIN, STAMP, stamp

BLOCK = 1 << 20
_STEP = 1 << 12


class LinesFile:
    """A day's file, open for reading; what is appended later is not seen."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.size = os.fstat(self._descriptor).st_size

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def place_of(self, moment: float) -> int:
        """Return where the first line begins that is not before a moment (s since the epoch)."""
        target = stamp(int(moment * 1_000_000))
        low, high = 0, self.size
        while low < high:
            middle = (low + high) // 2
            start = self._line_from(middle, high)
            if start < high and self._stamp_at(start) < target:
                low = self._line_from(start + 1, high)
            else:
                high = middle
        return self._line_from(low, self.size)

    def blocks(self, start: int, end: int, *, backwards: bool) -> Iterator[bytes]:
        """Yield the whole lines between two beginnings of lines, a block at a time."""
        yield from self._down(start, end) if backwards else self._up(start, end)

    def _up(self, start: int, end: int) -> Iterator[bytes]:
        while start < end:
            cut = min(start + BLOCK, end)
            cut = cut if cut == end else self._line_from(cut, end)
            yield self._read(start, cut)
            start = cut

    def _down(self, start: int, end: int) -> Iterator[bytes]:
        while start < end:
            cut = max(end - BLOCK, start)
            while cut > start and self._line_from(cut, end) == end:  # a line longer than a block
                cut = max(cut - BLOCK, start)
            cut = cut if cut == start else self._line_from(cut, end)
            yield self._read(cut, end)
            end = cut

    def _line_from(self, place: int, end: int) -> int:
        """Return the beginning of a line at or after a place, `end` when there is none before."""
        if place == 0:
            return 0
        at = place - 1
        while at < end and (data := os.pread(self._descriptor, min(_STEP, end - at), at)):
            found = data.find(b"\n")
            if found >= 0:
                return at + found + 1
            at += len(data)
        return end

    def _stamp_at(self, place: int) -> bytes:
        return os.pread(self._descriptor, STAMP.stop - len(BEGIN), place + len(BEGIN))

    def _read(self, start: int, end: int) -> bytes:
        data = os.pread(self._descriptor, end - start, start)
        while len(data) < end - start:
            more = os.pread(self._descriptor, end - start - len(data), start + len(data))
            if not more:
                break
            data += more
        return data


def blocks_between(
    path: Path, since: float | None, until: float | None, *, backwards: bool
) -> Iterator[bytes]:
    """Yield the lines of a day's file in a span of time (s since the epoch, None = open)."""
    with closing(LinesFile(path)) as file:
        start = 0 if since is None else file.place_of(since)
        end = file.size if until is None else file.place_of(until)
        yield from file.blocks(start, end, backwards=backwards)
