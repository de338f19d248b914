"""Texts to look through for secrets: files in parts, what is text and what is not."""

from __future__ import annotations

import codecs
import errno
import os
import stat
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from penstock.leaks.found import Source

PART = 8 << 20
"""Bytes of a file that are looked through at once."""
OVERLAP = 1 << 16
"""Bytes at the end of a part that are looked at again with the next: for secrets across the cut."""
_HEAD = 8192
_WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Text(NamedTuple):
    """Bytes to look through.

    They begin on line `line` of what `path` names. What ends within the first `seen` bytes was found
    already. `before` are the ids of the objects that these bytes have taken the place of: what these
    hold is not new.
    """

    source: Source
    path: str
    data: bytes
    line: int = 1
    seen: int = 0
    commit: str | None = None
    before: tuple[str, ...] = ()


def readable(data: bytes) -> bytes | None:
    """Return data as text in UTF-8 or one byte a character; None for what is no text."""
    for mark, encoding in _WIDE:
        if data.startswith(mark):
            return data.decode(encoding, "replace").encode("utf-8", "replace")
    return None if b"\0" in data[:_HEAD] else data


def read_texts(source: Source, path: str, place: str, *, binary: bool = False) -> Iterator[Text]:
    """Yield a file in parts, which begin where lines do as far as there are lines.

    With `binary` also one that is no text; else there is nothing to yield. Raises OSError, also for a
    link and for what is no file; a pipe is not waited for.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(place, flags | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a file", place)
        first = _read(file, PART, status.st_size + 1)
        text = first if binary else readable(first)
        if text is None:
            return
        if len(first) < PART:
            yield Text(source, path, text)
        elif text is first:
            yield from _in_parts(source, path, first, file)
        else:  # two or four bytes a character: taken whole
            yield Text(source, path, readable(first + file.read()) or b"")


def _in_parts(source: Source, path: str, data: bytes, file: BinaryIO) -> Iterator[Text]:
    line, seen = 1, 0
    while len(data) > seen:
        yield Text(source, path, data, line, seen)
        cut = _cut(data)
        line += data.count(b"\n", 0, cut)
        seen = len(data) - cut
        data = data[cut:] + _read(file, PART - seen)


def _cut(data: bytes) -> int:
    """Return where the next part begins: at a line in the overlap, else right before it."""
    start = max(len(data) - OVERLAP, 0)
    newline = data.find(b"\n", start)
    return start if newline < 0 else newline + 1


def _read(file: BinaryIO, size: int, expected: int = PART) -> bytes:
    """Read so many bytes, fewer only at the end; `expected` spares room for more than there is."""
    pieces = [file.read(min(size, expected))]
    have = len(pieces[0])
    if have < min(size, expected):
        return pieces[0]
    while have < size and (piece := file.read(size - have)):
        pieces.append(piece)
        have += len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
