"""The last lines of a trail's file, as a writer who did not write them finds them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from penstock.audit import layout
from penstock.audit.head import Head
from penstock.audit.line import read_link
from penstock.audit.seals import read_checkpoint
from penstock.model.times import seconds


class Tail(NamedTuple):
    """What follows a known line: how many lines continue the chain, up to which hash and time, and
    the rest of a line that has no end."""

    lines: int
    hash: str
    last_us: int
    torn: bytes


def parse_tail(data: bytes, prev: str) -> Tail:
    """Read lines that follow the line with the hash `prev`; a line that does not continue the chain
    is passed over."""
    number, last_us = 0, 0
    *lines, torn = data.split(b"\n")
    for text in lines:
        link = read_link(text)
        if link is not None and link.intact and link.prev == prev:
            number, prev, last_us = number + 1, link.hash, micros(link.stamp)
    return Tail(number, prev, last_us, torn)


def tail_of_file(path: Path, day: str) -> Head:
    """Return the end of a day's file by reading all of it: the last line that has the right form
    counts, whatever is left without a line end is for the next writer to see."""
    *lines, torn = path.read_bytes().split(b"\n")
    size = path.stat().st_size - len(torn)
    for text in reversed(lines):
        link = read_link(text)
        if link is not None:
            return Head(day, size, len(lines), micros(link.stamp), link.hash.encode())
    return Head(day, size, len(lines))


def last_hash_on_file(folder: Path, days: Sequence[str]) -> bytes | None:
    """Return the hash that the newest checkpoint says; None without one."""
    for day in reversed(days):
        checkpoint = read_checkpoint(layout.checkpoint_file(folder, day))
        if checkpoint is not None:
            return checkpoint.head.encode()
    return None


def micros(stamp: str) -> int:
    """Return the time of a line in microseconds since the epoch; 0 when it is no time."""
    try:
        whole = int(seconds(f"{stamp[:19]}Z"))
        return whole * 1_000_000 + int(stamp[20:26])
    except ValueError:
        return 0
