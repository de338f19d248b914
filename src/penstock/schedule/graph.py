"""The dependency graph of bundles: its edges, its cycles, and an order that respects it.

Nothing here recurses, so the depth of a graph is bounded by memory only. Dependencies on
workstreams that are not among the given ones are left out: whether those are met is not a
question of this graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush

from penstock.errors import BundleCycleError
from penstock.model.bundle import Bundle, Priority

# For each workstream, sorted: those that depend on it (children), those it depends on (parents).
Edges = dict[str, tuple[str, ...]]

CYCLE_LIMIT = 100


def build_dependency_graph(bundles: Iterable[Bundle]) -> tuple[Edges, Edges]:
    """Return (children, parents), every id in both, keys and values sorted, no edge twice."""
    found = sorted(bundles, key=lambda b: b.id)
    ids = {bundle.id for bundle in found}
    below: dict[str, list[str]] = {bundle.id: [] for bundle in found}
    parents: Edges = {}
    for bundle in found:
        parents[bundle.id] = tuple(sorted(ids.intersection(bundle.depends_on)))
        for parent in parents[bundle.id]:
            below[parent].append(bundle.id)
    return {ws: tuple(children) for ws, children in below.items()}, parents


def rank(bundle: Bundle) -> tuple[int, bool, str]:
    """The key that orders workstreams which nothing else orders: gate, priority, id."""
    return bundle.gate, bundle.priority is Priority.BACKGROUND, bundle.id


def topological_order(bundles: Iterable[Bundle]) -> tuple[Bundle, ...]:
    """Return the bundles so that each follows its dependencies, otherwise by `rank`.

    Kahn's algorithm with a heap: the order depends on nothing but the bundles.
    Raises BundleCycleError when there is none.
    """
    by_id = {bundle.id: bundle for bundle in bundles}
    children, parents = build_dependency_graph(by_id.values())
    missing = {ws: len(above) for ws, above in parents.items()}
    heap = [rank(by_id[ws]) for ws, count in missing.items() if not count]
    heapify(heap)
    order: list[Bundle] = []
    while heap:
        ws = heappop(heap)[2]
        order.append(by_id[ws])
        for child in children[ws]:
            missing[child] -= 1
            if not missing[child]:
                heappush(heap, rank(by_id[child]))
    if len(order) < len(by_id):
        raise BundleCycleError(cycles_message(find_cycles(parents)))
    return tuple(order)


def chain_lengths(order: Sequence[Bundle], children: Edges) -> dict[str, int]:
    """Return how many workstreams the longest chain of dependents has, from each one on.

    `order` is a topological order.
    """
    found: dict[str, int] = {}
    for bundle in reversed(order):
        found[bundle.id] = 1 + max((found[child] for child in children[bundle.id]), default=0)
    return found


def cycles_message(cycles: Sequence[Sequence[str]]) -> str:
    """Say which cycles there are."""
    return "Dependency cycle(s) detected: " + "; ".join(map(cycle_text, cycles))


def cycle_text(cycle: Sequence[str], limit: int = 20) -> str:
    """Write a cycle as `a -> b -> a`, with the middle of a long one left out."""
    shown = list(cycle[:limit])
    if len(cycle) > limit:
        shown.append(f"... ({len(cycle) - limit} more)")
    return " -> ".join([*shown, cycle[0]])


def components(graph: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Return the strongly connected components, each after all those that it points to.

    Tarjan, "Depth-first search and linear graph algorithms" (1972), without recursion.
    """
    search = _Components(graph)
    for root in graph:
        if root not in search.index:
            search.visit(root)
    return search.found


class _Components:
    """Tarjan's search: `low` is the earliest open node known to be reachable from a node."""

    def __init__(self, graph: Mapping[str, Sequence[str]]) -> None:
        self.index: dict[str, int] = {}
        self.found: list[list[str]] = []
        self._graph = graph
        self._low: dict[str, int] = {}
        self._open: list[str] = []
        self._work: list[tuple[str, Iterator[str]]] = []

    def visit(self, root: str) -> None:
        """Walk all that can be reached from a root."""
        self._enter(root)
        while self._work:
            node, following = self._work[-1]
            for other in following:
                if other not in self.index:
                    self._enter(other)
                    break
                self._low[node] = min(self._low[node], self._low[other])
            else:
                self._leave(node)

    def _enter(self, node: str) -> None:
        self.index[node] = self._low[node] = len(self.index)
        self._open.append(node)
        self._work.append((node, iter(self._graph[node])))

    def _leave(self, node: str) -> None:
        """Go back from a node; if nothing earlier is reachable from it, its component is whole."""
        self._work.pop()
        if self._work:
            above = self._work[-1][0]
            self._low[above] = min(self._low[above], self._low[node])
        if self._low[node] != self.index[node]:
            return
        at = len(self._open) - 1
        while self._open[at] != node:
            at -= 1
        self.found.append(self._open[at:])
        del self._open[at:]
        # Out of the way of every later minimum: nothing points back into a whole component.
        self._low.update(dict.fromkeys(self.found[-1], len(self._graph)))


def find_cycles(
    graph: Mapping[str, Sequence[str]], limit: int = CYCLE_LIMIT
) -> list[tuple[str, ...]]:
    """Return the elementary cycles, each once, starting at its smallest id, sorted.

    `graph` maps each workstream to those it depends on. There can be exponentially many cycles,
    so at most `limit` are looked for; every cyclic graph gives at least one.
    Johnson, "Finding all the elementary circuits of a directed graph" (1975).
    """
    cycles: list[tuple[str, ...]] = []
    waiting = _cyclic_parts(graph, graph.keys())
    while waiting and len(cycles) < limit:
        part = waiting.pop()
        start = min(part)
        inside = {node: [n for n in graph[node] if n in part] for node in part}
        for cycle in _circuits(start, inside):
            cycles.append(cycle)
            if len(cycles) >= limit:
                break
        waiting += _cyclic_parts(graph, part - {start})
    return sorted(cycles)


def _cyclic_parts(graph: Mapping[str, Sequence[str]], nodes: Iterable[str]) -> list[set[str]]:
    """Return the components of the subgraph of `nodes` that hold a cycle."""
    kept = set(nodes)
    inside = {node: [n for n in graph[node] if n in kept] for node in sorted(kept)}
    parts = components(inside)
    return [set(p) for p in parts if len(p) > 1 or p[0] in inside[p[0]]]


def _circuits(start: str, graph: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """Yield the elementary cycles through `start` within one component."""
    path, blocked = [start], {start}
    # Nodes that lay on a dead end, by the node whose release makes them worth trying again.
    releases: dict[str, set[str]] = {}
    work = [(start, iter(graph[start]))]
    closed: set[str] = set()
    while work:
        node, following = work[-1]
        other = next((n for n in following if n == start or n not in blocked), None)
        if other == start:
            yield tuple(path)
            closed.update(path)
        elif other is not None:
            path.append(other)
            blocked.add(other)
            closed.discard(other)
            work.append((other, iter(graph[other])))
        else:
            _leave(node, graph, closed, blocked, releases)
            work.pop()
            path.pop()


def _leave(
    node: str,
    graph: Mapping[str, Sequence[str]],
    closed: set[str],
    blocked: set[str],
    releases: dict[str, set[str]],
) -> None:
    """Unblock a node that was on a cycle; one that was not waits for those it leads to."""
    if node in closed:
        _release(node, blocked, releases)
        return
    for other in graph[node]:
        releases.setdefault(other, set()).add(node)


def _release(node: str, blocked: set[str], releases: dict[str, set[str]]) -> None:
    """Unblock a node and all that waited for it."""
    stack = [node]
    while stack:
        released = stack.pop()
        if released in blocked:
            blocked.discard(released)
            stack += releases.pop(released, ())
