"""How long a run takes at least, and how long by its rules."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import BundleCycleError
from penstock.model.bundle import Bundle
from penstock.model.states import WorkstreamState
from penstock.schedule.estimate import Span, critical_path, remaining_s, timeline
from penstock.schedule.frontier import Capacity
from tests.support.bundles import bundle, chain

W = WorkstreamState
DIAMOND = [
    bundle("ws-a"),
    bundle("ws-b", depends_on=["ws-a"]),
    bundle("ws-c", depends_on=["ws-a"]),
    bundle("ws-d", depends_on=["ws-b", "ws-c"]),
]
TIMES = {"ws-a": 1.0, "ws-b": 2.0, "ws-c": 5.0, "ws-d": 1.0}


@st.composite
def plans(draw: st.DrawFn) -> list[Bundle]:
    """A few bundles with dependencies and gates that agree with them."""
    ids = [f"ws-{at}" for at in range(draw(st.integers(1, 7)))]
    gates = sorted(draw(st.lists(st.integers(1, 3), min_size=len(ids), max_size=len(ids))))
    return [
        bundle(
            ws,
            gate=gates[at],
            depends_on=draw(st.sets(st.sampled_from(ids[:at])) if at else st.just(set())),
        )
        for at, ws in enumerate(ids)
    ]


def waits_for(one: Bundle, other: Bundle) -> bool:
    """Whether one starts only after the other."""
    return other.id in one.depends_on or other.gate < one.gate


def longest_by_trying(bundles: list[Bundle], times: dict[str, float]) -> float:
    """The longest chain, found among all subsets."""
    some = (c for n in range(len(bundles) + 1) for c in itertools.combinations(bundles, n))
    chains = (c for c in some if all(waits_for(b, a) for a, b in itertools.pairwise(c)))
    return max(sum(times[b.id] for b in c) for c in chains)


def test_the_critical_path_is_the_longest_in_time() -> None:
    """By time, not by the number of workstreams."""
    assert critical_path(DIAMOND, TIMES.__getitem__) == (("ws-a", "ws-c", "ws-d"), 7.0)


def test_equal_chains_give_the_smallest_ids() -> None:
    """The answer depends on nothing but the bundles."""
    assert critical_path(reversed(DIAMOND), lambda _ws: 1.0) == (("ws-a", "ws-b", "ws-d"), 3.0)


def test_a_gate_is_part_of_the_path() -> None:
    """A higher gate starts when the slowest of the lower ones has ended."""
    bundles = [bundle("ws-a"), bundle("ws-b"), bundle("ws-z", gate=2)]
    times = {"ws-a": 1.0, "ws-b": 4.0, "ws-z": 2.0}
    assert critical_path(bundles, times.__getitem__) == (("ws-b", "ws-z"), 6.0)


def test_nothing_takes_no_time() -> None:
    """No bundles: an empty path."""
    assert critical_path([], lambda _ws: 1.0) == ((), 0.0)
    assert remaining_s([], {}, {}, 1) == 0.0


def test_a_cycle_has_no_length() -> None:
    """What never ends has no critical path."""
    with pytest.raises(BundleCycleError):
        critical_path([bundle(depends_on=["ws-a"])], lambda _ws: 1.0)


@settings(max_examples=150, deadline=None)
@given(plans(), st.data())
def test_the_path_is_the_longest_of_all_chains(bundles: list[Bundle], data: st.DataObject) -> None:
    """As found by trying every subset, and each on the path waits for the one before."""
    times = {b.id: float(data.draw(st.integers(1, 5))) for b in bundles}
    path, length = critical_path(bundles, times.__getitem__)
    known = {b.id: b for b in bundles}
    assert length == longest_by_trying(bundles, times) == sum(map(times.__getitem__, path))
    assert all(waits_for(known[b], known[a]) for a, b in itertools.pairwise(path))


@settings(max_examples=100, deadline=None)
@given(plans(), st.integers(1, 4), st.data())
def test_a_timeline_keeps_to_the_bounds(
    bundles: list[Bundle], slots: int, data: st.DataObject
) -> None:
    """Between the lower bound and doing everything in a row, and never more than the slots."""
    times = {b.id: float(data.draw(st.integers(1, 5))) for b in bundles}
    spans = timeline(bundles, {}, times, Capacity(total=slots))
    length = max(span.end for span in spans.values())
    total, longest = sum(times.values()), critical_path(bundles, times.__getitem__)[1]
    assert max(longest, total / slots) <= length <= total
    starts = [span.start for span in spans.values()]
    assert all(sum(s.start <= at < s.end for s in spans.values()) <= slots for at in starts)


def test_a_timeline_says_who_starts_when() -> None:
    """In the order of their starts, the longest chain first."""
    assert timeline(DIAMOND, {}, TIMES, Capacity(total=2)) == {
        "ws-a": Span(0.0, 1.0),
        "ws-b": Span(1.0, 3.0),
        "ws-c": Span(1.0, 6.0),
        "ws-d": Span(6.0, 7.0),
    }


def test_what_is_done_takes_no_more_time() -> None:
    """Done ones are over; one at work needs its rest, never less than nothing."""
    states = {"ws-a": W.DONE, "ws-b": W.EDITING, "ws-c": W.STATIC_CHECK}
    rest = remaining_s(DIAMOND, states, TIMES, 2, {"ws-b": 1.5, "ws-c": 60.0})
    assert rest == 1.5


def test_what_waits_for_a_failed_one_is_left_out() -> None:
    """It never starts, so it takes no time."""
    assert remaining_s(DIAMOND, {"ws-a": W.FAILED}, TIMES, 2) == 0.0


def test_one_slot_does_everything_in_a_row() -> None:
    """With one slot the time is the sum."""
    assert remaining_s(DIAMOND, {}, TIMES, 1) == 9.0


def test_overlaps_and_tools_take_their_time() -> None:
    """What may not run side by side is played one after the other."""
    pair = [bundle("ws-a", files_scope=["x"]), bundle("ws-b", files_scope=["x"])]
    assert remaining_s(pair, {}, TIMES, 4) == 3.0
    free = timeline(pair, {}, TIMES, Capacity(total=4), overlap_holds=False)
    assert max(span.end for span in free.values()) == 2.0


def test_a_limited_tool_is_counted() -> None:
    """A key with one unit serves one after the other."""
    capacity = Capacity(total=4, keys={"tool:scripted": 1})
    spans = timeline(
        [bundle("ws-a"), bundle("ws-b")], {}, TIMES, capacity, keys_of=lambda b: [f"tool:{b.tool}"]
    )
    assert max(span.end for span in spans.values()) == 3.0


def test_a_missing_duration_is_named() -> None:
    """Guessing is for the caller."""
    with pytest.raises(KeyError, match="ws-a"):
        remaining_s(DIAMOND, {}, {}, 1)


def test_a_long_chain_is_no_matter_of_depth() -> None:
    """Ten thousand in a row."""
    assert critical_path(chain(10_000), lambda _ws: 1.0)[1] == 10_000.0
