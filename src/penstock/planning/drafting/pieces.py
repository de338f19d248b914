"""What each bundle is made of, put together from all that was found out about the cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from penstock.planning.drafting.apart import Kept
from penstock.planning.drafting.around import Settled
from penstock.planning.drafting.compose import Piece
from penstock.planning.drafting.limits import Meter
from penstock.planning.drafting.links import Arranged, Link
from penstock.planning.drafting.ordering import Ordered
from penstock.planning.drafting.reading import Reading
from penstock.planning.drafting.tasks import Gathered, Task


class Meetings(msgspec.Struct, frozen=True):
    """What keeps cells apart from each other, and from what is in the folder."""

    ids: Sequence[str]
    kept: Kept
    settled: Settled

    def waits(self, at: int) -> dict[str, Link]:
        """Return what a cell waits for, by id."""
        own = {self.ids[other]: link for other, link in self.kept.links[at].items()}
        return own | self.settled.links[at]

    def group(self, at: int) -> str | None:
        """Return a cell's conflict group: one of the folder, else one called after its first."""
        head = self.kept.groups.get(at)
        own = None if head is None else "cg" + self.ids[head].removeprefix("ws")
        return self.settled.names.get(at if head is None else head, own)


def make_pieces(
    arranged: Arranged, meetings: Meetings, gathered: Gathered, ordered: Ordered, meter: Meter
) -> list[Piece]:
    """Put together what each bundle is made of, source by source."""
    tasks = [tuple(gathered.tasks[t] for t in cell.tasks) for cell in arranged.cells]
    last = {task.unit_at: at for at, own in enumerate(tasks) for task in own}
    first = {task.unit_at: at for at, own in reversed([*enumerate(tasks)]) for task in own}
    unmet = _Unmet(gathered, ordered)
    readings = [Reading(source) for source in gathered.sources]
    pieces = []
    for at, cell in enumerate(arranged.cells):
        units = dict.fromkeys(task.unit_at for task in tasks[at])
        piece = Piece(
            ws_id=meetings.ids[at],
            cell=cell,
            reading=readings[cell.source],
            tasks=tasks[at],
            amount=meter.measure(tasks[at]),
            waits=meetings.waits(at),
            group=meetings.group(at),
            whole=tuple(gathered.units[u] for u in units if last[u] == at),
            fresh=tuple(gathered.units[u] for u in units if first[u] == at),
            unmet=unmet.of(tasks[at]),
        )
        pieces.append(piece)
    return sorted(pieces, key=lambda piece: piece.cell.source)


class _Unmet:
    """What tasks depend on directly and what is not planned, since it needs a scope."""

    def __init__(self, gathered: Gathered, ordered: Ordered) -> None:
        self._tasks = gathered.tasks
        self._ordered = ordered
        self._bare: dict[int, list[Task]] = {}
        for task in gathered.tasks:
            if not task.claims:
                self._bare.setdefault(task.unit_at, []).append(task)

    def of(self, tasks: Sequence[Task]) -> tuple[Task, ...]:
        """Return what some tasks depend on, each once."""
        found = {other.at: other for task in tasks for other in self._of_task(task)}
        return tuple(found.values())

    def _of_task(self, task: Task) -> Iterator[Task]:
        for at in self._ordered.before[task.at]:
            if not self._tasks[at].claims:
                yield self._tasks[at]
        for unit in self._ordered.units_before[task.unit_at]:
            yield from self._bare.get(unit, ())
