"""The order that plugins run in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from penstock.checks.plugins.ordering import in_order

NAMES = st.sampled_from("abcdefgh")
GRAPHS = st.dictionaries(NAMES, st.lists(NAMES, max_size=4, unique=True), max_size=8)


def test_requirements_come_first() -> None:
    """A plugin follows what it requires; others keep their places."""
    graph = {"mypy": ("black",), "black": ("isort",), "isort": (), "yaml": ()}
    assert in_order(graph) == (("isort", "black", "mypy", "yaml"), ())


def test_what_nobody_has_is_not_required() -> None:
    """A requirement without a plugin is passed over."""
    assert in_order({"a": ("gone",)}) == (("a",), ())


def test_cycles_are_told_and_all_run() -> None:
    """The members of a cycle are in the order, after what they need, and the cycle is told."""
    order, cycles = in_order({"a": ("b",), "b": ("c",), "c": ("b", "d"), "d": (), "e": ("e",)})
    assert order == ("d", "b", "c", "a", "e")
    assert cycles == ("b -> c -> b", "e -> e")


def test_a_long_chain_is_no_trouble() -> None:
    """Ten thousand plugins in a chain are put in order without recursion."""
    chain = {str(n): (str(n + 1),) for n in range(10_000)}
    order, cycles = in_order(chain)
    assert (order[0], order[-1], cycles) == ("9999", "0", ())


@given(GRAPHS)
def test_every_plugin_is_there_once(graph: dict[str, list[str]]) -> None:
    """Whatever they require, all are in the order, each once."""
    assert sorted(in_order(graph)[0]) == sorted(graph)


@given(GRAPHS)
def test_without_cycles_every_requirement_is_met(graph: dict[str, list[str]]) -> None:
    """Where no cycle is told, each plugin follows all that it requires."""
    order, cycles = in_order(graph)
    if cycles:
        return
    for name, needed in graph.items():
        assert all(order.index(n) < order.index(name) for n in needed if n in graph)


@given(GRAPHS)
def test_cycles_are_told_exactly_when_there_are_some(graph: dict[str, list[str]]) -> None:
    """A cycle is told when and only when removing plugins that require nothing left gets stuck."""
    rest = {name: {n for n in needed if n in graph} for name, needed in graph.items()}
    while free := [name for name, needed in rest.items() if not needed & rest.keys()]:
        for name in free:
            del rest[name]
    assert bool(in_order(graph)[1]) is bool(rest)
