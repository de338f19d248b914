"""What keeps workstreams apart that claim the same paths: an order, or a conflict group.

Within a source the one that is written first goes first. Workstreams of different sources, and those
that the source itself calls conflicting, share a conflict group: nothing says which goes first.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

import msgspec

from penstock.planning.drafting.joined import Joined
from penstock.planning.drafting.links import Arranged, Link
from penstock.planning.drafting.tasks import Gathered, Task
from penstock.planning.sources.api import Notice, Place, Severity, Use
from penstock.schedule.conflicts import claim_neighbours


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What every cell waits for in the end, and the conflict groups by cell.

    A group is called after its first member.
    """

    links: tuple[dict[int, Link], ...]
    groups: dict[int, int]
    notices: tuple[Notice, ...]


class _Clash(msgspec.Struct, frozen=True):
    """A claim of one cell that shares a path with one of another cell."""

    before: int
    claim_before: str
    after: int
    claim_after: str


def keep_apart(arranged: Arranged, gathered: Gathered, ids: Sequence[str]) -> Kept:
    """Order cells and put them into groups until no two that could run together overlap."""
    apart = _Apart(arranged, gathered, ids)
    apart.group()
    apart.order()
    return Kept(links=tuple(apart.links), groups=apart.joined.sets(), notices=tuple(apart.notices))


# Gate and claim.
Spot = tuple[int, str]


class _Apart:
    """The work of `keep_apart`: cells stand in an order, so that each link leads backwards."""

    def __init__(self, arranged: Arranged, gathered: Gathered, ids: Sequence[str]) -> None:
        self._cells = arranged.cells
        self._gathered = gathered
        self._ids = ids
        self.links = [dict(own) for own in arranged.links]
        self.joined = Joined()
        self.notices: list[Notice] = []
        tasks = gathered.tasks
        self._tasks = [[tasks[t] for t in cell.tasks] for cell in arranged.cells]
        self._claims = [
            () if any(not task.unit.parallel_ok for task in own) else _claims(own)
            for own in self._tasks
        ]
        self._near = claim_neighbours(claim for own in self._claims for claim in own)
        self._users: dict[Spot, list[int]] = {}
        for at, own in enumerate(self._claims):
            for claim in own:
                self._users.setdefault((self._cells[at].gate, claim), []).append(at)

    # -- groups ----------------------------------------------------------------------------
    def group(self) -> None:
        """Join what the source calls conflicting, and what overlaps between sources."""
        self._join_stated()
        if len(self._gathered.sources) > 1:
            for at, claims in enumerate(self._claims):
                for clash in self._clashes(at, claims):
                    self._join_foreign(clash)

    def _join_stated(self) -> None:
        cells_of: dict[tuple[int, str], list[int]] = {}
        for at, own in enumerate(self._tasks):
            for task in own:
                cells = cells_of.setdefault((task.source, task.unit.key), [])
                if at not in cells:
                    cells.append(at)
        for at, own in enumerate(self._tasks):
            for key in dict.fromkeys(key for task in own for key in task.unit.conflicts_with):
                for other in cells_of.get((own[0].source, key), ()):
                    self.joined.join(at, other)

    def _join_foreign(self, clash: _Clash) -> None:
        """Join all users of two claims when they are of different sources."""
        gate = self._cells[clash.after].gate
        users = [
            *self._users[gate, clash.claim_before],
            *self._users[gate, clash.claim_after],
        ]
        if len({self._cells[at].source for at in users}) < 2:
            return
        if self.joined.first(clash.before) != self.joined.first(clash.after):
            self.notices.append(self._notice(clash, "they share a conflict group"))
        for at in users:
            self.joined.join(clash.after, at)

    # -- order -----------------------------------------------------------------------------
    def order(self) -> None:
        """Let each cell wait for those before it with which it overlaps."""
        for at, claims in enumerate(self._claims):
            found: dict[int, _Clash] = {}
            for clash in self._clashes(at, claims):
                if not self._is_grouped(clash):
                    found.setdefault(clash.before, clash)
            for before in sorted(found, reverse=True):
                if not self._waits(at, before):
                    self._link(found[before])

    def _clashes(self, at: int, claims: Sequence[str]) -> Iterator[_Clash]:
        """Yield what a cell's claims meet in cells before it.

        Users of one claim stand in a row, each behind the one before: to wait for the last of them
        is to wait for all, unless a group holds them apart instead.
        """
        gate = self._cells[at].gate
        for claim in claims:
            for other in self._near[claim]:
                users = self._users.get((gate, other), ())
                before = users[: bisect_left(users, at)]
                for user in before if self._in_one_group(users) else before[-1:]:
                    yield _Clash(user, other, at, claim)

    def _in_one_group(self, users: Sequence[int]) -> bool:
        first = self.joined.first(users[0]) if users else -1
        return all(self.joined.first(user) == first for user in users)

    def _is_grouped(self, clash: _Clash) -> bool:
        """Whether all users of both claims are in one group."""
        gate = self._cells[clash.after].gate
        users = self._users[gate, clash.claim_before] + self._users[gate, clash.claim_after]
        return self._in_one_group(users)

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

    def _link(self, clash: _Clash) -> None:
        first, second = self._shared(clash)
        path = _narrow(clash)
        why = f"both touch {path} ({first}, {second})"
        self.links[clash.after][clash.before] = Link(stated=False, why=why)
        text = f"{self._ids[clash.after]} waits for {self._ids[clash.before]}"
        self.notices.append(self._notice(clash, text))

    def _notice(self, clash: _Clash, outcome: str) -> Notice:
        first, second = self._shared(clash)
        return Notice(
            code="overlap",
            severity=Severity.WARNING,
            text=f"{_narrow(clash)} is touched at {first} and at {second}; {outcome}",
            place=second,
        )

    def _shared(self, clash: _Clash) -> tuple[Place, Place]:
        """The lines at which two cells come to their claims."""
        return (
            _place(self._tasks[clash.before], clash.claim_before),
            _place(self._tasks[clash.after], clash.claim_after),
        )


def _claims(tasks: Sequence[Task]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(claim for task in tasks for claim in task.claims))


def _narrow(clash: _Clash) -> str:
    """The claim that says more of where the two meet."""
    return max(clash.claim_before, clash.claim_after, key=lambda text: (len(text), text))


def _place(tasks: Sequence[Task], claim: str) -> Place:
    """The line that names a claim, else that of the task which has it."""
    for task in tasks:
        for guess in task.guesses:
            if guess.path == claim and guess.use is not Use.READ:
                return task.item.place if guess.place is None else guess.place
    raise KeyError(claim)
