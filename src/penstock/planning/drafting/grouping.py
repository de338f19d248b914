"""Which open items make a workstream together: by unit, issue, directory, language, or each alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from penstock.planning.drafting.api import GroupBy
from penstock.planning.drafting.keys import Key, keys
from penstock.planning.drafting.ordering import Ordered
from penstock.planning.drafting.tasks import Gathered, Task


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """Open items that make one workstream: numbers of tasks, in the order to do them.

    `name` is what its id ends with, empty when it is all of its source. `part` counts from 1 where
    more than one workstream has that name, else it is 0.
    """

    source: int
    gate: int
    name: str
    tasks: tuple[int, ...]
    part: int = 0


class Before:
    """What each task waits for, as cells, found while the tasks are visited in their order.

    A value is None where the source states the dependency, else the name of the task without a
    scope that lies between the two.
    """

    def __init__(self, gathered: Gathered, ordered: Ordered) -> None:
        self._tasks = gathered.tasks
        self._ordered = ordered
        self._of: dict[int, dict[int, str | None]] = {}
        self._units: dict[int, dict[int, str | None]] = {}

    def visit(self, at: int) -> dict[int, str | None]:
        """Return the cells that a task waits for; all that is before it has been placed."""
        found: dict[int, str | None] = {}
        for other in self._ordered.before[at]:
            _join(found, self._of[other])
        for unit in self._ordered.units_before[self._tasks[at].unit_at]:
            _join(found, self._units.get(unit, {}))
        return found

    def place(self, at: int, cell: int | None, waits: Mapping[int, str | None]) -> None:
        """Put a task into a cell; None when it has no scope and only hands on what it waits for."""
        task = self._tasks[at]
        own: dict[int, str | None] = {}
        own.update(dict.fromkeys(waits, task.name) if cell is None else {cell: None})
        self._of[at] = own
        _join(self._units.setdefault(task.unit_at, {}), own)


def _join(found: dict[int, str | None], more: Mapping[int, str | None]) -> None:
    for cell, through in more.items():
        if found.get(cell, through) is None or through is None:
            found[cell] = None
        else:
            found.setdefault(cell, through)


Placed = Sequence[int | None]


def edges(gathered: Gathered, ordered: Ordered, placed: Placed) -> list[dict[int, str | None]]:
    """Return for each cell those that it waits for. `placed` is the cell of each task."""
    before = Before(gathered, ordered)
    count = max((cell for cell in placed if cell is not None), default=-1) + 1
    found: list[dict[int, str | None]] = [{} for _ in range(count)]
    for at in ordered.sequence:
        cell, waits = placed[at], before.visit(at)
        before.place(at, cell, waits)
        if cell is not None:
            _join(found[cell], {c: through for c, through in waits.items() if c != cell})
    return found


def group(gathered: Gathered, ordered: Ordered, by: GroupBy) -> list[Cell]:
    """Put the tasks that have claims into cells.

    A task goes into the latest cell of its key and gate, or into another one when that cell has to
    come before something that the task waits for: so cells never wait for each other in a circle.
    """
    key_of = keys(gathered, ordered.gates, by)
    building = _Building(gathered, ordered)
    for at in ordered.sequence:
        task = gathered.tasks[at]
        gate = 1 if by is GroupBy.ALL else ordered.gates[at]
        building.add(task, gate, key_of(task) if task.claims else None)
    return building.cells()


class _Building:
    """Cells on their way: their tasks, and which wait for which."""

    def __init__(self, gathered: Gathered, ordered: Ordered) -> None:
        self._before = Before(gathered, ordered)
        self._latest: dict[tuple[int, Key], int] = {}
        self._made: list[tuple[int, Key, list[int]]] = []
        self._waits: list[set[int]] = []

    def add(self, task: Task, gate: int, key: Key | None) -> None:
        """Put a task, whose turn it is, into the cell that it belongs to."""
        waits = self._before.visit(task.at)
        cell = None if key is None else self._cell(gate, key, waits)
        self._before.place(task.at, cell, waits)
        if cell is not None:
            self._made[cell][2].append(task.at)
            self._waits[cell] |= waits.keys() - {cell}

    def _cell(self, gate: int, key: Key, waits: Mapping[int, str | None]) -> int:
        cell = self._latest.get((gate, key))
        if cell is None or self._leads_to(cell, waits):
            cell = len(self._made)
            self._made.append((gate, key, []))
            self._waits.append(set())
            self._latest[gate, key] = cell
        return cell

    def _leads_to(self, cell: int, waits: Mapping[int, str | None]) -> bool:
        """Tell whether one of `waits`, other than the cell itself, waits for the cell."""
        stack = [other for other in waits if other != cell and other not in self._waits[cell]]
        seen = set(stack)
        while stack:
            for above in self._waits[stack.pop()]:
                if above == cell:
                    return True
                if above not in seen:
                    seen.add(above)
                    stack.append(above)
        return False

    def cells(self) -> list[Cell]:
        """Return the cells with their tasks."""
        return [
            Cell(source=key.source, gate=gate, name=key.name, tasks=tuple(tasks))
            for gate, key, tasks in self._made
        ]
