"""Who claims the same, and who could run at the same time."""

from __future__ import annotations

import time
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.model.bundle import Bundle
from penstock.schedule import conflicts
from penstock.schedule.conflicts import (
    Overlap,
    claim_neighbours,
    could_run_together,
    ordered,
    simultaneous_overlaps,
)
from penstock.schedule.scope import overlap
from tests.support.bundles import bundle, chain
from tests.support.graphs import reaches

CLAIMS = ["src/", "src/a.py", "src/*.py", "src", "docs/**", "docs/x/", "**/a.py", "lib/[ab].c", "x"]
SOME_CLAIMS = st.lists(st.sampled_from(CLAIMS), min_size=1, max_size=3)


@st.composite
def bundle_sets(draw: st.DrawFn) -> list[Bundle]:
    """A few bundles with random claims, dependencies (cycles too), gates and groups."""
    count = draw(st.integers(2, 6))
    ids = [f"ws-{at}" for at in range(count)]
    return [
        bundle(
            ws_id,
            files_scope=draw(SOME_CLAIMS),
            depends_on=draw(st.lists(st.sampled_from(ids), max_size=2)),
            gate=draw(st.integers(1, 2)),
            conflict_group=draw(st.sampled_from([None, None, "g", "h"])),
            parallel_ok=draw(st.sampled_from([True, True, True, False])),
        )
        for ws_id in ids
    ]


def simple_answer(bundles: list[Bundle]) -> set[tuple[str, str]]:
    """The overlapping pairs that could run at the same time, asked pair by pair."""
    graph = {b.id: list(b.depends_on) for b in bundles}
    return {
        (a.id, b.id)
        for a, b in combinations(bundles, 2)
        if a.gate == b.gate
        and a.parallel_ok
        and b.parallel_ok
        and (a.conflict_group is None or a.conflict_group != b.conflict_group)
        and b.id not in reaches(graph, a.id)
        and a.id not in reaches(graph, b.id)
        and any(overlap(x, y) for x in a.claims for y in b.claims)
    }


@settings(max_examples=300, deadline=None)
@given(bundle_sets(), st.sampled_from([1, 2, 4096]))
def test_overlaps_are_those_found_pair_by_pair(bundles: list[Bundle], chunk: int) -> None:
    """The index and the bit sets miss nothing and add nothing, however they are cut up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conflicts, "CHUNK", chunk)
        found = simultaneous_overlaps(bundles)
    assert {(o.a, o.b) for o in found} == simple_answer(bundles)
    assert found == sorted(found)
    assert all(overlap(o.claim_a, o.claim_b) for o in found)


@settings(deadline=None)
@given(st.sets(st.sampled_from(CLAIMS)))
def test_neighbours_are_symmetric_and_exact(claims: set[str]) -> None:
    """Each claim knows itself first and all others that it overlaps."""
    near = claim_neighbours(sorted(claims))
    assert set(near) == claims
    for a in claims:
        assert near[a][0] == a
        assert sorted(near[a]) == sorted(b for b in claims if a == b or overlap(a, b))


def test_an_overlap_names_the_first_claims() -> None:
    """The pair is sorted, and the claims belong to their workstreams."""
    bundles = [
        bundle("ws-b", files_scope=["z", "src/a.py"]),
        bundle("ws-a", files_scope=["y"], files_create=[".\\src/"]),
    ]
    found = simultaneous_overlaps(bundles)
    assert found == [Overlap("ws-a", "ws-b", "src/", "src/a.py")]


def test_what_was_ordered_through_others_is_no_overlap() -> None:
    """Dependencies count through workstreams that are not compared themselves."""
    around = [bundle("ws-m", depends_on=["ws-a"])]
    pair = [
        bundle("ws-a", files_scope=["x"]),
        bundle("ws-z", files_scope=["x"], depends_on=["ws-m"]),
    ]
    assert simultaneous_overlaps(pair, around=around) == []
    assert len(simultaneous_overlaps(pair)) == 1


@pytest.mark.parametrize(
    ("fields", "together"),
    [
        ({}, True),
        ({"gate": 2}, False),
        ({"conflict_group": "g"}, False),
        ({"conflict_group": "h"}, True),
        ({"parallel_ok": False}, False),
        ({"depends_on": ["ws-m"]}, False),
    ],
)
def test_could_run_together(fields: dict[str, object], together: bool) -> None:
    """Gate, conflict group, running alone and indirect dependencies keep two apart."""
    bundles = [
        bundle("ws-a", conflict_group="g"),
        bundle("ws-m", depends_on=["ws-a"]),
        bundle("ws-z", **fields),
    ]
    assert could_run_together(bundles, "ws-a", "ws-z") is together
    assert could_run_together(bundles, "ws-z", "ws-a") is together
    assert ordered(bundles, "ws-a", "ws-z") is not together


def test_asking_for_a_stranger_is_an_error() -> None:
    """An id that is not among the bundles is no workstream that could run."""
    with pytest.raises(KeyError):
        could_run_together([bundle("ws-a")], "ws-a", "ws-b")


def test_a_limit_is_kept_and_is_no_error_when_nothing_is_found() -> None:
    """Ten thousand claims of one path end at the limit."""
    many = [bundle(f"ws-{at:03}", files_scope=["src/"]) for at in range(100)]
    assert len(simultaneous_overlaps(many, 7)) == 7
    assert simultaneous_overlaps([bundle("ws-a"), bundle("ws-b")], 7) == []


def test_a_thousandfold_contention_in_a_chain_is_quick() -> None:
    """Where everything overlaps but is ordered, no time goes into pairs."""
    start = time.perf_counter()
    assert simultaneous_overlaps(chain(5_000, files_scope=["src/"])) == []
    assert time.perf_counter() - start < 10
