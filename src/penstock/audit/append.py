"""Appending to a trail: many threads and processes at once, killed at any moment.

A line is written with one call before the head is moved. So a writer who dies in between leaves
lines that the next one finds by the size of the file: whole ones that continue the chain are taken
over, the rest of a torn one is cut off, and what was found is recorded. Nothing is synchronised
line by line: a killed process loses nothing, and what a machine without power loses is found.

Time never goes back within a trail: an entry that is made while the clock is behind the last line
bears that line's time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from penstock.audit import layout, line
from penstock.audit.api import FIRST_PREV
from penstock.audit.desk import Desk
from penstock.audit.head import Head
from penstock.audit.tail import Tail, last_hash_on_file, parse_tail, tail_of_file

BEHIND_US = 60_000_000
"""A clock that is so far behind the last line is worth an entry."""

SEALED = -1
"""The size in the head of a day that is closed: no open file agrees with it, so that each writer
looks where to go on."""

Note = Callable[[str, Mapping[str, Any]], bytes]
"""Makes the body of an entry of the trail's own from a message and details."""


class Appender:
    """Appends bodies to the trail of a desk. It may be shared by threads.

    `close_day` is called with the end of each day that is over, before the next one begins.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        now_us: Callable[[], int],
        note: Note,
        close_day: Callable[[Head], None],
    ) -> None:
        self._desk = desk
        self._now_us = now_us
        self._note = note
        self._close_day = close_day
        self._day_end_us = 0
        self._second = (-1, b"")
        self._clock_told = False

    def append(self, bodies: Sequence[bytes]) -> str:
        """Write the bodies as lines and return the hash of the last one.

        Raises AIMAuditLogError when they are not on file; none of them is then.
        """
        with self._desk:
            now = self._now_us()
            head = self._desk.read_head()
            if head is None or now >= self._day_end_us or not self._desk.in_step(head):
                head = self._ready(head, now)
            elif now + BEHIND_US < head.last_us and not self._clock_told:
                head = self._tell_of_clock(head, now)
            return self._put(head, bodies, now).hash.decode()

    def settle(self) -> Head:
        """Bring head and file in step, seal a day that is over, return where the trail ends.

        Nothing else is written; to be called by one who holds the desk.
        """
        found = self._desk.read_head()
        head = self._recovered() if found is None else found
        if not head.day:
            return head
        if not self._is_sealed(head.day):
            head, notes = self._caught_up(head)
            if notes:
                head = self._put(head, notes, head.last_us)
            if layout.day_at(self._now_us()) > head.day:
                self._close_day(head)
        if self._is_sealed(head.day):
            head = head._replace(size=SEALED)
        self._desk.write_head(head)
        return head

    # -- writing ---------------------------------------------------------------------------
    def _put(self, head: Head, bodies: Sequence[bytes], now: int) -> Head:
        at = max(now, head.last_us)
        data, last = line.seal(bodies, self._stamp(at), head.hash)
        self._desk.write(data, head.size)
        moved = Head(head.day, head.size + len(data), head.lines + len(bodies), at, last)
        self._desk.write_head(moved)
        return moved

    def _stamp(self, at: int) -> bytes:
        second, rest = divmod(at, 1_000_000)
        if self._second[0] != second:
            self._second = (second, line.stamp(second * 1_000_000)[:20])
        return self._second[1] + b"%06dZ" % rest

    # -- getting ready ---------------------------------------------------------------------
    def _ready(self, found: Head | None, now: int) -> Head:
        """Return a head that the open file agrees with, in the day of now."""
        head, notes = self._recovered(), []
        if found is not None:
            head = found
        elif head.day:
            notes.append(self._note("the trail's head was missing", {"file": layout.HEAD}))
        sealed = bool(head.day) and self._is_sealed(head.day)
        if head.day and not sealed:
            head, more = self._caught_up(head)
            notes += more
        earliest = layout.day_start(head.day) + layout.DAY_US if sealed else head.last_us
        day = layout.day_at(max(now, earliest))
        if day != head.day:
            head = self._next_day(head, day)
        self._day_end_us = layout.day_start(day) + layout.DAY_US
        return self._put(head, notes, now) if notes else head

    def _next_day(self, head: Head, day: str) -> Head:
        if head.day:
            self._close_day(head)
        size = self._desk.open_day(day)
        # what lies there already was not written by us: it stays, and shows as inserted
        opened = Head(day, size, 0, max(head.last_us, layout.day_start(day)), head.hash)
        self._desk.write_head(opened)  # so that a line of this day is found if its writer dies
        return opened

    def _is_sealed(self, day: str) -> bool:
        """Tell whether a day is closed for good, whatever the clock says now."""
        return layout.checkpoint_file(self._desk.folder, day).exists()

    def _tell_of_clock(self, head: Head, now: int) -> Head:
        self._clock_told = True
        details = {"behind_s": (head.last_us - now) // 1_000_000}
        body = self._note("the clock is behind the last entry, whose time is used on", details)
        return self._put(head, [body], now)

    def _caught_up(self, head: Head) -> tuple[Head, list[bytes]]:
        """Open the head's day, and take over or put aside what the head does not know of."""
        size = self._desk.open_day(head.day)
        file = f"{head.day}/{layout.LINES}"
        if size < head.size:
            return self._shortened(head, size, file)
        tail = parse_tail(self._desk.read(head.size, size), head.hash.decode())
        self._desk.cut(size - len(tail.torn))
        notes = []
        if tail.torn:
            lost = {"file": file, "bytes": len(tail.torn), "sha256": sha256(tail.torn).hexdigest()}
            notes.append(self._note("a line that was cut off while written was removed", lost))
        return _advanced(head, tail, size), notes

    def _shortened(self, head: Head, size: int, file: str) -> tuple[Head, list[bytes]]:
        """Go on behind what is left of a file that lost its end: the gap stays visible."""
        if size and self._desk.read(size - 1, size) != b"\n":
            self._desk.write(b"\n", size)
            size += 1
        details = {"file": file, "bytes": head.size - size}
        notes = [self._note("the trail is shorter than it was left", details)]
        return head._replace(size=size), notes

    def _recovered(self) -> Head:
        """Find the end of the trail in its files; an empty head where there is none."""
        days = layout.days_of(self._desk.folder)
        for day in reversed(days):
            path = layout.lines_file(self._desk.folder, day)
            if path.exists():
                return tail_of_file(path, day)
        return Head(hash=last_hash_on_file(self._desk.folder, days) or FIRST_PREV.encode())


def _advanced(head: Head, tail: Tail, size: int) -> Head:
    """Return the head moved over the lines of a tail."""
    return Head(
        day=head.day,
        size=size - len(tail.torn),
        lines=head.lines + tail.lines,
        last_us=max(head.last_us, tail.last_us),
        hash=tail.hash.encode(),
    )
