"""Who holds which claims and conflict groups, counted so that asking costs next to nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum

# What only one workstream at a time may hold: a claim by its text, a conflict group as (name,).
Need = str | tuple[str]


class Grip(IntEnum):
    """How a workstream holds its needs.

    IDLE: it has begun, but is not at work. BUSY: it is at work, or its work is on its way into the
    integration branch; that ends by itself.
    """

    NONE = 0
    IDLE = 1
    BUSY = 2


class Grips:
    """The needs of all workstreams with the grips of those that hold them.

    Two needs meet when they are the same group or overlapping claims; `neighbours` says which
    claims overlap (itself included). Holding is not exclusive here: who asks first decides.
    """

    def __init__(
        self, needs: Mapping[str, Sequence[Need]], neighbours: Mapping[str, Sequence[str]]
    ) -> None:
        self._needs = needs
        self._neighbours = neighbours
        self._grips: dict[str, Grip] = {}
        self._holders: dict[Need, dict[str, None]] = {}
        # For each need, how many held ones meet it: all of them, and those of the busy.
        self._held: dict[Need, int] = {}
        self._busy: dict[Need, int] = {}

    def of(self, ws: str) -> Grip:
        """How a workstream holds its needs now."""
        return self._grips.get(ws, Grip.NONE)

    def set(self, ws: str, grip: Grip) -> list[Need]:
        """Change a workstream's grip; return the needs that nobody (busy) holds any more."""
        before = self.of(ws)
        self._grips[ws] = grip
        held = (grip > Grip.NONE) - (before > Grip.NONE)
        busy = (grip is Grip.BUSY) - (before is Grip.BUSY)
        freed: list[Need] = []
        for need in self._needs[ws] if held or busy else ():
            self._note_holder(need, ws, held)
            for near in self.near(need):
                freed += self._count(near, held, busy)
        return freed

    def _note_holder(self, need: Need, ws: str, change: int) -> None:
        holders = self._holders.setdefault(need, {})
        if change > 0:
            holders[ws] = None
        elif change < 0:
            del holders[ws]

    def _count(self, need: Need, held: int, busy: int) -> tuple[Need, ...]:
        """Change the counts of a need; return it when one of them fell to none."""
        self._held[need] = self._held.get(need, 0) + held
        self._busy[need] = self._busy.get(need, 0) + busy
        fell = (held < 0 and not self._held[need]) or (busy < 0 and not self._busy[need])
        return (need,) if fell else ()

    def free(self, ws: str, need: Need) -> bool:
        """Tell whether a workstream may take one of its needs.

        One that holds it already, but is idle, only has to wait for the busy.
        """
        counts = self._held if self.of(ws) is Grip.NONE else self._busy
        return not counts.get(need, 0)

    def idle(self, need: Need) -> bool:
        """Tell whether someone who is not at work holds a need: nobody knows for how long."""
        return self._held.get(need, 0) > self._busy.get(need, 0)

    def near(self, need: Need) -> Sequence[Need]:
        """All needs that meet one, itself included."""
        return self._neighbours[need] if isinstance(need, str) else (need,)

    def holders(self, ws: str, need: Need) -> Iterator[tuple[str, Need]]:
        """Yield the others in the way of a workstream's need, each with that need of theirs."""
        own = self.of(ws)
        for near in self.near(need):
            for holder in self._holders.get(near, ()):
                if holder != ws and (own is Grip.NONE or self.of(holder) is Grip.BUSY):
                    yield holder, near
