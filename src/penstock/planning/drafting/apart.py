"""What keeps workstreams apart that claim the same paths: an order, or a conflict group.

Within a source the one that is written first goes first. Workstreams of different sources, and those
that the source itself calls conflicting, share a conflict group: nothing says which goes first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from penstock.planning.drafting.joined import Joined
from penstock.planning.drafting.links import Arranged, Link
from penstock.planning.drafting.tasks import Gathered, Task
from penstock.planning.sources.api import Notice, Place, Severity, Use
from penstock.schedule.conflicts import claim_neighbours
from penstock.schedule.glob import WILDCARD

# A claim within a gate: only cells of one gate could run at the same time.
Spot = tuple[int, str]


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What every cell waits for in the end, and the conflict groups by cell.

    A group is called after its first member.
    """

    links: tuple[dict[int, Link], ...]
    groups: dict[int, int]
    notices: tuple[Notice, ...]


class _Clash(msgspec.Struct, frozen=True):
    """A claim of one cell that shares a path with one of a cell after it."""

    before: int
    claim_before: str
    after: int
    claim_after: str

    @property
    def path(self) -> str:
        """The claim that says more of where the two meet."""
        return narrower(self.claim_before, self.claim_after)


def narrower(one: str, other: str) -> str:
    """Return which of two overlapping claims says more: a file before a folder, both before a glob."""
    return max(one, other, key=lambda text: (not WILDCARD.search(text), len(text), text))


def keep_apart(ground: Ground, arranged: Arranged, gathered: Gathered, ids: Sequence[str]) -> Kept:
    """Order cells and put them into groups until no two that could run together overlap."""
    grouping = _Grouping(ground, gathered, ids)
    grouping.join()
    ordering = _Ordering(ground, grouping, arranged, ids)
    ordering.link()
    return Kept(
        links=tuple(ordering.links),
        groups=grouping.joined.sets(),
        notices=(*grouping.notices, *ordering.notices),
    )


class Ground:
    """Which cells claim what. Cells stand in an order, so that each waits only for some before it.

    Those that run alone claim nothing here, since they meet nobody.
    """

    def __init__(self, arranged: Arranged, gathered: Gathered) -> None:
        self.cells = arranged.cells
        self.tasks = [[gathered.tasks[t] for t in cell.tasks] for cell in arranged.cells]
        self.claims = [
            _claims(own) if all(task.unit.parallel_ok for task in own) else () for own in self.tasks
        ]
        self.near = claim_neighbours(claim for own in self.claims for claim in own)
        self.users: dict[Spot, list[int]] = {}
        for at in range(len(self.cells)):
            for spot in self.spots(at):
                self.users.setdefault(spot, []).append(at)

    def spots(self, at: int) -> Iterator[Spot]:
        """Yield the claims of a cell with its gate."""
        gate = self.cells[at].gate
        return ((gate, claim) for claim in self.claims[at])

    def near_spots(self, spot: Spot) -> Iterator[Spot]:
        """Yield the spots in use that overlap with one, itself among them."""
        gate, claim = spot
        return (found for other in self.near[claim] if (found := (gate, other)) in self.users)

    def notice(self, clash: _Clash, outcome: str) -> Notice:
        """Tell of a clash and what came of it, with the lines of both."""
        first, second = self.places(clash)
        return Notice(
            code="overlap",
            severity=Severity.WARNING,
            text=f"{clash.path} is touched at {first} and at {second}; {outcome}",
            place=second,
        )

    def places(self, clash: _Clash) -> tuple[Place, Place]:
        """Return the lines at which two cells come to their claims."""
        return (
            _place(self.tasks[clash.before], clash.claim_before),
            _place(self.tasks[clash.after], clash.claim_after),
        )


def _claims(tasks: Sequence[Task]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(claim for task in tasks for claim in task.claims))


def _place(tasks: Sequence[Task], claim: str) -> Place:
    """The line that names a claim, else that of the task which has it."""
    task = next(task for task in tasks if claim in task.claims)
    places = (g.place for g in task.guesses if g.path == claim and g.use is not Use.READ)
    return next(places) or task.item.place


class _Grouping:
    """Joins cells into conflict groups: what the source calls conflicting, and what overlaps
    between sources."""

    def __init__(self, ground: Ground, gathered: Gathered, ids: Sequence[str]) -> None:
        self.joined = Joined()
        self.notices: list[Notice] = []
        self._ground = ground
        self._ids = ids
        self._several = len(gathered.sources) > 1
        self._group_of: dict[Spot, int | None] = {}

    def join(self) -> None:
        """Join all that is to be joined."""
        self._join_stated()
        if self._several:
            for spot in self._ground.users:
                for other in self._ground.near_spots(spot):
                    if other >= spot:
                        self._join_foreign(spot, other)

    def _join_stated(self) -> None:
        cells_of: dict[tuple[int, str], list[int]] = {}
        for at, own in enumerate(self._ground.tasks):
            for key in dict.fromkeys((task.source, task.unit.key) for task in own):
                cells_of.setdefault(key, []).append(at)
        for at, own in enumerate(self._ground.tasks):
            rivals = dict.fromkeys(rival for task in own for rival in task.unit.conflicts_with)
            for rival in rivals:
                for other in cells_of.get((own[0].source, rival), ()):
                    self.joined.join(at, other)

    def _join_foreign(self, spot: Spot, other: Spot) -> None:
        """Join all users of two overlapping claims when they are of different sources."""
        users, others = self._ground.users[spot], self._ground.users[other]
        cells = self._ground.cells
        home = cells[users[0]].source
        stranger = next((at for at in (*others, *users) if cells[at].source != home), None)
        if stranger is None:
            return
        if self.joined.first(stranger) != self.joined.first(users[0]):
            claim = other[1] if stranger in others else spot[1]
            self._tell(_Clash(users[0], spot[1], stranger, claim))
        for at in (*users, *others):
            self.joined.join(users[0], at)

    def _tell(self, clash: _Clash) -> None:
        one, two = self._ids[clash.before], self._ids[clash.after]
        outcome = f"{one} and {two} share a conflict group"
        self.notices.append(self._ground.notice(clash, outcome))

    def of(self, spot: Spot) -> int | None:
        """Return the set that all users of a spot are in, None when they are not in one."""
        if spot not in self._group_of:
            found = {self.joined.first(at) for at in self._ground.users[spot]}
            self._group_of[spot] = found.pop() if len(found) == 1 else None
        return self._group_of[spot]

    def holds(self, spot: Spot, other: Spot) -> bool:
        """Tell whether one group keeps all users of two spots apart."""
        found = self.of(spot)
        return found is not None and found == self.of(other)


class _Ordering:
    """Lets each cell wait for those before it with which it overlaps.

    The users of one claim come to stand in a row, each waiting for the one before, so that who waits
    for the last of them waits for all; where a group holds them instead, each is waited for. Of two
    overlapping claims, the one that overlaps with fewer others looks after both: a file knows its
    folder, and the folder need not ask all of its files.
    """

    def __init__(
        self, ground: Ground, grouping: _Grouping, arranged: Arranged, ids: Sequence[str]
    ) -> None:
        self.links = [dict(own) for own in arranged.links]
        self.notices: list[Notice] = []
        self._ground = ground
        self._grouping = grouping
        self._ids = ids
        self._seen: dict[Spot, list[int]] = {}
        # For a spot, users of others that overlap with it since its own users were last linked.
        self._news: dict[Spot, dict[Spot, list[int]]] = {}

    def link(self) -> None:
        """Go through the cells in their order."""
        for at in range(len(self._ground.cells)):
            found: dict[int, _Clash] = {}
            for spot in self._ground.spots(at):
                for clash in self._clashes(at, spot):
                    found.setdefault(clash.before, clash)
            for before in sorted(found, reverse=True):
                if not self._waits(at, before):
                    self._add(found[before])
            for spot in self._ground.spots(at):
                self._enter(at, spot)

    def _looks_after(self, spot: Spot) -> Iterator[Spot]:
        """Yield the other spots for which this one does the looking."""
        near = self._ground.near
        mine = (len(near[spot[1]]), spot)
        for other in self._ground.near_spots(spot):
            if mine < (len(near[other[1]]), other) and not self._grouping.holds(spot, other):
                yield other

    def _clashes(self, at: int, spot: Spot) -> Iterator[_Clash]:
        if not self._grouping.holds(spot, spot):
            yield from self._with(at, spot, spot, self._seen.get(spot, ()))
        for other in self._looks_after(spot):
            yield from self._with(at, spot, other, self._seen.get(other, ()))
        for other, users in self._news.get(spot, {}).items():
            yield from self._with(at, spot, other, users)

    def _with(self, at: int, spot: Spot, other: Spot, users: Sequence[int]) -> Iterator[_Clash]:
        return (_Clash(user, other[1], at, spot[1]) for user in users)

    def _enter(self, at: int, spot: Spot) -> None:
        """Note that a cell uses a spot."""
        in_row = self._grouping.of(spot) is None
        self._note(self._seen, spot, at, in_row=in_row)
        if in_row:
            self._news.pop(spot, None)
        for other in self._looks_after(spot):
            self._note(self._news.setdefault(other, {}), spot, at, in_row=in_row)

    def _note(self, users: dict[Spot, list[int]], spot: Spot, at: int, *, in_row: bool) -> None:
        if in_row:
            users[spot] = [at]
        else:
            users.setdefault(spot, []).append(at)

    def _waits(self, at: int, before: int) -> bool:
        """Tell whether a cell waits for one before it, also through others."""
        stack, seen = [at], {at}
        while stack:
            for above in self.links[stack.pop()]:
                if above == before:
                    return True
                if above > before and above not in seen:
                    seen.add(above)
                    stack.append(above)
        return False

    def _add(self, clash: _Clash) -> None:
        first, second = self._ground.places(clash)
        why = f"both touch {clash.path} ({first}, {second})"
        self.links[clash.after][clash.before] = Link(stated=False, why=why)
        outcome = f"{self._ids[clash.after]} waits for {self._ids[clash.before]}"
        self.notices.append(self._ground.notice(clash, outcome))
