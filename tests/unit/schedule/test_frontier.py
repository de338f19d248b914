"""What may start next, one rule at a time, and the words for what may not."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from penstock.errors import BundleCycleError
from penstock.model.bundle import Bundle
from penstock.model.states import IntegrationState, WorkstreamState
from penstock.schedule.frontier import Capacity, Frontier
from penstock.schedule.readiness import READY, Hold, Reason
from tests.support.bundles import bundle, chain

W, M = WorkstreamState, IntegrationState
LIMITED = Hold(reason=Reason.RATE_LIMIT, message="codex cooling down", until=100.0)


def many(names: str, **fields: Any) -> list[Bundle]:
    """A workstream for each letter, `ws-a` and so on, all with the same fields."""
    return [bundle(f"ws-{name}", **fields) for name in names]


def tools(one: Bundle) -> list[str]:
    """A workstream's tool as its key."""
    return [f"tool:{one.tool}"]


def start_all(frontier: Frontier, now: float = 0.0) -> list[str]:
    """Start whatever may start; return the ids in order."""
    started = []
    while (ws := frontier.next(now)) is not None:
        frontier.start(ws)
        started.append(ws)
    return started


def finish(frontier: Frontier, *names: str, merge: IntegrationState = M.MERGED) -> None:
    """End workstreams, done and merged unless told otherwise."""
    for ws in names:
        frontier.stop(ws)
        frontier.record(ws, W.DONE, merge)


def says(frontier: Frontier, ws: str, now: float = 0.0) -> str:
    """The message of a verdict."""
    return frontier.verdicts(now)[ws].message


def test_it_offers_the_same_until_something_changes() -> None:
    """Asking starts nothing."""
    frontier = Frontier(many("ab"))
    assert [frontier.next(0.0), frontier.next(0.0)] == ["ws-a", "ws-a"]
    frontier.start("ws-a")
    assert frontier.next(0.0) == "ws-b"
    assert list(frontier.at_work) == ["ws-a"]


def test_a_dependency_must_be_merged() -> None:
    """Done is not enough while its work is on its way."""
    frontier = Frontier(chain(2))
    assert start_all(frontier) == ["ws-00000"]
    assert says(frontier, "ws-00001") == "dependency: waits for ws-00000, which is pending"
    finish(frontier, "ws-00000", merge=M.QUEUED)
    assert frontier.next(0.0) is None
    assert "ws-00000, which is done, but not merged: queued" in says(frontier, "ws-00001")
    frontier.record("ws-00000", W.DONE, M.MERGED)
    assert start_all(frontier) == ["ws-00001"]


def test_what_failed_is_named_before_what_is_pending() -> None:
    """That is what somebody has to do something about."""
    frontier = Frontier([*many("ab"), bundle("ws-z", depends_on=["ws-a", "ws-b"])])
    frontier.record("ws-b", W.FAILED)
    assert says(frontier, "ws-z") == "dependency: waits for ws-b, which is failed (and 1 more)"


def test_a_retry_frees_dependents_again() -> None:
    """Failed, then pending, then done: the dependent starts."""
    frontier = Frontier(chain(2))
    for state in (W.FAILED, W.PENDING):
        frontier.record("ws-00000", state)
    assert start_all(frontier) == ["ws-00000"]
    finish(frontier, "ws-00000")
    assert start_all(frontier) == ["ws-00001"]


def test_a_gate_waits_for_all_of_the_lower_ones() -> None:
    """Also for merges under way; a failed member holds it for good, and is named."""
    frontier = Frontier([*many("ab"), bundle("ws-z", gate=2)])
    start_all(frontier)
    finish(frontier, "ws-a", merge=M.QUEUED)
    waits = "dependency: gate 2 waits for ws-a of gate 1, which is being merged"
    assert says(frontier, "ws-z") == waits
    finish(frontier, "ws-b")
    assert frontier.next(0.0) is None
    frontier.record("ws-b", W.FAILED)
    assert "ws-b of gate 1, which is failed" in says(frontier, "ws-z")
    frontier.record("ws-b", W.DONE, M.CONFLICT)
    frontier.record("ws-a", W.DONE, M.MERGED)
    assert start_all(frontier) == ["ws-z"]


def test_a_gate_closes_again_when_a_conflict_is_tried_again() -> None:
    """What was free to start waits for the merge that is under way again."""
    frontier = Frontier([bundle("ws-a"), bundle("ws-z", gate=2)])
    frontier.record("ws-a", W.DONE, M.CONFLICT)
    assert frontier.next(0.0) == "ws-z"
    frontier.record("ws-a", W.DONE, M.QUEUED)
    assert frontier.next(0.0) is None
    frontier.record("ws-a", W.DONE, M.MERGED)
    assert frontier.next(0.0) == "ws-z"


def test_an_approval_is_waited_for() -> None:
    """It is named with the command; unknown gates are no matter."""
    frontier = Frontier([bundle(gate=2)], approvals_needed=[2])
    assert frontier.next(0.0) is None
    assert says(frontier, "ws-a").startswith("approval: gate 2 needs approval: `penstock approve")
    frontier.approve([1, 2, 9])
    assert frontier.next(0.0) == "ws-a"


def test_an_overlap_is_held_until_the_merge() -> None:
    """At work, then being merged; the claims of both are named."""
    frontier = Frontier(
        [bundle("ws-a", files_scope=["src/"]), bundle("ws-b", files_scope=["src/a.py"])]
    )
    assert start_all(frontier) == ["ws-a"]
    assert says(frontier, "ws-b") == "overlap: overlaps src/a.py (src/) with ws-a, which is at work"
    finish(frontier, "ws-a", merge=M.QUEUED)
    assert says(frontier, "ws-b").endswith("with ws-a, which is being merged")
    assert frontier.next(0.0) is None
    frontier.record("ws-a", W.DONE, M.MERGED)
    assert start_all(frontier) == ["ws-b"]


@pytest.mark.parametrize(
    ("state", "merge"),
    [(W.FAILED, M.NONE), (W.CANCELED, M.NONE), (W.DONE, M.CONFLICT), (W.DONE, M.REJECTED)],
)
def test_work_that_will_not_arrive_holds_nothing(
    state: WorkstreamState, merge: IntegrationState
) -> None:
    """A failed, canceled, conflicting or rejected one frees its claims and its group."""
    frontier = Frontier(many("ab", files_scope=["x"], conflict_group="g"))
    assert start_all(frontier) == ["ws-a"]
    frontier.stop("ws-a")
    frontier.record("ws-a", state, merge)
    assert start_all(frontier) == ["ws-b"]


def test_overlaps_may_be_let_be() -> None:
    """Where they are sorted out when merged, groups still hold."""
    frontier = Frontier(many("ab", files_scope=["x"]), overlap_holds=False)
    assert start_all(frontier) == ["ws-a", "ws-b"]
    frontier = Frontier(many("ab", files_scope=["x"], conflict_group="g"), overlap_holds=False)
    assert start_all(frontier) == ["ws-a"]
    assert says(frontier, "ws-b") == "group: conflict group g is with ws-a, which is at work"


def test_what_has_begun_holds_its_claims() -> None:
    """After a kill, what was interrupted comes first, and keeps others off."""
    frontier = Frontier(many("ab", files_scope=["x"]))
    frontier.record("ws-b", W.EDITING)
    assert says(frontier, "ws-a") == "overlap: overlaps x with ws-b, which has begun"
    assert start_all(frontier) == ["ws-b"]


def test_two_that_overlap_and_have_begun_go_on_in_turn() -> None:
    """Neither waits for the other for ever."""
    frontier = Frontier(many("ab", files_scope=["x"]))
    for ws in ("ws-a", "ws-b"):
        frontier.record(ws, W.STATIC_CHECK)
    assert start_all(frontier) == ["ws-a"]
    finish(frontier, "ws-a")
    assert start_all(frontier) == ["ws-b"]


def test_one_that_runs_alone_waits_for_an_idle_machine() -> None:
    """And nobody starts beside it."""
    frontier = Frontier([bundle("ws-a"), bundle("ws-b", parallel_ok=False), bundle("ws-c")])
    assert start_all(frontier) == ["ws-a", "ws-c"]
    assert says(frontier, "ws-b") == "alone: runs alone; waits for ws-a and 1 more at work"
    finish(frontier, "ws-c", "ws-a")
    assert start_all(frontier) == ["ws-b"]
    frontier = Frontier([bundle("ws-a", parallel_ok=False), bundle("ws-b")])
    assert start_all(frontier) == ["ws-a"]
    assert says(frontier, "ws-b") == "alone: waits for ws-a, which runs alone"


def test_never_more_than_the_slots() -> None:
    """The rest says that the slots are taken."""
    frontier = Frontier(many("abc"), capacity=Capacity(total=2))
    assert start_all(frontier) == ["ws-a", "ws-b"]
    assert says(frontier, "ws-c") == "slots: all 2 slots are in use"
    finish(frontier, "ws-a")
    assert start_all(frontier) == ["ws-c"]


def test_never_more_than_a_tool_may_have() -> None:
    """A limited key is counted; one without a limit is not."""
    some = [*many("abc", tool="codex"), *many("xyz", tool="aider")]
    frontier = Frontier(some, capacity=Capacity(total=6, keys={"tool:codex": 2}), keys_of=tools)
    assert start_all(frontier) == ["ws-a", "ws-b", "ws-x", "ws-y", "ws-z"]
    assert says(frontier, "ws-c") == "tool: codex is in use, at most 2 at a time"
    assert frontier.verdicts(0.0)["ws-c"].reason is Reason.TOOL
    finish(frontier, "ws-b")
    assert start_all(frontier) == ["ws-c"]


def test_a_limit_that_is_no_tools_is_capacity() -> None:
    """A capability's."""
    capacity = Capacity(keys={"capability:linting": 1})
    frontier = Frontier(many("ab"), capacity=capacity, keys_of=lambda _b: ["capability:linting"])
    start_all(frontier)
    assert says(frontier, "ws-b") == "capacity: linting is in use, at most 1 at a time"


def test_the_order_is_begun_foreground_critical_path_id() -> None:
    """In that order of importance."""
    some = [
        *many("ab"),
        bundle("ws-c", priority="background"),
        bundle("ws-d", depends_on=["ws-c"]),
        bundle("ws-e"),
        bundle("ws-f", depends_on=["ws-e"]),
        bundle("ws-g", priority="background"),
    ]
    frontier = Frontier(some, capacity=Capacity(total=9))
    frontier.record("ws-g", W.EDITING)
    assert start_all(frontier) == ["ws-g", "ws-e", "ws-a", "ws-b", "ws-c"]


def test_a_hold_ends_by_itself() -> None:
    """It is told until when, and somebody can be woken then."""
    frontier = Frontier(many("ab"))
    frontier.hold("ws-a", LIMITED)
    assert start_all(frontier) == ["ws-b"]
    verdict = frontier.verdicts(0.0)["ws-a"]
    assert (verdict.reason, verdict.until) == (Reason.RATE_LIMIT, 100.0)
    assert verdict.message.startswith("rate_limit: codex cooling down (until 1970-01-01T00:01:40")
    assert (frontier.wake_at(0.0), frontier.wake_at(100.0)) == (100.0, None)
    assert (frontier.next(99.9), frontier.next(100.0)) == (None, "ws-a")


def test_a_clock_that_is_set_back_holds_again() -> None:
    """And the hold ends once more."""
    frontier = Frontier(many("a"))
    frontier.hold("ws-a", LIMITED)
    assert [frontier.next(now) for now in (50.0, 150.0, 50.0, 150.0)] == [None, "ws-a"] * 2


def test_a_hold_without_end_is_let_go() -> None:
    """A pause or a budget ends when somebody says so; one that has begun is held as well."""
    frontier = Frontier(many("a"))
    frontier.record("ws-a", W.EDITING)
    frontier.hold("ws-a", Hold(reason=Reason.BUDGET, message="10 of 10 USD"))
    assert (frontier.next(1e12), frontier.wake_at(0.0)) == (None, None)
    assert says(frontier, "ws-a") == "budget: 10 of 10 USD"
    frontier.hold("ws-a", None)
    assert frontier.next(0.0) == "ws-a"


def test_a_hold_of_a_key_holds_all_that_need_it() -> None:
    """A tool that cools down; the longest of several holds is told."""
    some = [*many("ab", tool="codex"), bundle("ws-x", tool="aider")]
    frontier = Frontier(some, keys_of=tools)
    frontier.hold_key("tool:codex", LIMITED)
    frontier.hold("ws-a", Hold(reason=Reason.BUDGET, message="x", until=200.0))
    assert start_all(frontier) == ["ws-x"]
    assert frontier.verdicts(0.0)["ws-a"].until == 200.0
    assert start_all(frontier, 100.0) == ["ws-b"]
    frontier.hold("ws-a", None)
    assert start_all(frontier, 100.0) == ["ws-a"]
    frontier.hold_key("tool:codex", None)


def test_a_hold_of_everything_stops_everything() -> None:
    """Nothing starts, and it is told after what the graph has against it."""
    frontier = Frontier(chain(2))
    frontier.hold_all(Hold(reason=Reason.PAUSED, message="by the user", until=9.0))
    assert frontier.next(0.0) is None
    assert says(frontier, "ws-00000").startswith("paused: by the user")
    assert says(frontier, "ws-00001").startswith("dependency: ")
    assert frontier.wake_at(0.0) == 9.0
    frontier.hold_all(None)
    assert frontier.verdicts(0.0)["ws-00000"] == READY


def test_what_is_passed_over_too_often_goes_first() -> None:
    """One that runs alone is passed over for a while, then the machine falls idle for it."""
    some = [*many("abcdefgh"), bundle("ws-0", parallel_ok=False, priority="foreground")]
    some[0] = bundle("ws-a", priority="foreground")
    frontier = Frontier(some, capacity=Capacity(total=2), patience=3)
    frontier.start("ws-a")
    order: list[str] = []
    while len(order) < 8:
        order += start_all(frontier)
        finish(frontier, next(iter(frontier.at_work)))
    assert order.index("ws-0") == 3


def test_what_waits_behind_one_that_reserves_says_so() -> None:
    """In the words of the thing that is kept free."""
    some = [bundle("ws-0", parallel_ok=False), *many("abc")]
    frontier = Frontier(some, capacity=Capacity(total=3), patience=1)
    frontier.start("ws-a")
    assert start_all(frontier) == ["ws-b"]
    assert frontier.reserving == "ws-0"
    assert says(frontier, "ws-c") == "alone: waits for ws-0, which runs alone and comes first"


def reserving(first: dict[str, Any], second: dict[str, Any], **more: Any) -> Frontier:
    """A frontier in which ws-1 reserves what it needs while ws-0 is at work, and ws-2 waits."""
    some = [bundle("ws-0", conflict_group="g"), bundle("ws-1", conflict_group="g", **first)]
    some += [bundle("ws-2", **second), bundle("ws-3", conflict_group="x")]
    frontier = Frontier(some, patience=1, **more)
    frontier.start("ws-0")
    frontier.hold("ws-2", LIMITED)
    assert start_all(frontier) == ["ws-3"]
    assert frontier.next(0.0) is None
    assert frontier.reserving == "ws-1"
    frontier.hold("ws-2", None)
    assert frontier.next(0.0) is None
    return frontier


def test_reserved_claims_are_kept_free() -> None:
    """Though nobody holds them yet; and they are free again when it has gone first."""
    frontier = reserving({"files_scope": ["x"]}, {"files_scope": ["x"]})
    assert says(frontier, "ws-2") == "overlap: overlaps x with ws-1, which has waited longer"
    finish(frontier, "ws-0")
    assert start_all(frontier) == ["ws-1"]
    finish(frontier, "ws-1")
    assert start_all(frontier) == ["ws-2"]


def test_a_reserved_unit_of_a_tool_is_kept_free() -> None:
    """One of as many as there are."""
    capacity = Capacity(keys={"tool:codex": 1})
    frontier = reserving({"tool": "codex"}, {"tool": "codex"}, capacity=capacity, keys_of=tools)
    assert says(frontier, "ws-2") == "tool: codex is kept free for ws-1, which has waited longer"


def test_one_that_runs_alone_waits_for_who_reserves() -> None:
    """Though the machine is idle while the other's group is being merged."""
    frontier = reserving({}, {"parallel_ok": False})
    finish(frontier, "ws-0", "ws-3", merge=M.QUEUED)
    assert says(frontier, "ws-2") == "alone: runs alone; waits for ws-1, which has waited longer"
    frontier.record("ws-0", W.DONE, M.MERGED)
    assert start_all(frontier) == ["ws-1"]


@pytest.mark.parametrize("lost", [LIMITED, None])
def test_who_cannot_start_reserves_nothing(lost: Hold | None) -> None:
    """A hold, or a failure while it waits, frees what was reserved."""
    frontier = reserving({"files_scope": ["x"]}, {"files_scope": ["x"]})
    if lost is None:
        frontier.record("ws-1", W.CANCELED)
    else:
        frontier.hold("ws-1", lost)
    assert start_all(frontier) == ["ws-2"]
    assert frontier.reserving is None


def test_who_waits_for_one_that_is_held_reserves_nothing() -> None:
    """Nobody knows for how long; when that one goes on, it reserves again."""
    frontier = reserving({"files_scope": ["x"]}, {"files_scope": ["x"]})
    frontier.stop("ws-0")
    frontier.record("ws-0", W.EDITING)
    frontier.hold("ws-0", LIMITED)
    assert frontier.next(0.0) == "ws-2"
    assert frontier.reserving is None
    frontier.hold("ws-0", None)
    assert start_all(frontier) == ["ws-0"]
    assert frontier.next(0.0) is None
    assert frontier.reserving == "ws-1"


def test_starting_and_stopping_keep_count() -> None:
    """Twice is a mistake of the caller, an unknown id too."""
    frontier = Frontier(many("a"))
    frontier.start("ws-a")
    with pytest.raises(ValueError, match="ws-a is at work already"):
        frontier.start("ws-a")
    frontier.stop("ws-a")
    with pytest.raises(ValueError, match="ws-a is not at work"):
        frontier.stop("ws-a")
    with pytest.raises(KeyError):
        frontier.record("ws-x", W.DONE)


def test_a_done_one_may_be_at_work_on_its_merge() -> None:
    """A FIX turn for a conflict takes a slot and a unit of the tool; the end of it gives them back."""
    capacity = Capacity(total=1, keys={"tool:scripted": 1})
    frontier = Frontier(many("ab"), capacity=capacity, keys_of=tools)
    frontier.record("ws-a", W.DONE, M.QUEUED)
    frontier.start("ws-a")
    assert frontier.next(0.0) is None
    assert set(frontier.verdicts(0.0)) == {"ws-b"}
    finish(frontier, "ws-a", merge=M.CONFLICT)
    assert start_all(frontier) == ["ws-b"]


def test_a_cycle_is_an_error() -> None:
    """Nothing is ever ready in a cycle, so it is told at once."""
    with pytest.raises(BundleCycleError):
        Frontier([bundle(depends_on=["ws-a"])])


def test_recording_the_same_again_costs_no_memory() -> None:
    """A watcher tells all states each second and never asks what is next."""
    frontier = Frontier(many("ab"))
    for _ in range(100):
        frontier.record("ws-a", W.PENDING)
    assert len(frontier._heap) == 2


@pytest.mark.parametrize("fields", [{}, {"conflict_group": "g"}, {"files_scope": ["x"]}])
def test_ten_thousand_are_scheduled_in_a_moment(fields: dict[str, Any]) -> None:
    """A tenth of a millisecond each and more would show, though all wait for the same thing."""
    rng = random.Random(1)
    ids = [f"ws-{at:05}" for at in range(10_000)]
    above = [rng.sample(ids[max(0, at - 200) : at], min(at, 3)) for at in range(len(ids))]
    some = [bundle(ws, depends_on=above[at], **fields) for at, ws in enumerate(ids)]
    frontier = Frontier(some)
    began = time.perf_counter()
    for _ in ids:
        start_all(frontier)
        finish(frontier, next(iter(frontier.at_work)))
    assert time.perf_counter() - began < 10
    assert frontier.verdicts(0.0) == {}
