"""What may start next, kept up to date while workstreams start, end and are merged.

Asked after each of thousands of completions, so nothing is worked out anew: what is in the way of a
workstream is where it waits, and it is looked at again when that has gone. Of those that wait in the
same place only the first is called; it calls the next when it has gone on, or waits elsewhere.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from heapq import heappop, heappush

from penstock.model.bundle import Bundle, Priority
from penstock.model.states import IntegrationState, WorkstreamState
from penstock.schedule.conflicts import claim_neighbours, claims_of
from penstock.schedule.explain import IDLE, Explainer, Lock
from penstock.schedule.graph import chain_lengths
from penstock.schedule.grips import Grip, Grips, Need
from penstock.schedule.holds import Holds
from penstock.schedule.readiness import Hold, Verdict
from penstock.schedule.slots import Capacity, Slots
from penstock.schedule.standing import Standing

__all__ = ["PATIENCE", "Capacity", "Frontier", "no_keys"]

# So many others may start while a workstream waits for what it needs; then it goes first.
PATIENCE = 8


def no_keys(_bundle: Bundle) -> Sequence[str]:
    """The resource keys of a workstream that needs none."""
    return ()


class Frontier:
    """What may start or go on in one run, in the order in which it should.

    The caller records states, starts and stops; the frontier starts nothing. A workstream may
    start when its dependencies are done and merged, all lower gates are through, its gate is
    approved, nothing holds it, a slot and the units of its keys are free, nobody runs alone, and
    nobody holds its conflict group or claims that overlap its own; these stay held from the start
    until the work is merged, or has ended without. `parallel_ok` false waits until nobody is at
    work.

    Order: what has begun, then foreground before background, then the longest chain of dependents
    first (the critical path), then the id. What is held up by others' needs does not hold up those
    behind it, until `patience` of them have started (PATIENCE, or as many as there are slots): then
    the first one so passed over has what it needs reserved, so that nothing starves. What has begun
    reserves at once.

    Not for several threads. Methods that name a workstream raise KeyError when there is none of
    that id. Raises BundleCycleError, and ValueError for a claim that is none.
    """

    def __init__(
        self,
        bundles: Iterable[Bundle],
        *,
        approvals_needed: Collection[int] = (),
        capacity: Capacity | None = None,
        keys_of: Callable[[Bundle], Sequence[str]] = no_keys,
        overlap_holds: bool = True,
        patience: int | None = None,
    ) -> None:
        self._standing = Standing(bundles, approvals_needed)
        known = self._standing.bundles
        keys = {ws: tuple(keys_of(bundle)) for ws, bundle in known.items()}
        alone = frozenset(ws for ws, bundle in known.items() if not bundle.parallel_ok)
        self._holds = Holds(keys)
        self._slots = Slots(capacity or Capacity(), keys, alone)
        self._needs = {ws: _needs(bundle, overlap_holds) for ws, bundle in known.items()}
        claims = (need for own in self._needs.values() for need in own if isinstance(need, str))
        self._grips = Grips(self._needs, claim_neighbours(claims))
        self._places = _places(self._standing)
        # Those to look at, by rank; and those that wait, by what for. Entries that `_where` (None:
        # to be looked at) or the rank disown are leftovers.
        self._heap: list[tuple[int, str]] = []
        self._in_heap: set[tuple[int, str]] = set()
        self._waiting: dict[Lock, list[tuple[int, str]]] = {}
        self._where: dict[str, Lock | None] = {}
        self._called_from: dict[str, Lock] = {}
        self._timers: list[tuple[float, str]] = []
        self._init_fairness(patience)
        self._explainer = Explainer(self._standing, self._holds, self._slots, self._grips)
        for ws in known:
            self._look(ws)

    def _init_fairness(self, patience: int | None) -> None:
        self._patience = patience or max(PATIENCE, self._slots.capacity.total)
        self._starts = 0
        # The number of starts at which each began to wait for what others hold; those whose
        # patience has not ended, in that order; those whose has, by rank.
        self._since: dict[str, int] = {}
        self._patient: deque[tuple[int, str]] = deque()
        self._passed_over: list[tuple[int, str]] = []
        self._stalled: list[str] = []
        self._first: str | None = None
        self._reserved: frozenset[Lock] = frozenset()

    @property
    def at_work(self) -> Collection[str]:
        """The workstreams at work, in the order in which they started."""
        return self._slots.working.keys()

    @property
    def reserving(self) -> str | None:
        """The workstream for which what it needs is kept free, None when there is none."""
        return self._first

    def record(
        self,
        ws_id: str,
        state: WorkstreamState,
        integration: IntegrationState = IntegrationState.NONE,
    ) -> None:
        """Note how far a workstream is, as the journal has it. Any change is possible."""
        for freed in list(self._standing.record(ws_id, state, integration)):
            self._look(freed)
        self._regrip(ws_id)
        self._look(ws_id)

    def approve(self, gates: Iterable[int]) -> None:
        """Note that gates are approved."""
        for freed in list(self._standing.approve(gates)):
            self._look(freed)

    def hold(self, ws_id: str, hold: Hold | None) -> None:
        """Hold one workstream back, or let go of it (None)."""
        self._holds.set_own(ws_id, hold)
        self._look(ws_id)

    def hold_all(self, hold: Hold | None) -> None:
        """Hold the whole run back, or let go of it (None)."""
        self._holds.set_all(hold)

    def hold_key(self, key: str, hold: Hold | None) -> None:
        """Hold everything back that needs a key, or let go of it (None)."""
        for ws in self._holds.set_key(key, hold):
            self._look(ws)

    def start(self, ws_id: str) -> None:
        """Note that a workstream is at work now. Raises ValueError when it is already.

        It takes a slot, its keys, its group and its claims, whether they are free or not.
        """
        self._slots.take(ws_id)
        self._starts += 1
        self._since.pop(ws_id, None)
        self._where.pop(ws_id, None)
        self._regrip(ws_id)
        if self._first == ws_id:
            self._reserve(None)
        self._call_next(ws_id)

    def stop(self, ws_id: str) -> None:
        """Note that a workstream is no longer at work. Raises ValueError when it is not.

        Record its state before the next call of `next`.
        """
        self._slots.give(ws_id)
        self._regrip(ws_id)
        for key in self._slots.limited(ws_id):
            self._call(("key", key))
        self._call(IDLE)
        self._look(ws_id)

    def next(self, now: float) -> str | None:
        """Return the first workstream that may start or go on at `now`, None when there is none.

        `now` is in seconds since the epoch. It stays the first until it is started, or something
        changes.
        """
        if self._slots.shut or self._holds.everything(now):
            return None
        while self._timers and self._timers[0][0] <= now:
            self._look(heappop(self._timers)[1])
        self._review(now)
        while self._heap:
            rank, ws = self._heap[0]
            if self._is_leftover(ws, rank):
                self._drop()
            elif self._waits_for_the_machine(rank):
                return None
            elif self._settle(ws, now):
                return ws
        return None

    def wake_at(self, now: float) -> float | None:
        """Return the earliest moment after `now` at which a hold ends by itself, None if none does."""
        return self._holds.ends(now)

    def verdicts(self, now: float) -> dict[str, Verdict]:
        """Return a verdict for each workstream that has not ended and is not at work.

        They come in the order in which they should start, those that wait for another behind it.
        """
        self._review(now)
        return {
            bundle.id: self._verdict(bundle.id, now)
            for bundle in self._standing.order
            if bundle.id not in self.at_work and not self._standing.ended(bundle.id)
        }

    def _verdict(self, ws: str, now: float) -> Verdict:
        waits = self._explainer.outside(ws, now)
        if waits is None and (lock := self._obstacle(ws)) is not None:
            waits = self._explainer.obstacle(ws, lock, self._first)
        return waits or self._explainer.machine(self._first if self._is_barred(ws) else None)

    def _rank(self, ws: str) -> int:
        """The place of a workstream in the order to start; smaller is earlier."""
        place = self._places[ws]
        return place - len(self._places) if self._standing.begun(ws) else place

    def _is_leftover(self, ws: str, rank: int) -> bool:
        return self._where.get(ws, IDLE) is not None or rank != self._rank(ws)

    def _look(self, ws: str) -> None:
        """Have a workstream looked at at the next call, if it could start or go on at all."""
        if ws not in self.at_work and self._standing.clear(ws):
            self._where[ws] = None
            entry = (self._rank(ws), ws)
            if entry not in self._in_heap:
                self._in_heap.add(entry)
                heappush(self._heap, entry)
        else:
            self._leave(ws)

    def _leave(self, ws: str) -> None:
        """Take a workstream out of the order until something makes it worth a look."""
        self._where.pop(ws, None)
        self._since.pop(ws, None)
        self._call_next(ws)

    def _drop(self) -> None:
        """Take the first of those to look at out."""
        self._in_heap.remove(heappop(self._heap))

    def _settle(self, ws: str, now: float) -> bool:
        """Tell whether the first of the order may start; put it where it waits if not."""
        hold = self._holds.of(ws, now)
        lock = self._obstacle(ws) if hold is None and self._standing.clear(ws) else None
        if hold is None and lock is None and self._standing.clear(ws):
            return True
        self._drop()
        if lock is not None:
            self._park(ws, lock)
            self._call_next(ws)
            self._review(now)
            return False
        self._leave(ws)
        if hold is not None and hold.until is not None:
            heappush(self._timers, (hold.until, ws))
        return False

    def _obstacle(self, ws: str) -> Lock | None:
        """Return the first thing that a workstream waits for though nothing holds it."""
        return next((lock for lock in self._locks(ws) if self._is_closed(lock, ws)), None)

    def _locks(self, ws: str) -> Iterator[Lock]:
        """Yield what a workstream must find open: the idle machine, needs, keys."""
        if ws in self._slots.alone:
            yield IDLE
        yield from self._needs[ws]
        for key in self._slots.limited(ws):
            yield "key", key

    def _is_closed(self, lock: Lock, ws: str) -> bool:
        barred = self._is_barred(ws)
        if lock == IDLE:
            return barred or bool(self.at_work)
        barred = barred and lock in self._reserved
        if isinstance(lock, tuple) and len(lock) == 2:
            return self._slots.left(lock[1]) <= barred
        return barred or not self._grips.free(ws, lock)

    def _is_barred(self, ws: str) -> bool:
        """Tell whether what is reserved is so for one before this workstream."""
        first = self._first
        return first is not None and first != ws and self._rank(first) < self._rank(ws)

    def _waits_for_the_machine(self, rank: int) -> bool:
        """Tell whether the machine is to fall idle for one before this rank that runs alone."""
        first = self._first
        return first is not None and first in self._slots.alone and self._rank(first) < rank

    def _park(self, ws: str, lock: Lock) -> None:
        """Let a workstream wait for a lock to open."""
        self._where[ws] = lock
        heappush(self._waiting.setdefault(lock, []), (self._rank(ws), ws))
        if ws not in self._since:
            begun = self._standing.begun(ws)
            self._since[ws] = self._starts - (self._patience if begun else 0)
            if not begun:
                self._patient.append((self._starts, ws))
        if self._since[ws] + self._patience <= self._starts:
            heappush(self._passed_over, (self._rank(ws), ws))

    def _call(self, lock: Lock) -> None:
        """Have the first of those that wait for a lock looked at, if the lock is open for it."""
        waiting = self._waiting.get(lock)
        while waiting:
            rank, ws = waiting[0]
            if self._where.get(ws) != lock or rank != self._rank(ws):
                heappop(waiting)
                continue
            if not self._is_closed(lock, ws):
                heappop(waiting)
                self._called_from[ws] = lock
                self._look(ws)
            return

    def _call_next(self, ws: str) -> None:
        """Call the next from where a workstream was called."""
        if (lock := self._called_from.pop(ws, None)) is not None:
            self._call(lock)

    def _regrip(self, ws: str) -> None:
        """Let a workstream hold its needs as its state asks for."""
        grip = Grip.NONE
        if ws in self.at_work or self._standing.queued(ws):
            grip = Grip.BUSY
        elif self._standing.begun(ws):
            grip = Grip.IDLE
        before = self._grips.of(ws)
        for need in self._grips.set(ws, grip):
            self._call(need)
        if before is Grip.IDLE and grip is not Grip.IDLE:
            for stalled in self._stalled:
                heappush(self._passed_over, (self._rank(stalled), stalled))
            self._stalled.clear()

    def _review(self, now: float) -> None:
        """See to it that the first of those whose patience has ended has its needs reserved."""
        while self._patient and self._patient[0][0] + self._patience <= self._starts:
            since, ws = self._patient.popleft()
            if self._since.get(ws) == since:
                heappush(self._passed_over, (self._rank(ws), ws))
        if self._first is not None and not self._may_reserve(self._first, now):
            self._reserve(None)
        while self._passed_over and self._passed_over[0] < self._reserver():
            rank, ws = heappop(self._passed_over)
            waits = self._where.get(ws) is not None and rank == self._rank(ws)
            if waits and self._may_reserve(ws, now):
                before = self._first
                self._reserve(ws)
                if before is not None:
                    heappush(self._passed_over, (self._rank(before), before))

    def _reserver(self) -> tuple[float, str]:
        """The rank of the one that has its needs reserved, and its id."""
        first = self._first
        return (float("inf"), "") if first is None else (self._rank(first), first)

    def _may_reserve(self, ws: str, now: float) -> bool:
        """Tell whether all that a workstream waits for will come; if not, it tries again later.

        Nobody knows when one that has begun but is held will let go of its needs.
        """
        if not self._standing.clear(ws) or self._holds.of(ws, now):
            self._look(ws)
            return False
        if not self._standing.begun(ws) and any(map(self._grips.idle, self._needs[ws])):
            self._stalled.append(ws)
            return False
        return True

    def _reserve(self, ws: str | None) -> None:
        """Reserve what one workstream needs, in place of what was reserved before."""
        before = self._reserved
        locks = () if ws is None else (*self._needs[ws], *self._locks(ws))
        self._first = ws
        self._reserved = frozenset(near for lock in locks for near in self._near(lock))
        for lock in (*(before - self._reserved), IDLE):
            self._call(lock)

    def _near(self, lock: Lock) -> Sequence[Lock]:
        """What is not to be taken when a lock is reserved."""
        if isinstance(lock, str):
            return self._grips.near(lock)
        return (lock,)


def _needs(bundle: Bundle, overlap_holds: bool) -> tuple[Need, ...]:
    """What only one workstream at a time may hold, of a bundle."""
    claims: Sequence[str] = claims_of(bundle) if overlap_holds else ()
    return (*claims, *(() if bundle.conflict_group is None else ((bundle.conflict_group,),)))


def _places(standing: Standing) -> dict[str, int]:
    """The order in which to start what has not begun and nothing else orders."""
    chains = chain_lengths(standing.order, standing.children)

    def key(bundle: Bundle) -> tuple[bool, int, str]:
        return bundle.priority is Priority.BACKGROUND, -chains[bundle.id], bundle.id

    return {bundle.id: at for at, bundle in enumerate(sorted(standing.order, key=key))}
