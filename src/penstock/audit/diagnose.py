"""What was done to the lines of a day whose chain does not hold: looked at one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from penstock.audit.api import DamageKind
from penstock.audit.line import Link, read_link


class Expected(NamedTuple):
    """What a day's lines shall come to: how many, and the hash of the last."""

    lines: int
    hash: str


class Wound(NamedTuple):
    """One finding: the line (from 1), what, in words."""

    line: int
    kind: DamageKind
    message: str


def diagnose(
    lines: Sequence[bytes], day: str, prev: str, expected: Expected | None
) -> tuple[list[Wound], str]:
    """Return what is wrong with a day's lines (without their ends), and the hash they end with.

    `prev` is the hash that the first line shall follow; `expected` None says that nothing tells
    where the day ends.
    """
    walk = _Walk(lines, day, prev, expected)
    for at in range(len(walk.links)):
        walk.step(at)
    walk.finish()
    return walk.wounds, walk.due


class _Walk:
    """Goes through the lines with the hash that is due as `prev` of the next."""

    def __init__(
        self, lines: Sequence[bytes], day: str, prev: str, expected: Expected | None
    ) -> None:
        self.links = [read_link(text) for text in lines]
        self.wounds: list[Wound] = []
        self.due = prev
        self._day = day
        self._expected = expected
        self._stamp = ""
        self._places = {prev: -1}
        for at, link in enumerate(self.links):
            if link is not None and link.intact:
                self._places.setdefault(link.hash, at)

    def step(self, at: int) -> None:
        """Look at one line."""
        link = self.links[at]
        if link is None or not link.intact:
            self._broken(at, link)
        elif self._places[link.hash] != at:
            copied = self._places[link.hash] + 1
            self._found(at, DamageKind.INSERTED, f"is a copy of line {copied}")
        else:
            self._whole(at, link)

    def finish(self) -> None:
        """Compare the end of the lines with where the day is known to have ended."""
        if self._expected is None or self.due == self._expected.hash:
            return
        if self._said(DamageKind.REORDERED):  # which of them is the last says nothing then
            return
        lines, last = self._expected
        missing = lines - len(self.links)
        if last in self._places:
            self._found(self._places[last] + 1, DamageKind.INSERTED, "follows the day's last line")
        elif missing > 0 and not self._said(DamageKind.REMOVED):
            text = f"{missing} of {lines} lines are missing after it"
            self._found(len(self.links) - 1, DamageKind.TRUNCATED, text)
        elif not self.wounds:
            text = "is not the line that the day ended with: the chain was computed anew"
            self._found(len(self.links) - 1, DamageKind.ALTERED, text)

    # -- lines whose own hash holds --------------------------------------------------------
    def _whole(self, at: int, link: Link) -> None:
        if link.prev != self.due:
            self._misplaced(at, link)
        elif link.stamp < self._stamp or not link.stamp.startswith(self._day):
            text = f"its time {link.stamp} does not follow {self._stamp or self._day}"
            self._found(at, DamageKind.RE_STAMPED, text)
        self._stamp = max(self._stamp, link.stamp)
        self.due = link.hash

    def _misplaced(self, at: int, link: Link) -> None:
        """Say why an intact line does not follow the one before it."""
        place = self._places.get(link.prev)
        if place is None:
            self._gap(at)
        elif place > at:
            text = f"stands before line {place + 1}, which it follows"
            self._found(at, DamageKind.REORDERED, text)
        elif not self._said(DamageKind.REORDERED):
            self._found(at - 1, DamageKind.INSERTED, f"does not belong after line {place + 1}")

    def _gap(self, at: int) -> None:
        """A line follows one that is not there: it was removed, or rewritten with a new hash."""
        all_there = self._expected is not None and len(self.links) >= self._expected.lines
        if at > 0 and all_there and not self.wounds:
            self._found(at - 1, DamageKind.ALTERED, "was rewritten with a hash of its own")
        else:
            self._found(at, DamageKind.REMOVED, "follows a line that is missing before it")

    # -- lines whose own hash does not -----------------------------------------------------
    def _broken(self, at: int, link: Link | None) -> None:
        following = self.links[at + 1] if at + 1 < len(self.links) else None
        if following is not None and following.prev == self.due:
            self._found(at, DamageKind.INSERTED, "is no line of the chain")
            return
        if link is None:
            self._found(at, DamageKind.ALTERED, "has not the form of a line")
        elif link.stamp < self._stamp or not link.stamp.startswith(self._day):
            self._found(at, DamageKind.RE_STAMPED, f"its time was changed to {link.stamp}")
        else:
            self._found(at, DamageKind.ALTERED, "its bytes do not have its hash")
        if following is not None and following.intact:
            self.due = following.prev
        elif link is not None:
            self.due = link.hash

    def _found(self, at: int, kind: DamageKind, message: str) -> None:
        self.wounds.append(Wound(max(at, 0) + 1, kind, message))

    def _said(self, kind: DamageKind) -> bool:
        return any(wound.kind is kind for wound in self.wounds)
