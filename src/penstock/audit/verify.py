"""Proving a trail: every line, every checkpoint, every anchor."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import NamedTuple

from penstock.audit import layout
from penstock.audit.api import (
    FIRST_PREV,
    Anchor,
    Checkpoint,
    Damage,
    DamageKind,
    VerifyReport,
)
from penstock.audit.diagnose import Expected, diagnose
from penstock.audit.head import Head
from penstock.audit.keys import Verifier
from penstock.audit.line import END, HASH
from penstock.audit.ranges import Chain, check_all, joined, split
from penstock.audit.seals import Seal, read_anchors, read_checkpoint, read_pruned, signed_bytes

PIECES = 4
"""Into so many ranges a day is cut at most, so that processes can share it."""


class Snapshot(NamedTuple):
    """What a trail is to be proven against: its days with the bytes of their lines (None for a day
    of which no lines are kept), and its head, None when the head file does not say."""

    days: dict[str, int | None]
    head: Head | None


def snapshot(folder: Path, head: Head | None) -> Snapshot:
    """Take stock of the files. What is appended later is not looked at."""
    days: dict[str, int | None] = {}
    for day in layout.days_of(folder):
        path = layout.lines_file(folder, day)
        if path.exists():
            days[day] = path.stat().st_size
        elif layout.checkpoint_file(folder, day).exists():
            days[day] = None
    return Snapshot(days, head)


def verify(folder: Path, taken: Snapshot, anchors: Path | None, key: Path) -> VerifyReport:
    """Check a trail as it was when the snapshot was taken. Raises AIMAuditLogError for a key that
    is there and cannot be read."""
    proof = _Proof(folder, taken, Verifier(key))
    proof.check_days()
    proof.check_anchors(anchors)
    return proof.report()


def verify_last_day(folder: Path, taken: Snapshot, anchors: Path | None, key: Path) -> VerifyReport:
    """Check the last day with lines alone, and that it continues what was before it."""
    proof = _Proof(folder, taken, Verifier(key))
    day = max((day for day, size in taken.days.items() if size is not None), default=None)
    if day is not None:
        proof.check_one_day(day)
        proof.check_anchors(anchors, day=day)
    return proof.report()


class _Proof:
    """Gathers what is found."""

    def __init__(self, folder: Path, taken: Snapshot, verifier: Verifier) -> None:
        self._folder = folder
        self._days = taken.days
        self._head = taken.head
        self._verifier = verifier
        self._damage: list[Damage] = []
        self._notes: list[str] = []
        self._lines: dict[str, int] = {}
        self._ends: dict[str, str] = {}
        self._checkpoints: dict[str, Checkpoint] = {}
        self._anchors: list[Anchor] = []
        self._proven: Anchor | None = None

    def report(self) -> VerifyReport:
        """Return all that was found."""
        proven = self._proven
        before = [lines for day, lines in self._lines.items() if proven and day < proven.date]
        return VerifyReport(
            folder=str(self._folder),
            days=len(self._lines),
            entries=sum(self._lines.values()),
            damage=tuple(self._damage),
            anchors=len(self._anchors),
            proven_until=proven.timestamp if proven else None,
            proven_entries=sum(before) + proven.count if proven else 0,
            pruned_days=len(self._days) - len(self._lines),
            notes=tuple(self._notes),
        )

    # -- days ------------------------------------------------------------------------------
    def check_days(self) -> None:
        """Check all lines, day by day, and the checkpoints between them."""
        chains = self._chains(self._days)
        prev = FIRST_PREV
        for day, size in self._days.items():
            checkpoint = self._checkpoint(day)
            if size is None:
                prev = checkpoint.head if checkpoint else prev
                continue
            expected = self._expected(day, checkpoint)
            last = self._check_day(day, chains[day], prev, expected)
            prev = expected.hash if expected else last
        self._check_head()
        self._check_pruned()

    def check_one_day(self, day: str) -> None:
        """Check the lines of one day against themselves, the end of the day before, and the head."""
        earlier = max((other for other in self._days if other < day), default=None)
        before = self._checkpoint(earlier) if earlier is not None else None
        expected = self._expected(day, self._checkpoint(day))
        chain = self._chains({day: self._days[day]})[day]
        self._check_day(day, chain, before.head if before else FIRST_PREV, expected)
        self._check_head()

    def _chains(self, days: Mapping[str, int | None]) -> dict[str, Chain | None]:
        """Check the lines of days in themselves; None for a day without any."""
        parts = {
            day: split(layout.lines_file(self._folder, day), size, PIECES)
            for day, size in days.items()
            if size is not None
        }
        found = iter(check_all([part for of_day in parts.values() for part in of_day]))
        return {
            day: reduce(joined, [next(found) for _ in of_day]) if of_day else None
            for day, of_day in parts.items()
        }

    def _check_day(
        self, day: str, chain: Chain | None, prev: str, expected: Expected | None
    ) -> str:
        """Check one day against what is before and behind it; return the hash that it ends with."""
        if chain is not None and _fits(chain, day, prev, expected):
            self._lines[day] = chain.lines
            self._ends[day] = chain.last_hash
            return chain.last_hash
        data = self._read(day)
        lines, rest = data.split(b"\n")[:-1], data.rpartition(b"\n")[2]
        if rest and self._is_open(day):
            self._notes.append(f"{day}: the last line is being written, or its writer died")
        elif rest:
            lines.append(rest)
        self._lines[day] = len(lines)
        wounds, last = diagnose(lines, day, prev, self._grown(day, lines, expected))
        file = f"{day}/{layout.LINES}"
        self._damage += [Damage(file=file, line=n, kind=k, message=m) for n, k, m in wounds]
        return last

    def _grown(
        self, day: str, lines: Sequence[bytes], expected: Expected | None
    ) -> Expected | None:
        """Return what is expected of the open day, in which lines may follow that the head does
        not know of because their writer died."""
        if expected is None or not self._is_open(day) or len(lines) <= expected.lines:
            return expected
        ending = f'"{HASH.decode()}{expected.hash}"}}'.encode()
        at_head = lines[expected.lines - 1] if expected.lines else ending
        return None if at_head.endswith(ending) else expected

    def _read(self, day: str) -> bytes:
        with layout.lines_file(self._folder, day).open("rb") as file:
            return file.read(self._days[day] or 0)

    def _is_open(self, day: str) -> bool:
        return self._head is not None and self._head.day == day

    def _expected(self, day: str, checkpoint: Checkpoint | None) -> Expected | None:
        """Return what the lines of a day shall come to."""
        if checkpoint is not None:
            return Expected(checkpoint.count, checkpoint.head)
        if self._head is not None and self._head.day == day:
            return Expected(self._head.lines, self._head.hash.decode())
        return None

    def _check_head(self) -> None:
        """See that the trail is there up to where its head says that it got."""
        head = self._head
        if head is None:
            if self._days:
                self._notes.append("the head is missing: what ends the last day is not known")
        elif head.day and head.day not in self._days:
            text = f"the day is missing, though it has {head.lines} lines"
            self._found(f"{head.day}/{layout.LINES}", DamageKind.TRUNCATED, text)
        for day in self._lines:
            if head is not None and day > head.day and self._lines[day]:
                text = "lies behind the end of the trail"
                self._found(f"{day}/{layout.LINES}", DamageKind.INSERTED, text)

    # -- checkpoints -----------------------------------------------------------------------
    def _checkpoint(self, day: str) -> Checkpoint | None:
        """Return a day's checkpoint if it is worth something; say what is wrong with it if not."""
        path = layout.checkpoint_file(self._folder, day)
        shown = f"{day}/{layout.CHECKPOINT}"
        checkpoint = read_checkpoint(path)
        if checkpoint is None:
            if path.exists():
                self._found(shown, DamageKind.ALTERED, "is not as it was written")
            elif not self._is_open(day) and day != max(self._days):
                self._found(shown, DamageKind.REMOVED, "the checkpoint of a closed day is missing")
            return None
        wrong = self._wrong_seal(checkpoint)
        if checkpoint.date != day:
            wrong = DamageKind.ALTERED, f"is the checkpoint of {checkpoint.date}"
        if wrong is not None:
            self._found(shown, *wrong)
            return None
        self._checkpoints[day] = checkpoint
        return checkpoint

    def _wrong_seal(self, seal: Seal) -> tuple[DamageKind, str] | None:
        """Say what is wrong with a signature; without any key nothing can be said."""
        if not self._verifier.knows_any:
            self._note_once("there is no key: signatures are not checked and nothing is proven")
            return None
        if not self._verifier.knows(seal.key_id):
            return DamageKind.UNSIGNED, f"is signed with the key {seal.key_id}, which is not known"
        if not self._verifier.accepts(seal.key_id, signed_bytes(seal), seal.signature):
            return DamageKind.ALTERED, "its signature does not hold"
        return None

    # -- anchors ---------------------------------------------------------------------------
    def check_anchors(self, path: Path | None, *, day: str | None = None) -> None:
        """Compare the trail, or one day of it, with what was said of it outside, oldest first."""
        anchors, wrong = read_anchors(path)
        anchors = [(line, one) for line, one in anchors if day in (None, one.date)]
        for line in wrong:
            self._found(str(path), DamageKind.ALTERED, "is not an anchor as it was written", line)
        for line, anchor in anchors:
            seal = self._wrong_seal(anchor)
            if seal is not None:
                self._found(str(path), *seal, line)
            elif self._verifier.knows_any:
                self._anchors.append(anchor)
        if not self._anchors:
            self._note_once("there is no anchor: a cut end or a chain computed anew is not found")
        for anchor, place in zip(self._anchors, self._lines_of_heads(), strict=True):
            self._hold_against(anchor, place)

    def _hold_against(self, anchor: Anchor, line: int | None) -> None:
        """Compare one anchor with the line, from 1, that bears its hash (None: there is none)."""
        if self._days.get(anchor.date, 0) is None:
            checkpoint = self._checkpoints.get(anchor.date)
            held = checkpoint is None or anchor.count != checkpoint.count
            if not held and checkpoint and checkpoint.head != anchor.head:
                self._contradicted(anchor)
        elif line != anchor.count:
            self._contradicted(anchor)
        elif not self._damaged_before(anchor):
            self._proven = anchor

    def _contradicted(self, anchor: Anchor) -> None:
        """The trail is not what was anchored; say so unless its lines have told already."""
        if self._damaged_before(anchor):
            return
        file = f"{anchor.date}/{layout.LINES}"
        there = self._lines.get(anchor.date, 0)
        if there < anchor.count:
            text = f"{anchor.count} lines were anchored at {anchor.timestamp}, {there} are there"
            self._found(file, DamageKind.TRUNCATED, text, there or None)
        else:
            text = f"not what was anchored at {anchor.timestamp}: the chain was computed anew"
            self._found(file, DamageKind.ALTERED, text, anchor.count)

    def _damaged_before(self, anchor: Anchor) -> bool:
        """Tell whether something up to an anchor's line is damaged."""
        end = (f"{anchor.date}/{layout.LINES}", anchor.count)
        ours = (item for item in self._damage if layout.is_in_day(item.file))
        return any((item.file, item.line or 0) <= end for item in ours)

    def _lines_of_heads(self) -> Iterator[int | None]:
        """Yield for each anchor the line that bears its hash."""
        by_day: dict[str, dict[str, int]] = {}
        for anchor in self._anchors:
            if anchor.date not in by_day:
                heads = [other.head for other in self._anchors if other.date == anchor.date]
                by_day[anchor.date] = self._find(anchor.date, heads)
            yield by_day[anchor.date].get(anchor.head)

    def _find(self, day: str, hashes: Sequence[str]) -> dict[str, int]:
        """Find the lines that bear the hashes, which are searched for from each other on."""
        if not self._days.get(day):
            return {}
        last = self._ends.get(day, "")
        found = {last: self._lines[day]} if last else {}
        if all(digest in found for digest in hashes):  # anchored when the day ended: no search
            return found
        at, line = 0, 1
        with (
            layout.lines_file(self._folder, day).open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            for digest in hashes:
                end = data.find(HASH + digest.encode() + END, at)
                if end < 0:
                    continue
                line += _line_ends(data, at, end)
                found[digest], at = line, end
        return found

    def _check_pruned(self) -> None:
        """See that days of which only the checkpoint is kept were dropped on purpose."""
        gone = [day for day, size in self._days.items() if size is None]
        path = self._folder / layout.PRUNED
        pruned = read_pruned(path)
        if pruned is None and path.exists():
            self._found(layout.PRUNED, DamageKind.ALTERED, "is not as it was written")
        wrong = self._wrong_seal(pruned) if pruned is not None else None
        if wrong is not None:
            self._found(layout.PRUNED, *wrong)
        through = pruned.through if pruned is not None and wrong is None else ""
        for day in (day for day in gone if day > through):
            text = "the lines of the day are gone, and nothing says that they were dropped"
            self._found(f"{day}/{layout.LINES}", DamageKind.REMOVED, text)

    def _found(self, file: str, kind: DamageKind, message: str, line: int | None = None) -> None:
        self._damage.append(Damage(file=file, line=line, kind=kind, message=message))

    def _note_once(self, text: str) -> None:
        if text not in self._notes:
            self._notes.append(text)


def _fits(chain: Chain, day: str, prev: str, expected: Expected | None) -> bool:
    """Tell whether a day's chain is whole and continues what is before it."""
    in_day = chain.first_stamp.startswith(day) and chain.last_stamp.startswith(day)
    ends = expected is None or expected == (chain.lines, chain.last_hash)
    return chain.ok and in_day and chain.first_prev == prev and ends


def _line_ends(data: mmap.mmap, start: int, end: int) -> int:
    """Count the line ends between two places."""
    step = 1 << 20
    return sum(data[at : min(at + step, end)].count(b"\n") for at in range(start, end, step))
