"""What may start now, and what the others wait for."""

from __future__ import annotations

import time

import pytest

from penstock.errors import BundleCycleError
from penstock.model.states import IntegrationState, WorkstreamState
from penstock.schedule.readiness import READY, Hold, Readiness, Reason, Verdict, readiness
from tests.support.bundles import bundle, chain

W, M = WorkstreamState, IntegrationState
PAIR = [bundle("ws-b", depends_on=["ws-a"]), bundle("ws-a")]
GATES = [bundle("ws-a"), bundle("ws-b"), bundle("ws-z", gate=2)]


def ready(verdicts: dict[str, Verdict]) -> list[str]:
    """The ids that may start, in order."""
    return [ws for ws, verdict in verdicts.items() if verdict.ready]


def waits(verdict: Verdict, reason: Reason, *words: str) -> None:
    """Check that a verdict waits for a reason and says so in these words."""
    assert not verdict.ready
    assert verdict.reason is reason
    assert verdict.message.startswith(f"{reason.value}: ")
    assert [word for word in words if word not in verdict.message] == []


def test_what_depends_on_nothing_may_start() -> None:
    """Without states all is pending; only those without dependencies may start."""
    verdicts = readiness(PAIR, {})
    assert ready(verdicts) == ["ws-a"]
    waits(verdicts["ws-b"], Reason.DEPENDENCY, "ws-b", "ws-a", "pending")


@pytest.mark.parametrize("state", [s for s in W if s is not W.DONE])
def test_a_dependency_that_is_not_done_holds_back(state: WorkstreamState) -> None:
    """Whatever a dependency is doing or has come to, its dependents wait, failed ones named."""
    verdict = readiness(PAIR, {"ws-a": state})["ws-b"]
    waits(verdict, Reason.DEPENDENCY, f"ws-a, which is {state.value}")


@pytest.mark.parametrize("state", [M.QUEUED, M.CONFLICT, M.REJECTED])
def test_work_that_is_not_merged_holds_dependents_back(state: IntegrationState) -> None:
    """A dependent starts from the integration branch, so what it needs must be there."""
    verdict = readiness(PAIR, {"ws-a": W.DONE}, integration={"ws-a": state})["ws-b"]
    waits(verdict, Reason.DEPENDENCY, "not merged", state.value)


@pytest.mark.parametrize("integration", [None, {}, {"ws-a": M.NONE}, {"ws-a": M.MERGED}])
def test_a_merged_dependency_is_met(integration: dict[str, IntegrationState] | None) -> None:
    """Done and merged, or done with nothing to merge, is met."""
    verdicts = readiness(PAIR, {"ws-a": W.DONE}, integration=integration)
    assert verdicts == {"ws-b": READY}


def test_ended_workstreams_have_no_verdict() -> None:
    """Done, failed, quarantined and canceled ones neither start nor wait."""
    states = {"ws-a": W.FAILED, "ws-b": W.QUARANTINED, "ws-c": W.CANCELED, "ws-d": W.DONE}
    assert readiness([bundle(ws) for ws in states], states) == {}


def test_a_workstream_that_has_begun_may_go_on() -> None:
    """After an interruption, what was in work is ready again."""
    assert readiness(PAIR, {"ws-b": W.EDITING, "ws-a": W.STATIC_CHECK}) == {
        "ws-a": READY,
        "ws-b": READY,
    }


def test_dependencies_outside_the_run_count_as_met() -> None:
    """Whoever put the run together has looked at them."""
    assert ready(readiness([bundle(depends_on=["ws-elsewhere"])], {})) == ["ws-a"]


@pytest.mark.parametrize(
    ("states", "words"),
    [
        ({}, "ws-a of gate 1 is pending"),
        ({"ws-a": W.DONE}, "ws-b of gate 1 is pending"),
        ({"ws-a": W.DONE, "ws-b": W.FAILED}, "ws-b of gate 1 is failed"),
    ],
)
def test_a_gate_waits_for_all_of_every_lower_one(
    states: dict[str, WorkstreamState], words: str
) -> None:
    """A higher gate names the first member of a lower one that is not done, failed ones too."""
    waits(readiness(GATES, states)["ws-z"], Reason.DEPENDENCY, words)


def test_a_gate_waits_for_merges_under_way_but_not_for_conflicts() -> None:
    """What is being merged is waited for; a conflict is for its dependents to wait for."""
    states = {"ws-a": W.DONE, "ws-b": W.DONE}
    queued = readiness(GATES, states, integration={"ws-a": M.QUEUED})
    waits(queued["ws-z"], Reason.DEPENDENCY, "ws-a of gate 1 is being merged")
    assert ready(readiness(GATES, states, integration={"ws-a": M.CONFLICT})) == ["ws-z"]


def test_an_approval_is_waited_for_after_the_gate() -> None:
    """A gate that needs approval waits for it once the lower ones are done, and says how."""
    done = {"ws-a": W.DONE, "ws-b": W.DONE}
    waits(readiness(GATES, {}, approvals_needed=[2])["ws-z"], Reason.DEPENDENCY)
    verdict = readiness(GATES, done, approvals_needed=[2])["ws-z"]
    waits(verdict, Reason.APPROVAL, "penstock approve RUN --gate 2")
    assert ready(readiness(GATES, done, approvals_needed=[2], approved_gates=[2])) == ["ws-z"]


def test_a_hold_ends_at_its_time() -> None:
    """A rate limit holds one workstream until its end, and the verdict says until when."""
    hold = Hold(reason=Reason.RATE_LIMIT, message="claude-cli is limited", until=100.0)
    before = readiness(GATES[:2], {}, holds={"ws-a": hold}, now=99.0)
    waits(before["ws-a"], Reason.RATE_LIMIT, "claude-cli is limited", "1970-01-01T00:01:40")
    assert before["ws-a"].until == 100.0
    assert before["ws-b"].ready
    assert ready(readiness(GATES[:2], {}, holds={"ws-a": hold}, now=100.0)) == ["ws-a", "ws-b"]


@pytest.mark.parametrize("reason", [Reason.BUDGET, Reason.PAUSED])
def test_a_hold_of_the_run_holds_all(reason: Reason) -> None:
    """Budget and pause stop the ones that have begun as well; dependencies are told first."""
    hold = Hold(reason=reason, message="stopped by the user")
    verdicts = readiness(PAIR, {"ws-a": W.EDITING}, run_hold=hold, now=1e12)
    waits(verdicts["ws-a"], reason, "stopped by the user")
    waits(verdicts["ws-b"], Reason.DEPENDENCY)


def test_verdicts_come_in_the_order_to_start_them() -> None:
    """Gate, priority, id, behind dependencies."""
    bundles = [bundle("ws-b", priority="background"), bundle("ws-z", gate=2), bundle("ws-a")]
    assert list(readiness(bundles, {})) == ["ws-a", "ws-b", "ws-z"]


def test_a_cycle_is_an_error() -> None:
    """Nothing is ever ready in a cycle, so it is told at once."""
    with pytest.raises(BundleCycleError):
        Readiness([bundle(depends_on=["ws-a"])])


def test_ten_thousand_workstreams_are_judged_in_a_moment() -> None:
    """A verdict for each of ten thousand takes well under a second."""
    known = Readiness(chain(10_000))
    start = time.perf_counter()
    assert len(known.verdicts({"ws-00000": W.DONE})) == 9_999
    assert time.perf_counter() - start < 1
