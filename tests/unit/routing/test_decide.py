"""Which tool takes a turn, and what its outcome calls for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.capability import CapabilityRule, Strategy
from penstock.model.outcome import OutcomeKind
from penstock.routing.api import (
    Action,
    FailedTry,
    RouteDecision,
    RoutePolicy,
    ToolState,
    Try,
)
from penstock.routing.decide import (
    action_for,
    backoff,
    candidates,
    explain,
    failures_in_row,
    last_action,
    message_for_all_failed,
    route,
)
from tests.support.routes import CODE, NOW, decide, reasons, rule, states, tool, tried

K = OutcomeKind
ACTIONS = {
    K.EDITED: Action.DONE,
    K.NO_CHANGE: Action.NEXT,
    K.DENIED: Action.STOP,
    K.REFUSED: Action.STOP,
    K.CONTEXT_OVERFLOW: Action.STOP,
    K.BUDGET: Action.STOP,
    K.CANCELED: Action.STOP,
    K.AUTH: Action.NEXT,
    K.QUOTA: Action.NEXT,
    K.NOT_INSTALLED: Action.NEXT,
    K.RATE_LIMITED: Action.NEXT,
    K.TIMEOUT: Action.NEXT,
    K.IDLE: Action.NEXT,
    K.OVERLOADED: Action.RETRY,
    K.CRASHED: Action.RETRY,
    K.BAD_OUTPUT: Action.RETRY,
}


def act(kind: OutcomeKind, *, row: int = 1, retries: int = 1, capability: str = CODE) -> Action:
    """What an outcome calls for."""
    attempt = Try(tool_id="a", kind=kind)
    return action_for(attempt, failures_in_row=row, max_retries=retries, capability=capability)


@pytest.mark.parametrize("kind", OutcomeKind)
def test_every_outcome_calls_for_its_action(kind: OutcomeKind) -> None:
    """The table of outcomes is complete and holds."""
    assert act(kind) is ACTIONS[kind]


@pytest.mark.parametrize("kind", OutcomeKind)
def test_an_edit_outside_the_scope_calls_for_the_next_tool(kind: OutcomeKind) -> None:
    """Whatever the tool said of itself: it went where it may not."""
    attempt = Try(tool_id="a", kind=kind, violation=True)
    action = action_for(attempt, failures_in_row=1, max_retries=5, capability=CODE)
    assert action is Action.NEXT


@pytest.mark.parametrize(("row", "retries"), [(1, 0), (2, 1), (6, 5)])
def test_retries_end_at_their_maximum(row: int, retries: int) -> None:
    """One more failure than retries allowed calls for the next tool."""
    assert act(K.CRASHED, row=row, retries=retries) is Action.NEXT


@pytest.mark.parametrize("capability", ["linting", "testing", "review", "of_my_own"])
def test_nothing_changed_is_fine_where_the_result_counts(capability: str) -> None:
    """Only code generation and refactoring must change files."""
    assert act(K.NO_CHANGE, capability=capability) is Action.DONE
    assert act(K.NO_CHANGE, capability="refactoring") is Action.NEXT


def test_candidates_are_each_named_once() -> None:
    """The rule's order, doubles and empty names left out."""
    assert candidates(CODE, rule("a", "b", "a", "", "c")) == ("a", "b", "c")


def test_an_override_comes_first_and_keeps_the_fallbacks() -> None:
    """A workstream's own wish is tried first, in the rule or not."""
    assert candidates(CODE, rule("a", "b"), "b") == ("b", "a")
    assert candidates(CODE, rule("a", "b"), "z") == ("z", "a", "b")


def test_a_rule_without_tools_is_refused() -> None:
    """There is nothing to choose from."""
    with pytest.raises(ValueError, match="names no tool"):
        candidates(CODE, CapabilityRule(primary=""))


def test_the_first_tool_of_the_rule_is_chosen() -> None:
    """With all healthy the primary works, the fallbacks follow."""
    found = decide()
    assert (found.tool_id, found.order, found.rejected) == ("a", ("a", "b", "c"), ())
    assert found.delay_s == 0.0


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (ToolState(tool_id="a", unavailable="not installed"), "not installed"),
        (ToolState(tool_id="a", unavailable=""), "unavailable"),
        (ToolState(tool_id="a", cooling_until=NOW + 42, cooling_reason="auth"), "42 s (auth)"),
        (ToolState(tool_id="a", cooling_until=NOW + 1), "another 1 s (failures)"),
        (ToolState(tool_id="a", capabilities=("linting",)), "does not list code_generation"),
    ],
)
def test_a_tool_that_cannot_is_passed_over_with_its_reason(state: ToolState, why: str) -> None:
    """The next one of the rule takes the turn."""
    found = decide(state)
    assert found.tool_id == "b"
    assert why in reasons(found)["a"]


def test_a_tool_that_nobody_knows_is_passed_over() -> None:
    """A rule may name a tool that the registry lacks."""
    found = decide(rule=rule("ghost", "b"))
    assert (found.tool_id, reasons(found)) == ("b", {"ghost": "not in the registry"})


def test_a_cooldown_that_has_ended_no_longer_counts() -> None:
    """At its moment the tool is let through again."""
    assert decide(tool("a", cooling_until=NOW)).tool_id == "a"


def test_a_payload_that_lacks_something_is_told() -> None:
    """No tool is started without what the capability requires."""
    found = decide(payload_missing=["prompt", "files"])
    assert (found.tool_id, found.wait_until) == (None, None)
    assert found.reason == "the payload lacks what code_generation requires: prompt, files"


@pytest.mark.parametrize("kind", [k for k, action in ACTIONS.items() if action is Action.NEXT])
def test_a_tool_that_failed_gives_way_to_the_next(kind: OutcomeKind) -> None:
    """It is not asked again in this turn."""
    found = decide(tries=tried(("a", kind)))
    assert (found.tool_id, found.order) == ("b", ("b", "c"))
    assert "a" in reasons(found)


def test_the_next_tool_is_not_kept_from_work_by_an_old_try() -> None:
    """a crashed twice and b timed out: c."""
    tries = tried(("a", K.CRASHED), ("a", K.CRASHED), ("b", K.TIMEOUT))
    found = decide(tries=tries)
    assert (found.tool_id, reasons(found)) == ("c", {"a": "tried: crashed", "b": "tried: timeout"})


def test_an_edit_outside_the_scope_is_told_as_reason() -> None:
    """The kind alone would say `edited`."""
    found = decide(tries=[Try(tool_id="a", kind=K.EDITED, violation=True)])
    assert (found.tool_id, reasons(found)["a"]) == ("b", "tried: edited outside the scope")


@pytest.mark.parametrize("kind", [K.EDITED, K.DENIED, K.BUDGET])
def test_nobody_follows_a_turn_that_is_over(kind: OutcomeKind) -> None:
    """Done is done, and what stops is not handed to another tool."""
    found = decide(tries=tried(("a", kind)))
    assert (found.tool_id, found.wait_until, found.order) == (None, None, ())
    assert found.reason.startswith("a ")


@pytest.mark.parametrize("kind", [K.OVERLOADED, K.CRASHED, K.BAD_OUTPUT])
def test_a_passing_failure_is_tried_again_after_a_delay(kind: OutcomeKind) -> None:
    """The same tool, after the first backoff times the jitter."""
    found = decide(tries=tried(("a", kind)), jitter=1.5)
    assert (found.tool_id, found.delay_s, found.order) == ("a", 3.0, ("a", "b", "c"))


def test_the_delay_grows_with_each_failure() -> None:
    """2, 4, 8 s."""
    tries = tried(("a", K.CRASHED), ("a", K.CRASHED), ("a", K.OVERLOADED))
    delays = [decide(tries=tries[:n], max_retries=5).delay_s for n in (1, 2, 3)]
    assert delays == [2.0, 4.0, 8.0]


def test_a_fallback_is_tried_again_too() -> None:
    """What is retried comes first, whatever the order."""
    found = decide(tries=tried(("a", K.AUTH), ("b", K.CRASHED)))
    assert (found.tool_id, found.order) == ("b", ("b", "c"))


def test_a_tool_whose_breaker_opened_is_not_tried_again() -> None:
    """The fifth crash opens it: next."""
    found = decide(tool("a", cooling_until=NOW + 60), tries=tried(("a", K.CRASHED)))
    assert (found.tool_id, found.delay_s) == ("b", 0.0)


def test_when_all_are_rate_limited_the_earliest_reset_is_waited_for() -> None:
    """Whether this turn met the limit or an earlier one."""
    found = decide(
        tool("b", cooling_until=NOW + 50, cooling_reason="rate_limited"),
        tool("c", cooling_until=NOW + 10, cooling_reason="auth"),
        tries=[Try(tool_id="a", kind=K.RATE_LIMITED, reset_at=NOW + 90)],
    )
    assert (found.tool_id, found.wait_until) == (None, NOW + 50)
    assert "b is the first to be free again" in found.reason


def test_after_the_wait_the_tool_is_tried_again() -> None:
    """A reset that has passed makes it a candidate like any other."""
    limit = Try(tool_id="a", kind=K.RATE_LIMITED, reset_at=NOW)
    assert decide(tries=[limit]).tool_id == "a"


def test_a_rate_limit_without_a_reset_time_is_backed_off_from_when_alone() -> None:
    """Only when no other tool is left, and with a growing delay."""
    limits = tried(("a", K.RATE_LIMITED), ("a", K.RATE_LIMITED))
    found = decide(rule=rule("a", "gone"), tries=limits)
    assert (found.tool_id, found.delay_s, found.order) == ("a", 4.0, ("a",))
    assert decide(rule=rule("a", "b"), tries=limits).tool_id == "b"


def test_a_rate_limit_whose_cooldown_has_passed_fits() -> None:
    """The breaker's own time counts where the tool stated none."""
    past = tool("a", cooling_until=NOW - 1, cooling_reason="rate_limited")
    assert decide(past, tries=tried(("a", K.RATE_LIMITED))).delay_s == 0.0


@pytest.mark.parametrize(("reset", "limit"), [(None, 3), (NOW - 1, 10)])
def test_going_back_to_a_limited_tool_is_bounded(reset: float | None, limit: int) -> None:
    """A tool that says "in a moment" for ever is given up."""
    last = Try(tool_id="a", kind=K.RATE_LIMITED, reset_at=reset)
    assert decide(rule=rule("a"), tries=[last] * (limit - 1)).tool_id == "a"
    found = decide(rule=rule("a"), tries=[last] * limit)
    assert (found.tool_id, found.wait_until) == (None, None)
    assert reasons(found)["a"] == f"tried: rate limited {limit} times"


@pytest.mark.parametrize("reset", [float("inf"), float("nan")])
def test_a_reset_time_that_is_none_is_not_waited_for(reset: float) -> None:
    """Nothing a tool says makes a wait without an end."""
    limit = Try(tool_id="a", kind=K.RATE_LIMITED, reset_at=reset)
    found = decide(rule=rule("a"), tries=[limit])
    assert (found.tool_id, found.wait_until, found.delay_s) == ("a", None, 2.0)


def test_no_tool_left_is_said() -> None:
    """All failed: the decision names every one of them."""
    found = decide(tries=tried(("a", K.AUTH), ("b", K.IDLE), ("c", K.NO_CHANGE)))
    assert (found.tool_id, found.wait_until) == (None, None)
    assert found.reason == "no tool is left for code_generation"
    assert list(reasons(found)) == ["a", "b", "c"]


def test_an_override_beats_the_strategy_and_not_the_health() -> None:
    """The wish is met when it can be."""
    rotating = rule(strategy=Strategy.ROUND_ROBIN)
    assert decide(rule=rotating, override="c", last_used="a").order == ("c", "b", "a")
    cold = tool("c", unavailable="not installed")
    assert decide(cold, rule=rotating, override="c", last_used="a").tool_id == "b"


def test_failures_in_a_row_are_of_one_tool_and_of_passing_kinds() -> None:
    """Anything else in between starts the count again."""
    assert failures_in_row(()) == 0
    assert failures_in_row(tried(("b", K.CRASHED), ("a", K.CRASHED))) == 1
    assert failures_in_row(tried(("a", K.CRASHED), ("a", K.TIMEOUT), ("a", K.CRASHED))) == 1
    assert failures_in_row(tried(("a", K.OVERLOADED), ("a", K.CRASHED))) == 2


def test_nothing_tried_yet_calls_for_a_tool() -> None:
    """The first decision of a turn is to take the next, which is the first."""
    assert last_action((), max_retries=1, capability=CODE) is Action.NEXT


@given(st.integers(-5, 10_000), st.floats(0.5, 1.5))
def test_a_backoff_is_bounded(failures: int, jitter: float) -> None:
    """Never below the base, never above the maximum, times the jitter."""
    policy = RoutePolicy(base_s=2.0, max_s=60.0)
    assert 2.0 * jitter <= backoff(policy, failures, jitter) <= 60.0 * jitter


def test_all_tries_are_listed_with_cause_and_advice() -> None:
    """The documented message, each try with what to do about it."""
    failures = [
        FailedTry(tool_id="aider", message="401 Unauthorized", kind=K.AUTH),
        FailedTry(tool_id="codex", message=" ", kind=K.TIMEOUT),
        FailedTry(tool_id="mine", message=""),
        FailedTry(tool_id="odd", message="left its scope", kind=K.EDITED),
    ]
    assert message_for_all_failed(CODE, failures) == (
        "All tools failed for capability code_generation: "
        "aider: 401 Unauthorized (sign in to it, or set its key); "
        "codex: timeout (raise timeout_ms, or make the task smaller); mine: failed; "
        "odd: left its scope"
    )


def test_no_try_at_all_is_said() -> None:
    """Every tool was passed over before it was started."""
    assert message_for_all_failed("x", ()).endswith("capability x: no tool could be tried")


def test_a_decision_is_explained_line_by_line() -> None:
    """The choice, why, what follows, and who was passed over."""
    found = decide(tool("b", unavailable="not installed"), tries=tried(("a", K.CRASHED)))
    assert explain(found) == [
        "code_generation: a (fixed)",
        "  because a once more after crashed",
        "  after 2.0 s",
        "  1. a",
        "  2. c",
        "  -  b: not installed",
    ]
    assert explain(decide(payload_missing=["prompt"]))[0] == "code_generation: no tool (fixed)"


NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
TIMES = st.none() | st.floats(NOW - 100, NOW + 100)
TOOLS = st.builds(
    ToolState,
    tool_id=NAMES,
    unavailable=st.none() | st.just("not installed"),
    cooling_until=TIMES,
    cooling_reason=st.sampled_from(["", "auth", "rate_limited"]),
    capabilities=st.sampled_from([(), (CODE,), ("linting",)]),
    busy=st.integers(0, 3),
    max_parallel=st.integers(1, 3),
    successes=st.floats(0, 100),
    failures=st.floats(0, 100),
    median_s=st.none() | st.floats(0, 100),
)
TRIES = st.lists(
    st.builds(
        Try, tool_id=NAMES, kind=st.sampled_from(list(K)), reset_at=TIMES, violation=st.booleans()
    ),
    max_size=6,
)
RULES = st.builds(
    lambda tools, strategy, spread: rule(*tools, strategy=strategy, load_balance=spread),
    st.lists(NAMES, min_size=1, max_size=5),
    st.sampled_from(list(Strategy)),
    st.booleans(),
)


def healthy(state: ToolState | None) -> bool:
    """Tell whether a tool could take a turn now, by its state alone."""
    if state is None or state.unavailable is not None:
        return False
    cooling = state.cooling_until is not None and state.cooling_until > NOW
    return not cooling and (not state.capabilities or CODE in state.capabilities)


def any_route(
    used: CapabilityRule, tools: list[ToolState], tries: list[Try], retries: int
) -> RouteDecision:
    """Route over whatever tools there are."""
    known = {state.tool_id: state for state in tools}
    return route(CODE, used, known, tries, now=NOW, jitter=1.0, max_retries=retries)


@given(RULES, st.lists(TOOLS, max_size=5), TRIES, st.integers(0, 5))
def test_no_tool_that_is_cooling_or_unavailable_is_ever_chosen(
    used: CapabilityRule, tools: list[ToolState], tries: list[Try], retries: int
) -> None:
    """Whatever happened before: who is chosen could take the turn now."""
    known = {state.tool_id: state for state in tools}
    found = any_route(used, tools, tries, retries)
    assert found.tool_id is None or healthy(known[found.tool_id])
    assert all(healthy(known[name]) for name in found.order)


@given(RULES, st.lists(TOOLS, max_size=5), st.integers(0, 5))
def test_a_healthy_tool_is_always_chosen_when_one_matches(
    used: CapabilityRule, tools: list[ToolState], retries: int
) -> None:
    """The turn is never refused or put off while somebody could take it."""
    known = {state.tool_id: state for state in tools}
    found = any_route(used, tools, [], retries)
    fit = {name for name in used.tools if healthy(known.get(name))}
    assert set(found.order) == fit
    assert (found.tool_id in fit) if fit else found.tool_id is None


@given(RULES, st.lists(TOOLS, max_size=5), TRIES, st.integers(0, 5))
def test_every_candidate_is_accounted_for(
    used: CapabilityRule, tools: list[ToolState], tries: list[Try], retries: int
) -> None:
    """Each one is in the order or passed over with a reason, once, unless the turn is over."""
    found = any_route(used, tools, tries, retries)
    told = [*found.order, *(passed.tool_id for passed in found.rejected)]
    over = last_action(tries, max_retries=retries, capability=CODE) in (Action.DONE, Action.STOP)
    assert sorted(told) == ([] if over else sorted(used.tools))
    assert all(passed.reason for passed in found.rejected)
    assert found.reason


@given(RULES, st.lists(TOOLS, max_size=5), TRIES, st.integers(0, 5))
def test_a_wait_is_only_for_rate_limits_and_has_an_end(
    used: CapabilityRule, tools: list[ToolState], tries: list[Try], retries: int
) -> None:
    """Whoever waits, waits for a moment to come and for nobody else being fit."""
    found = any_route(used, tools, tries, retries)
    if found.wait_until is not None:
        assert (found.tool_id, found.order) == (None, ())
        assert found.wait_until > NOW
        assert any("rate_limited" in passed.reason for passed in found.rejected)


@given(RULES, TRIES, st.integers(0, 5))
def test_a_turn_comes_to_its_end(used: CapabilityRule, kinds: list[Try], retries: int) -> None:
    """However the tools fail, the tries of a turn are bounded."""
    tries: list[Try] = []
    known = states(tool("d"), tool("e"))
    for number in range(5 * 12):
        found = route(CODE, used, known, tries, now=NOW, jitter=1.0, max_retries=retries)
        if found.tool_id is None:
            return
        kind = kinds[number % len(kinds)].kind if kinds else K.RATE_LIMITED
        tries.append(Try(tool_id=found.tool_id, kind=kind))
    pytest.fail(f"{len(tries)} tries and no end")
