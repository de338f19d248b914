"""Which workstream waits for which: stated by the source, and by the order of a cut one's parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush

import msgspec

from penstock.planning.drafting.grouping import Cell, edges
from penstock.planning.drafting.ordering import Ordered
from penstock.planning.drafting.tasks import Gathered


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Why a cell waits for another one; `stated` by the source, or derived."""

    stated: bool
    why: str


Links = list[dict[int, Link]]


class Arranged(msgspec.Struct, frozen=True, kw_only=True):
    """Cells of which each stands behind those that it waits for, lower gates first."""

    cells: tuple[Cell, ...]
    links: tuple[dict[int, Link], ...]


def arrange(cells: Sequence[Cell], gathered: Gathered, ordered: Ordered) -> Arranged:
    """Bring cells into an order and number those that share a name."""
    placed: list[int | None] = [None] * len(gathered.tasks)
    for at, cell in enumerate(cells):
        for task in cell.tasks:
            placed[task] = at
    links: Links = [
        {other: _stated(through) for other, through in sorted(waits.items())}
        for waits in edges(gathered, ordered, placed)
    ]
    _chain(cells, gathered, links)
    turn = _sequence(cells, links)
    place = {old: at for at, old in enumerate(turn)}
    return Arranged(
        cells=tuple(_numbered([cells[old] for old in turn])),
        links=tuple({place[other]: why for other, why in links[old].items()} for old in turn),
    )


def _stated(through: str | None) -> Link:
    if through is None:
        return Link(stated=True, why="stated by the plan")
    return Link(stated=False, why=f"through {through}, which is not planned")


def _chain(cells: Sequence[Cell], gathered: Gathered, links: Links) -> None:
    """Let the parts of what was cut wait for each other, but for those said to be parallel."""
    parts: dict[tuple[int, str, int], list[int]] = {}
    for at, cell in enumerate(cells):
        parts.setdefault((cell.source, cell.name, cell.gate), []).append(at)
    why = Link(stated=False, why="the parts of one group keep the order that it is written in")
    for members in parts.values():
        before: list[int] = []
        beside: list[int] = []
        for at in members:
            is_free = _is_parallel(cells[at], gathered)
            for other in before if is_free else beside or before:
                links[at].setdefault(other, why)
            if is_free:
                beside.append(at)
            else:
                before, beside = [at], []


def _is_parallel(cell: Cell, gathered: Gathered) -> bool:
    """Whether all tasks of a cell are of one unit and said to be parallel."""
    tasks = [gathered.tasks[at] for at in cell.tasks]
    return len({task.unit_at for task in tasks}) == 1 and all(t.item.parallel for t in tasks)


def _sequence(cells: Sequence[Cell], links: Sequence[Mapping[int, Link]]) -> list[int]:
    """Kahn's algorithm by gate, source and first task."""
    after: list[list[int]] = [[] for _ in cells]
    for at, waits in enumerate(links):
        for other in waits:
            after[other].append(at)
    rank = [(cell.gate, cell.source, min(cell.tasks), at) for at, cell in enumerate(cells)]
    missing = [len(waits) for waits in links]
    heap = [rank[at] for at, count in enumerate(missing) if not count]
    heapify(heap)
    found: list[int] = []
    while heap:
        at = heappop(heap)[3]
        found.append(at)
        for child in after[at]:
            missing[child] -= 1
            if not missing[child]:
                heappush(heap, rank[child])
    return found


def _numbered(cells: Iterable[Cell]) -> list[Cell]:
    """Number the cells that share a name."""
    found = list(cells)
    count: dict[tuple[int, str], int] = {}
    for cell in found:
        count[cell.source, cell.name] = count.get((cell.source, cell.name), 0) + 1
    seen: dict[tuple[int, str], int] = {}
    result = []
    for cell in found:
        name = (cell.source, cell.name)
        seen[name] = seen.get(name, 0) + 1
        result.append(msgspec.structs.replace(cell, part=seen[name] if count[name] > 1 else 0))
    return result
