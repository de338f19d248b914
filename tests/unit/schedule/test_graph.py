"""The dependency graph: edges, cycles, order."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import BundleCycleError
from penstock.schedule.graph import (
    build_dependency_graph,
    components,
    cycle_text,
    find_cycles,
    topological_order,
)
from tests.support.bundles import bundle, chain
from tests.support.graphs import Graph, reaches

IDS = "abcdef"
GRAPH = st.lists(st.sets(st.integers(0, 5)), min_size=1, max_size=6).map(
    lambda rows: {
        IDS[at]: [IDS[to] for to in sorted(row) if to < len(rows)] for at, row in enumerate(rows)
    }
)


def all_cycles(graph: Graph) -> list[tuple[str, ...]]:
    """Every elementary cycle by trying all simple paths, from the smallest id on."""
    found: set[tuple[str, ...]] = set()

    def walk(path: tuple[str, ...]) -> None:
        for node in graph[path[-1]]:
            if node == path[0]:
                found.add(path)
            elif node > path[0] and node not in path:
                walk((*path, node))

    for start in graph:
        walk((start,))
    return sorted(found)


@settings(max_examples=400, deadline=None)
@given(GRAPH)
def test_cycles_are_all_found_once_from_the_smallest_id(graph: Graph) -> None:
    """The cycles are those that trying every path finds."""
    assert find_cycles(graph, 10**6) == all_cycles(graph)


@settings(deadline=None)
@given(GRAPH, st.integers(1, 4))
def test_a_limit_of_cycles_still_gives_some(graph: Graph, limit: int) -> None:
    """With a limit, as many cycles come as there are, up to it."""
    everything = all_cycles(graph)
    found = find_cycles(graph, limit)
    assert len(found) == min(limit, len(everything))
    assert set(found) <= set(everything)


@settings(deadline=None)
@given(GRAPH)
def test_components_are_mutually_reachable_and_in_order(graph: Graph) -> None:
    """Two nodes share a component just when each reaches the other; targets come first."""
    found = components(graph)
    place = {node: at for at, part in enumerate(found) for node in part}
    assert sorted(place) == sorted(graph)
    for a in graph:
        for b in reaches(graph, a):
            assert place[b] <= place[a]
            assert (place[a] == place[b]) is (a == b or a in reaches(graph, b))


def test_the_graph_is_sorted_and_leaves_strangers_out() -> None:
    """Keys and values are sorted, a repeated dependency is one edge, unknown ids are none."""
    bundles = [
        bundle("ws-c", depends_on=["ws-b", "ws-a", "ws-b", "ws-elsewhere"]),
        bundle("ws-b", depends_on=["ws-a"]),
        bundle("ws-a"),
    ]
    children, parents = build_dependency_graph(bundles)
    assert list(children) == list(parents) == ["ws-a", "ws-b", "ws-c"]
    assert children == {"ws-a": ("ws-b", "ws-c"), "ws-b": ("ws-c",), "ws-c": ()}
    assert parents == {"ws-a": (), "ws-b": ("ws-a",), "ws-c": ("ws-a", "ws-b")}


def test_order_is_gate_then_priority_then_id_behind_dependencies() -> None:
    """The order is stable and each workstream follows what it depends on."""
    bundles = [
        bundle("ws-a", gate=2),
        bundle("ws-b", priority="background"),
        bundle("ws-c", depends_on=["ws-d"]),
        bundle("ws-d"),
        bundle("ws-e"),
    ]
    order = [b.id for b in topological_order(bundles)]
    assert order == ["ws-d", "ws-c", "ws-e", "ws-b", "ws-a"]
    assert [b.id for b in topological_order(reversed(bundles))] == order


def test_there_is_no_order_with_a_cycle() -> None:
    """The error names the cycle, a workstream that depends on itself being one too."""
    bundles = [bundle("ws-a", depends_on=["ws-b"]), bundle("ws-b", depends_on=["ws-a"])]
    with pytest.raises(BundleCycleError, match=r"cycle\(s\) detected: ws-a -> ws-b -> ws-a"):
        topological_order(bundles)
    with pytest.raises(BundleCycleError, match="ws-c -> ws-c"):
        topological_order([bundle("ws-c", depends_on=["ws-c"])])


def test_depth_is_no_limit() -> None:
    """A chain or ring of ten thousand is no deeper than any other."""
    assert len(topological_order(chain(10_000))) == 10_000
    ids = [f"n{at:05}" for at in range(10_000)]
    ring = {ws: [ids[at - 1]] for at, ws in enumerate(ids)}
    assert [len(cycle) for cycle in find_cycles(ring)] == [10_000]


def test_a_complete_graph_does_not_take_for_ever() -> None:
    """There are more cycles than atoms; the limit is kept."""
    ids = [f"n{at:02}" for at in range(30)]
    assert len(find_cycles(dict.fromkeys(ids, ids))) == 100


def test_long_cycles_are_shown_short() -> None:
    """A message never lists thousands of ids."""
    assert cycle_text(("a", "b")) == "a -> b -> a"
    assert cycle_text(["a"] * 25, limit=2) == "a -> a -> ... (23 more) -> a"
