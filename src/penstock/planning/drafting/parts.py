"""Cutting workstreams that are beyond the limits, without tearing apart what claims the same."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from penstock.planning.drafting.api import PlanOptions
from penstock.planning.drafting.grouping import Cell, edges
from penstock.planning.drafting.keys import collisions
from penstock.planning.drafting.limits import Amount, Meter, pack
from penstock.planning.drafting.ordering import Ordered
from penstock.planning.drafting.tasks import Gathered, Task
from penstock.planning.sources.api import Notice, Severity
from penstock.schedule.graph import components


def split(
    cells: Sequence[Cell],
    gathered: Gathered,
    ordered: Ordered,
    meter: Meter,
    options: PlanOptions,
) -> list[Cell]:
    """Cut each cell that is beyond the limits into cells that are not, where that can be done.

    Tasks of one unit that claim the same paths stay together, and so do those that wait for each
    other crosswise.
    """
    large = {
        at
        for at, cell in enumerate(cells)
        if len(cell.tasks) > 1
        and meter.measure(gathered.tasks[t] for t in cell.tasks).beyond(options)
    }
    if not large:
        return list(cells)
    chunks = _chunks(cells, large, gathered, ordered)
    found: list[Cell] = []
    for at, cell in enumerate(cells):
        if at in large:
            found += _cut(cell, pack(chunks[at], meter, options))
        else:
            found.append(cell)
    return found


def _cut(cell: Cell, parts: Sequence[Sequence[int]]) -> list[Cell]:
    """A cell for each part; within it the order of the whole is kept."""
    turn = {task: at for at, task in enumerate(cell.tasks)}
    return [
        msgspec.structs.replace(cell, tasks=tuple(sorted(part, key=turn.__getitem__)))
        for part in parts
    ]


def _chunks(
    cells: Sequence[Cell], large: set[int], gathered: Gathered, ordered: Ordered
) -> dict[int, list[list[Task]]]:
    """The tasks of large cells in chunks that cannot be cut, in an order to do them."""
    placed: list[int | None] = [None] * len(gathered.tasks)
    owner: list[int] = []
    members: list[list[Task]] = []
    for at, cell in enumerate(cells):
        tasks = [gathered.tasks[t] for t in cell.tasks]
        first = collisions(tasks, lambda task: task.unit_at) if at in large else {}
        number: dict[int, int] = {}
        for task in tasks:
            chunk = number.setdefault(first.get(task.at, -1), len(owner))
            if chunk == len(owner):
                owner.append(at)
                members.append([])
            members[chunk].append(task)
            placed[task.at] = chunk
    waits = edges(gathered, ordered, placed)
    return {at: _in_order(at, owner, members, waits) for at in sorted(large)}


def _in_order(
    cell: int,
    owner: Sequence[int],
    members: Sequence[list[Task]],
    waits: Sequence[dict[int, str | None]],
) -> list[list[Task]]:
    """The chunks of one cell, each after those that it waits for; a circle of them is one chunk."""
    own = [chunk for chunk, at in enumerate(owner) if at == cell]
    graph = {
        str(chunk): [str(other) for other in sorted(waits[chunk]) if owner[other] == cell]
        for chunk in own
    }
    return [
        [task for chunk in sorted(map(int, part)) for task in members[chunk]]
        for part in components(graph)
    ]


def over_limit(ws_id: str, tasks: Sequence[Task], amount: Amount, options: PlanOptions) -> Notice:
    """Say that a workstream is beyond the limits and why it cannot be cut."""
    beyond = ", ".join(amount.beyond(options))
    if len(tasks) == 1:
        return Notice(
            code="over-large-task",
            severity=Severity.WARNING,
            text=f"{tasks[0].name} alone has {beyond}",
            place=tasks[0].item.place,
            hint="Write it as several tasks, or raise the limit with --options.",
        )
    return Notice(
        code="over-limit",
        severity=Severity.WARNING,
        text=f"{ws_id} has {beyond} and cannot be cut: its {len(tasks)} tasks claim the same "
        "paths or wait for each other",
        place=tasks[0].item.place,
        hint="Let its tasks name their own files, or raise the limit with --options.",
    )
