"""In what order the open items can be done: what the source states, as a graph without cycles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush

import msgspec

from penstock.planning.drafting.tasks import Gathered, Task, name_of
from penstock.planning.sources.api import Item, Notice, PlanSource, Severity, Unit
from penstock.schedule.graph import components, cycle_text, find_cycles

# A stated edge leads from a node to one that must come before it. Nodes: `i3` the task at 3, `b2`
# and `e2` where unit 2 begins and ends.
Graph = dict[str, list[str]]


class Ordered(msgspec.Struct, frozen=True, kw_only=True):
    """The tasks in an order that respects all that is stated.

    `gates` are those of the tasks, raised to the gates of what they depend on; `before` the tasks
    that a task names as its dependencies and `units_before` the units that a unit names.
    """

    sequence: tuple[int, ...]
    gates: tuple[int, ...]
    before: tuple[tuple[int, ...], ...]
    units_before: tuple[tuple[int, ...], ...]
    notices: tuple[Notice, ...]


def order(gathered: Gathered) -> Ordered:
    """Order the tasks by what is stated, then by gate and as they are written.

    What is done, deferred or cancelled counts as met. In a cycle, dependencies on what is written
    later are left out and an error says so.
    """
    stated = _Stated(gathered)
    before, units_before = stated.before, stated.units_before
    notices = list(stated.notices)
    run = _Run(gathered, before, units_before)
    if not run.complete:
        notices += _break_cycles(gathered, before, units_before, run.left)
        run = _Run(gathered, before, units_before)
    notices += _raised(gathered, before, units_before, run.gates)
    return Ordered(
        sequence=tuple(run.sequence),
        gates=tuple(run.gates[f"i{task.at}"] for task in gathered.tasks),
        before=tuple(map(tuple, before)),
        units_before=tuple(map(tuple, units_before)),
        notices=tuple(notices),
    )


class _Stated:
    """What items and units name as their dependencies, as numbers; only what is open counts."""

    def __init__(self, gathered: Gathered) -> None:
        self.before: list[list[int]] = [[] for _ in gathered.tasks]
        self.units_before: list[list[int]] = [[] for _ in gathered.units]
        self.notices: list[Notice] = []
        tasks = iter(gathered.tasks)
        waiting = next(tasks, None)
        first = 0
        for source in gathered.sources:
            own: list[Task] = []
            last = first + len(source.units)
            while waiting is not None and waiting.unit_at < last:
                own.append(waiting)
                waiting = next(tasks, None)
            self._items(source, own)
            self._units(source, first, {task.unit_at for task in own})
            first = last

    def _items(self, source: PlanSource, own: Sequence[Task]) -> None:
        known = {item.key for item in source.items}
        at = {task.item.key: task.at for task in reversed(own)}
        for task in own:
            for key in dict.fromkeys(task.item.depends_on):
                if key in at:
                    self.before[task.at].append(at[key])
                elif key not in known:
                    self.notices.append(_unknown(task.item, key))

    def _units(self, source: PlanSource, first: int, is_open: set[int]) -> None:
        at = {unit.key: first + n for n, unit in reversed(list(enumerate(source.units)))}
        for n, unit in enumerate(source.units, first):
            for key in dict.fromkeys(unit.depends_on):
                if key not in at:
                    self.notices.append(_unknown(unit, key))
                elif at[key] in is_open and n in is_open:
                    self.units_before[n].append(at[key])


def _unknown(one: Item | Unit, key: str) -> Notice:
    name = name_of(one) if isinstance(one, Item) else f"'{one.title or one.key}'"
    return Notice(
        code="unknown-dependency",
        severity=Severity.ERROR,
        text=f"{name} depends on {key!r}, which there is not",
        place=one.place,
        hint="Correct the id or take it out.",
    )


class _Run:
    """Kahn's algorithm over tasks and units, lowest gate and earliest written first."""

    def __init__(
        self,
        gathered: Gathered,
        before: Sequence[Sequence[int]],
        units_before: Sequence[Sequence[int]],
    ) -> None:
        graph = _graph(gathered, before, units_before)
        self.gates: dict[str, int] = _own_gates(gathered)
        self.sequence: list[int] = []
        self.left: Graph = graph
        self._place = {node: at for at, node in enumerate(graph)}
        self._walk(graph)

    @property
    def complete(self) -> bool:
        """Whether no cycle held anything back."""
        return not self.left

    def _walk(self, graph: Graph) -> None:
        after: Graph = {node: [] for node in graph}
        for node, parents in graph.items():
            for parent in parents:
                after[parent].append(node)
        missing = {node: len(parents) for node, parents in graph.items()}
        heap = [self._rank(node) for node, count in missing.items() if not count]
        heapify(heap)
        while heap:
            node = heappop(heap)[2]
            del self.left[node]
            if node[0] == "i":
                self.sequence.append(int(node[1:]))
            for child in after[node]:
                self.gates[child] = max(self.gates[child], self.gates[node])
                missing[child] -= 1
                if not missing[child]:
                    heappush(heap, self._rank(child))

    def _rank(self, node: str) -> tuple[int, int, str]:
        return self.gates[node], self._place[node], node


def _own_gates(gathered: Gathered) -> dict[str, int]:
    gates = {f"{end}{at}": unit.gate for at, unit in enumerate(gathered.units) for end in "be"}
    gates.update((f"i{task.at}", task.unit.gate) for task in gathered.tasks)
    return gates


def _graph(
    gathered: Gathered, before: Sequence[Sequence[int]], units_before: Sequence[Sequence[int]]
) -> Graph:
    """The nodes in written order, each with those that come before it."""
    graph: Graph = {}
    inside: list[list[str]] = [[] for _ in gathered.units]
    for task in gathered.tasks:
        inside[task.unit_at].append(f"i{task.at}")
    for at, own in enumerate(inside):
        if own:
            graph[f"b{at}"] = [f"e{other}" for other in units_before[at]]
            graph.update((node, [f"b{at}"]) for node in own)
            graph[f"e{at}"] = list(own)
    for task in gathered.tasks:
        graph[f"i{task.at}"] += [f"i{other}" for other in before[task.at]]
    return graph


def _break_cycles(
    gathered: Gathered, before: list[list[int]], units_before: list[list[int]], left: Graph
) -> Iterator[Notice]:
    """Take stated edges that go against the written order out of cycles; tell of each cycle."""
    inside = {node: [n for n in parents if n in left] for node, parents in left.items()}
    for part in components(inside):
        members = set(part)
        if len(part) == 1 and part[0] not in inside[part[0]]:
            continue
        yield _cycle_notice(gathered, {n: [p for p in inside[n] if p in members] for n in part})
        for node in part:
            at = int(node[1:])
            if node[0] == "i":
                before[at] = [p for p in before[at] if p < at or f"i{p}" not in members]
            elif node[0] == "b":
                kept = [p for p in units_before[at] if p < at or f"e{p}" not in members]
                units_before[at] = kept


def _cycle_notice(gathered: Gathered, part: Mapping[str, Sequence[str]]) -> Notice:
    """Tell of one cycle of a component."""
    named = _stated_steps(find_cycles(part, limit=1)[0])
    found = [_described(gathered, node) for node in named]
    return Notice(
        code="circular-dependency",
        severity=Severity.ERROR,
        text=f"these wait for each other: {cycle_text([text for text, _ in found], 8)}; "
        "dependencies on what is written later are left out",
        place=found[0][1].place,
        hint="Take one of these dependencies out.",
    )


def _stated_steps(cycle: Sequence[str]) -> list[str]:
    """The nodes of a cycle that state to wait for the next one, beginning with what is written
    first."""
    following = [*cycle[1:], cycle[0]]
    steps = [a for a, b in zip(cycle, following, strict=True) if a[0] + b[0] in ("be", "ii")]
    first = steps.index(min(steps, key=lambda node: int(node[1:])))
    return [*steps[first:], *steps[:first]]


def _described(gathered: Gathered, node: str) -> tuple[str, Item | Unit]:
    at = int(node[1:])
    if node[0] == "i":
        item = gathered.tasks[at].item
        return f"{name_of(item)} ({item.place})", item
    unit = gathered.units[at]
    return f"'{unit.title or unit.key}' ({unit.place})", unit


def _raised(
    gathered: Gathered,
    before: Sequence[Sequence[int]],
    units_before: Sequence[Sequence[int]],
    gates: Mapping[str, int],
) -> Iterator[Notice]:
    """Tell of items and units that depend on what belongs to a later gate."""
    for task in gathered.tasks:
        later = [p for p in before[task.at] if gates[f"i{p}"] > task.unit.gate]
        if later:
            other = gathered.tasks[later[0]]
            yield _later(
                task.item,
                task.unit,
                f"{name_of(other.item)} ({other.item.place})",
                gates[f"i{other.at}"],
            )
    for at, unit in enumerate(gathered.units):
        behind = [p for p in units_before[at] if gates[f"e{p}"] > unit.gate]
        if behind:
            first = gathered.units[behind[0]]
            name = f"'{first.title or first.key}' ({first.place})"
            yield _later(unit, unit, name, gates[f"e{behind[0]}"])


def _later(one: Item | Unit, unit: Unit, other: str, gate: int) -> Notice:
    name = name_of(one) if isinstance(one, Item) else f"'{one.title or one.key}'"
    return Notice(
        code="depends-on-later",
        severity=Severity.WARNING,
        text=f"{name} is written for gate {unit.gate} and depends on {other} of gate {gate}; "
        f"it is planned for gate {gate}",
        place=one.place,
    )
