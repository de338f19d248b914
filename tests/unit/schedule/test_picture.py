"""The graph of workstreams as values."""

from __future__ import annotations

import pytest

from penstock.errors import BundleCycleError
from penstock.model.bundle import Bundle
from penstock.model.states import WorkstreamState
from penstock.schedule.picture import Picture, Rules, picture, without
from penstock.schedule.slots import Capacity
from tests.support.bundles import bundle, chain

W = WorkstreamState
RULES = Rules(capacity=Capacity(total=2))


def by_tool(one: Bundle) -> tuple[str, ...]:
    """A workstream's tool as its key."""
    return (f"tool:{one.tool}",)


def serials(drawn: Picture) -> list[tuple[str, str, tuple[str, ...]]]:
    """What serialises, as plain tuples."""
    return [(s.kind, s.what, s.workstreams) for s in drawn.serial]


def test_without_times_each_counts_one() -> None:
    """A chain of two beside one: two in a row of three."""
    drawn = picture([*chain(2), bundle("ws-x")], RULES)
    assert (drawn.unit, drawn.work, drawn.critical_length, drawn.length) == ("workstreams", 3, 2, 2)
    assert (drawn.speedup, drawn.max_speedup, drawn.lower_bound) == (1.5, 1.5, 2)
    assert drawn.critical_path == ("ws-00000", "ws-00001")
    assert drawn.waves == (("ws-00000", "ws-x"), ("ws-00001",))


def test_times_make_it_seconds() -> None:
    """With the time of each the critical path is the longest in seconds."""
    drawn = picture(
        [*chain(2), bundle("ws-x")],
        RULES,
        durations={"ws-00000": 1.0, "ws-00001": 2.0, "ws-x": 9.0},
    )
    assert (drawn.unit, drawn.critical_path, drawn.length) == ("seconds", ("ws-x",), 9.0)
    assert [node.ws_id for node in drawn.nodes if node.critical] == ["ws-x"]


def test_one_unknown_time_makes_all_count_one() -> None:
    """Seconds and guesses are not added up."""
    assert picture(chain(2), RULES, durations={"ws-00000": 5.0}).unit == "workstreams"


def test_what_has_ended_has_no_start() -> None:
    """In a run, what is done is over, and what waits for a failed one never starts."""
    states = {"ws-00000": W.DONE, "ws-00001": W.FAILED, "ws-00002": W.PENDING, "ws-x": W.PENDING}
    drawn = picture([*chain(3), bundle("ws-x")], RULES, states=states)
    starts = {node.ws_id: (node.status, node.start) for node in drawn.nodes}
    assert starts["ws-00000"] == ("done", None)
    assert starts["ws-00002"] == ("pending", None)
    assert starts["ws-x"] == ("pending", 0.0)
    assert drawn.length == 3


def test_gates_are_named_with_what_they_cost() -> None:
    """A gate holds back its members though they depend on nothing."""
    drawn = picture([*chain(2), bundle("ws-y", gate=2), bundle("ws-z", gate=2)], RULES)
    assert serials(drawn) == [("gate", "2", ("ws-y", "ws-z"))]
    assert drawn.costs == {"gate": 1.0}


def test_running_alone_is_named_with_what_it_costs() -> None:
    """Two that run alone among four."""
    some = [bundle(f"ws-{name}", parallel_ok=name > "b") for name in "abcd"]
    drawn = picture(some, RULES)
    assert serials(drawn) == [
        ("alone", "parallel_ok", ("ws-a",)),
        ("alone", "parallel_ok", ("ws-b",)),
    ]
    assert drawn.costs == {"alone": 1.0}


def test_one_that_runs_alone_anyway_is_not_named() -> None:
    """There is nothing beside it."""
    assert picture([bundle(parallel_ok=False)], RULES).serial == ()


def test_a_group_is_named_once_with_all_its_members() -> None:
    """Not pair by pair; members that depend on each other are kept apart by that."""
    some = [bundle(f"ws-{name}", conflict_group="db") for name in "abc"]
    drawn = picture(some, RULES)
    assert serials(drawn) == [("group", "db", ("ws-a", "ws-b", "ws-c"))]
    assert drawn.costs == {"group": 1.0}
    assert picture(chain(3, conflict_group="db"), RULES).serial == ()


def test_an_overlap_names_both_claims() -> None:
    """Which claim of each it is."""
    some = [bundle("ws-a", files_scope=["src/"]), bundle("ws-b", files_scope=["src/x.py"])]
    drawn = picture(some, RULES)
    assert serials(drawn) == [("overlap", "src/ and src/x.py", ("ws-a", "ws-b"))]
    assert (drawn.costs, drawn.waves) == ({"overlap": 1.0}, (("ws-a",), ("ws-b",)))


def test_overlaps_that_do_not_hold_are_left_out() -> None:
    """Where they run side by side and are sorted out when merged."""
    some = [bundle("ws-a", files_scope=["x"]), bundle("ws-b", files_scope=["x"])]
    drawn = picture(some, Rules(capacity=Capacity(total=2), overlap_holds=False))
    assert (drawn.serial, drawn.waves, drawn.length) == ((), (("ws-a", "ws-b"),), 1)


def test_a_limited_tool_is_named_when_it_limits() -> None:
    """One at a time of two that could run together; a limit that nothing reaches is no matter."""
    keys = {"tool:scripted": 1, "tool:other": 1, "capability:review": 1}
    drawn = picture(
        [bundle("ws-a"), bundle("ws-b")], Rules(capacity=Capacity(keys=keys), keys_of=by_tool)
    )
    assert serials(drawn) == [("tool", "scripted (1 at a time)", ("ws-a", "ws-b"))]
    assert drawn.costs == {"tool": 1.0}


def test_nothing_makes_an_empty_picture() -> None:
    """No bundles: no waves, and no division by nothing."""
    drawn = picture([], RULES)
    assert (drawn.nodes, drawn.waves, drawn.speedup, drawn.max_speedup) == ((), (), 1.0, 1.0)


def test_a_cycle_has_no_picture() -> None:
    """It is told instead."""
    with pytest.raises(BundleCycleError):
        picture([bundle(depends_on=["ws-a"])], RULES)


def test_only_known_constraints_are_lifted() -> None:
    """Another kind leaves the bundle as it is."""
    one = bundle(gate=3, conflict_group="g", parallel_ok=False)
    assert without(one, "overlap") == one
    assert without(one, "group").conflict_group is None
    assert without(one, "alone").parallel_ok
    assert without(one, "gate").gate == 1
