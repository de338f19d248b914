"""Why a workstream does not start: the verdicts of a frontier in words."""

from __future__ import annotations

from penstock.schedule.grips import Grip, Grips, Need
from penstock.schedule.holds import Holds
from penstock.schedule.readiness import READY, Reason, Verdict, held_verdict
from penstock.schedule.slots import Slots
from penstock.schedule.standing import Standing

# Where workstreams wait: for a need, for a unit of a key as ("key", NAME), for an idle machine.
Lock = Need | tuple[str, str]
IDLE: tuple[str, str] = ("idle", "")


class Explainer:
    """Words for what a workstream waits for."""

    def __init__(self, standing: Standing, holds: Holds, slots: Slots, grips: Grips) -> None:
        self._standing = standing
        self._holds = holds
        self._slots = slots
        self._grips = grips

    def outside(self, ws: str, now: float) -> Verdict | None:
        """What the graph or a hold has against a workstream, None when nothing."""
        waits = self._standing.verdict(ws)
        if waits is not None:
            return waits
        hold = self._holds.everything(now) or self._holds.of(ws, now)
        return None if hold is None else held_verdict(hold)

    def obstacle(self, ws: str, lock: Lock, first: str | None) -> Verdict:
        """Why a lock is closed for a workstream; `first` is the one that reserves, if any."""
        if lock == IDLE:
            return self._alone(first)
        if isinstance(lock, tuple) and len(lock) == 2:
            return self._key(lock[1], first)
        for holder, theirs in self._grips.holders(ws, lock):
            return _needed(lock, theirs, holder, self._doing(holder))
        return _needed(lock, lock, str(first), "has waited longer")

    def machine(self, first: str | None) -> Verdict:
        """What the machine has against a workstream of which nothing else stands in the way.

        `first` is the one before it that reserves, if any.
        """
        lone = self._slots.lone_worker()
        if lone is not None:
            return _wait(Reason.ALONE, f"waits for {lone}, which runs alone")
        if self._slots.full:
            return _wait(Reason.SLOTS, f"all {self._slots.capacity.total} slots are in use")
        if first is not None and first in self._slots.alone:
            return _wait(Reason.ALONE, f"waits for {first}, which runs alone and comes first")
        return READY

    def _alone(self, first: str | None) -> Verdict:
        working = list(self._slots.working)
        if not working:
            return _wait(Reason.ALONE, f"runs alone; waits for {first}, which has waited longer")
        more = f" and {len(working) - 1} more" if len(working) > 1 else ""
        return _wait(Reason.ALONE, f"runs alone; waits for {working[0]}{more} at work")

    def _key(self, key: str, first: str | None) -> Verdict:
        kind, _, name = key.rpartition(":")
        reason = Reason.TOOL if kind == "tool" else Reason.CAPACITY
        if self._slots.left(key) > 0:
            return _wait(reason, f"{name} is kept free for {first}, which has waited longer")
        limit = self._slots.capacity.keys[key]
        return _wait(reason, f"{name} is in use, at most {limit} at a time")

    def _doing(self, ws: str) -> str:
        if ws in self._slots.working:
            return "is at work"
        return "is being merged" if self._grips.of(ws) is Grip.BUSY else "has begun"


def _needed(own: Need, theirs: Need, holder: str, doing: str) -> Verdict:
    if isinstance(own, str):
        claim = own if own == theirs else f"{own} ({theirs})"
        return _wait(Reason.OVERLAP, f"overlaps {claim} with {holder}, which {doing}")
    return _wait(Reason.GROUP, f"conflict group {own[0]} is with {holder}, which {doing}")


def _wait(reason: Reason, text: str) -> Verdict:
    return Verdict(ready=False, reason=reason, message=f"{reason.value}: {text}")
