"""The rules of scheduling asked the slow way, each from its own words, to hold a frontier against."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from penstock.model.bundle import Bundle, Priority
from penstock.model.states import IntegrationState, WorkstreamState
from penstock.schedule.readiness import Hold
from penstock.schedule.scope import overlap
from tests.support.graphs import reaches

W, M = WorkstreamState, IntegrationState
BEGUN = (W.STARTED, W.EDITING, W.READY_FOR_STATIC, W.STATIC_CHECK, W.RUNTIME_TESTS)


class Model:
    """One run as plain sets; every question looks at every workstream."""

    def __init__(
        self,
        bundles: Sequence[Bundle],
        approvals: Collection[int],
        total: int,
        limits: Mapping[str, int],
        keys: Mapping[str, Sequence[str]],
        overlap_holds: bool,
    ) -> None:
        self.bundles = {b.id: b for b in bundles}
        self.unapproved = set(approvals)
        self.total, self.limits, self.keys = total, limits, keys
        self.overlap_holds = overlap_holds
        self.state = dict.fromkeys(self.bundles, W.PENDING)
        self.merge = dict.fromkeys(self.bundles, M.NONE)
        self.working: list[str] = []
        self.holds: dict[str, Hold] = {}
        self.run_hold: Hold | None = None
        below = {b.id: [c.id for c in bundles if b.id in c.depends_on] for b in bundles}
        self.length = {ws: self._longest(below, ws) for ws in below}

    def _longest(self, below: Mapping[str, Sequence[str]], ws: str) -> int:
        return 1 + max((self._longest(below, child) for child in below[ws]), default=0)

    def order(self, ws: str) -> tuple[bool, bool, int, str]:
        """What comes first when several may start."""
        background = self.bundles[ws].priority is Priority.BACKGROUND
        return self.state[ws] not in BEGUN, background, -self.length[ws], ws

    def met(self, ws: str) -> bool:
        """Done, and merged or nothing to merge."""
        return self.state[ws] is W.DONE and self.merge[ws] in (M.NONE, M.MERGED)

    def through(self, ws: str) -> bool:
        """Done, and not on its way into the integration branch."""
        return self.state[ws] is W.DONE and self.merge[ws] is not M.QUEUED

    def clear(self, ws: str) -> bool:
        """Begun, or pending with nothing in the graph against it."""
        own = self.bundles[ws]
        if self.state[ws] is not W.PENDING:
            return self.state[ws] in BEGUN
        lower = [b.id for b in self.bundles.values() if b.gate < own.gate]
        return (
            own.gate not in self.unapproved
            and all(map(self.through, lower))
            and all(self.met(p) for p in own.depends_on)
        )

    def held(self, ws: str, now: float) -> bool:
        """Held back from outside by a hold that is not over."""
        holds = [self.run_hold, *map(self.holds.get, (ws, *self.keys[ws]))]
        return any(h is not None and (h.until is None or h.until > now) for h in holds)

    def holding(self, ws: str) -> bool:
        """Keeps its claims and its group from others."""
        return self.busy(ws) or self.state[ws] in BEGUN

    def busy(self, ws: str) -> bool:
        """At work, or being merged."""
        queued = self.state[ws] is W.DONE and self.merge[ws] is M.QUEUED
        return ws in self.working or queued

    def collide(self, a: str, b: str) -> bool:
        """The same group, or overlapping claims."""
        one, two = self.bundles[a], self.bundles[b]
        if one.conflict_group is not None and one.conflict_group == two.conflict_group:
            return True
        return self.overlap_holds and any(overlap(x, y) for x in one.claims for y in two.claims)

    def room(self, ws: str, spare: Collection[str] = ()) -> bool:
        """A slot and units of all keys, one more of each key in `spare`; nobody runs alone."""
        own = self.bundles[ws]
        units = self.units(ws, spare)
        lone = any(not self.bundles[w].parallel_ok for w in self.working)
        alone = not own.parallel_ok and bool(self.working)
        return units and len(self.working) < self.total and not lone and not alone

    def uncontested(self, ws: str) -> bool:
        """No other holds what it needs; who has begun only minds the busy."""
        minds = self.busy if self.state[ws] in BEGUN else self.holding
        return not any(self.collide(ws, o) for o in self.bundles if o != ws and minds(o))

    def legal(self, ws: str, now: float) -> bool:
        """May start or go on now, fairness aside."""
        idle = ws not in self.working and self.clear(ws) and not self.held(ws, now)
        return idle and self.room(ws) and self.uncontested(ws)

    def waits_for_busy(self, ws: str, now: float) -> bool:
        """Only waits for what others need for their work: claims, groups, keys, the idle machine."""
        if ws in self.working or not self.clear(ws) or self.held(ws, now):
            return False
        others = [o for o in self.bundles if o != ws and self.holding(o) and self.collide(ws, o)]
        if self.state[ws] not in BEGUN and not all(map(self.busy, others)):
            return False
        alone = not self.bundles[ws].parallel_ok and bool(self.working)
        return alone or any(map(self.busy, others)) or not self.units(ws)

    def units(self, ws: str, spare: Collection[str] = ()) -> bool:
        """A unit of all keys, and one more of each key in `spare`."""
        return all(
            sum(key in self.keys[w] for w in self.working) + (key in spare) < self.limits[key]
            for key in self.keys[ws]
            if key in self.limits
        )

    def barred(self, ws: str, first: str) -> bool:
        """Would take what the one that reserves needs, though it comes behind it."""
        if ws == first or self.order(ws) < self.order(first):
            return False
        lone = not (self.bundles[ws].parallel_ok and self.bundles[first].parallel_ok)
        return lone or self.collide(ws, first) or not self.room(ws, spare=self.keys[first])

    def stuck(self, ws: str) -> bool:
        """Waits, perhaps through others, for what somebody would have to mend."""
        graph = {b.id: list(b.depends_on) for b in self.bundles.values()}
        gate = self.bundles[ws].gate
        before = reaches(graph, ws) | {b.id for b in self.bundles.values() if b.gate < gate}
        bad = (W.FAILED, W.QUARANTINED, W.CANCELED)
        lost = (M.CONFLICT, M.REJECTED)
        return any(self.state[b] in bad or self.merge[b] in lost for b in before)
