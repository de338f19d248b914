"""The parallel plan."""

from __future__ import annotations

import time
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import BundleCycleError
from penstock.model.bundle import Bundle
from penstock.schedule import waves as waves_module
from penstock.schedule.conflicts import claims_of
from penstock.schedule.scope import overlap
from penstock.schedule.waves import Conflict, parallel_plan, waves
from tests.support.bundles import bundle, chain

CLAIMS = st.lists(st.sampled_from(["src/", "src/a", "docs/*", "docs/x", "y"]), min_size=1)


@st.composite
def acyclic_sets(draw: st.DrawFn) -> list[Bundle]:
    """Bundles without cycles, some of which contend."""
    ids = [f"ws-{at}" for at in range(draw(st.integers(1, 8)))]
    gates = sorted(draw(st.lists(st.integers(1, 2), min_size=len(ids), max_size=len(ids))))
    return [
        bundle(
            ws_id,
            files_scope=draw(CLAIMS),
            depends_on=draw(st.lists(st.sampled_from(ids[:at]), max_size=2)) if at else [],
            gate=gates[at],
            conflict_group=draw(st.sampled_from([None, None, "g", "h"])),
            parallel_ok=draw(st.sampled_from([True, True, True, False])),
        )
        for at, ws_id in enumerate(ids)
    ]


def may_share_a_wave(a: Bundle, b: Bundle) -> bool:
    """Tell whether two workstreams may be in one wave, dependencies aside."""
    return (
        a.gate == b.gate
        and a.parallel_ok
        and b.parallel_ok
        and (a.conflict_group is None or a.conflict_group != b.conflict_group)
        and not any(overlap(x, y) for x in claims_of(a) for y in claims_of(b))
    )


@settings(max_examples=200, deadline=None)
@given(acyclic_sets(), st.integers(1, 4), st.sampled_from([0, 256]))
def test_waves_keep_every_rule(bundles: list[Bundle], most: int, many: int) -> None:
    """Each workstream is in one wave, behind its dependencies and gates, beside no rival."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waves_module, "MANY_WAVES", many)
        planned = waves(bundles, most)
    by_id = {b.id: b for b in bundles}
    place = {ws: at for at, wave in enumerate(planned) for ws in wave}
    assert sorted(ws for wave in planned for ws in wave) == sorted(by_id)
    assert all(len(wave) <= most for wave in planned)
    assert all(place[parent] < place[b.id] for b in bundles for parent in b.depends_on)
    for wave in planned:
        for a, b in combinations(wave, 2):
            assert may_share_a_wave(by_id[a], by_id[b])
    assert [by_id[w[0]].gate for w in planned] == sorted(by_id[w[0]].gate for w in planned)


def test_a_wave_takes_as_many_as_may_run() -> None:
    """Independent workstreams fill waves up to max_parallel, the first ones first."""
    bundles = [bundle(f"ws-{at}") for at in range(5)]
    assert waves(bundles, 2) == (("ws-0", "ws-1"), ("ws-2", "ws-3"), ("ws-4",))
    assert waves([], 2) == ()


def test_a_gap_is_filled_by_the_next_that_fits() -> None:
    """What a conflict keeps out of a wave leaves its place to others."""
    bundles = [
        bundle("ws-a", conflict_group="g"),
        bundle("ws-b", conflict_group="g"),
        bundle("ws-c"),
        bundle("ws-d", parallel_ok=False),
        bundle("ws-e", files_scope=["src/"]),
    ]
    assert waves(bundles, 4) == (("ws-a", "ws-c"), ("ws-b",), ("ws-d",), ("ws-e",))


def test_foreground_goes_first() -> None:
    """Within a level, background work comes in later waves."""
    bundles = [bundle("ws-a", priority="background"), bundle("ws-b"), bundle("ws-c")]
    assert waves(bundles, 2) == (("ws-b", "ws-c"), ("ws-a",))


@pytest.mark.parametrize("most", [0, -1])
def test_at_least_one_must_run(most: int) -> None:
    """A plan for no workers is refused."""
    with pytest.raises(ValueError, match="max_parallel must be at least 1"):
        waves([], most)


def test_the_report_of_a_plan() -> None:
    """Waves, speed-up, bottlenecks, warnings and conflicts are told."""
    bundles = [
        bundle("ws-a"),
        bundle("ws-b", depends_on=["ws-a"], files_scope=["src/"]),
        bundle("ws-c", depends_on=["ws-a"], files_scope=["src/c.py"]),
        bundle("ws-d", gate=2, conflict_group="g", files_scope=["d"]),
        bundle("ws-e", gate=2, conflict_group="g", parallel_ok=False, files_scope=["e"]),
    ]
    plan = parallel_plan(bundles)
    assert plan.valid
    assert plan.waves == (("ws-a",), ("ws-b",), ("ws-c",), ("ws-d",), ("ws-e",))
    assert (plan.max_parallelism, plan.estimated_speedup) == (1, 1.0)
    assert plan.bottlenecks == ("ws-a",)
    assert plan.conflicts == (
        Conflict("ws-b", "ws-c", "file_scope:src/"),
        Conflict("ws-d", "ws-e", "conflict_group:g"),
    )
    assert [w for w in plan.warnings if "run alone: ws-e" in w or "2 gates" in w] == [
        *plan.warnings
    ]


def test_speed_up_counts_waves() -> None:
    """Five workstreams in two waves are two and a half times as fast."""
    plan = parallel_plan([bundle(f"ws-{at}") for at in range(5)], 3)
    assert (plan.max_parallelism, plan.estimated_speedup, plan.warnings) == (3, 2.5, ())
    assert parallel_plan([]).estimated_speedup == 1.0


def test_a_cycle_makes_no_plan() -> None:
    """The report says what is wrong, `waves` raises it."""
    bundles = [bundle(depends_on=["ws-a"])]
    plan = parallel_plan(bundles)
    assert not plan.valid
    assert "ws-a -> ws-a" in plan.errors[0]
    with pytest.raises(BundleCycleError):
        waves(bundles)


@pytest.mark.parametrize("fields", [{"conflict_group": "g"}, {"files_scope": ["src/"]}])
def test_thousands_that_bar_each_other_are_planned_quickly(fields: dict[str, object]) -> None:
    """Each of three thousand rivals gets a wave of its own, in a moment."""
    start = time.perf_counter()
    plan = parallel_plan([bundle(f"ws-{at:04}", **fields) for at in range(3_000)])
    assert len(plan.waves) == 3_000
    assert len(plan.conflicts) == waves_module.CONFLICT_LIMIT
    assert time.perf_counter() - start < 10


def test_a_chain_has_no_conflicts() -> None:
    """What is ordered already is not kept apart by its claims."""
    assert parallel_plan(chain(50, files_scope=["src/"], conflict_group="g")).conflicts == ()
