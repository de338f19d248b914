"""What follows a history of checks and fix turns."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.breakers.decide import (
    PERMANENT,
    UNCHARGED,
    Breaker,
    CheckFact,
    Decision,
    Fact,
    FixFact,
    Next,
    Spend,
    cost_tripped,
    decide,
    states,
)
from penstock.model.outcome import OutcomeKind
from penstock.model.settings import BreakerLimits

LIMITS = BreakerLimits()
LOOSE = BreakerLimits(
    max_attempts_per_step=50,
    max_fix_attempts_per_step=50,
    max_attempts_per_error_signature=0,
    oscillation_threshold=0,
    max_wall_clock_s=0,
)


def red(state: str = "a", signature: str | None = "s", tests: int | None = None) -> CheckFact:
    """A check that found something."""
    return CheckFact(passed=False, diff_hash=state, signature=signature, tests=tests)


def green(state: str = "a", tests: int | None = None) -> CheckFact:
    """A check that passed."""
    return CheckFact(passed=True, diff_hash=state, tests=tests)


def fix(state: str, kind: OutcomeKind = OutcomeKind.EDITED, *, changed: bool = True) -> FixFact:
    """A fix turn that left `state` behind."""
    return FixFact(outcome=kind, diff_hash=state, changed=changed)


def ask(*history: Fact, limits: BreakerLimits = LIMITS, spend: Spend | None = None) -> Decision:
    """Decide over a history that began in state `a`."""
    return decide("static", history, "a", limits, spend or Spend())


def test_a_step_begins_with_a_check() -> None:
    """Nothing has happened: check."""
    assert ask().next is Next.CHECK


def test_a_passing_check_leads_on() -> None:
    """A passing check ends the step well."""
    assert ask(green()).next is Next.PROCEED


def test_a_failing_check_leads_to_a_fix_turn() -> None:
    """The first failure buys a fix turn, and the reason counts it."""
    decision = ask(red())
    assert decision.next is Next.FIX
    assert decision.reason == "fix turn 1 of 2 for static"


def test_a_fix_turn_that_changed_something_is_checked() -> None:
    """After an edit the checks run again."""
    assert ask(red(), fix("b")).next is Next.CHECK


def test_a_check_that_cannot_work_fails_the_step_at_once() -> None:
    """A missing tool is no matter for a fix turn."""
    decision = ask(CheckFact(passed=False, diff_hash="a", problem="ruff is not installed"))
    assert (decision.next, decision.reason) == (Next.FAIL, "ruff is not installed")


def test_a_fix_turn_without_a_change_trips_no_progress() -> None:
    """A turn that changed nothing stops the loop."""
    assert ask(red(), fix("a", OutcomeKind.NO_CHANGE)).breaker is Breaker.NO_PROGRESS


def test_a_fix_turn_that_left_the_same_diff_trips_no_progress() -> None:
    """An edit that amounts to the same tree is no progress either."""
    assert ask(red(), fix("a", changed=False)).breaker is Breaker.NO_PROGRESS


def test_going_back_to_an_earlier_state_trips_oscillation() -> None:
    """A-B-A trips before the check is run once more."""
    history = (red("a", "1"), fix("b"), red("b", "2"), fix("a"))
    assert ask(*history, limits=LIMITS).breaker is Breaker.OSCILLATION


@pytest.mark.parametrize("key", ["oscillation_threshold", "oscillation_window"])
def test_zero_switches_oscillation_off(key: str) -> None:
    """With 0 the oscillation breaker is silent."""
    limits = msgspec.structs.replace(LIMITS, **{key: 0})
    assert ask(red("a", "1"), fix("b"), red("b", "2"), fix("a"), limits=limits).next is Next.CHECK


def test_oscillation_looks_at_the_last_window_only() -> None:
    """A state that fell out of the window is forgotten."""
    limits = msgspec.structs.replace(LIMITS, oscillation_window=2, max_fix_attempts_per_step=9)
    assert ask(red(), fix("b"), red("b", "2"), fix("a"), limits=limits).next is Next.CHECK


def test_a_higher_threshold_wants_more_returns() -> None:
    """With threshold 3 a state must occur three times."""
    limits = msgspec.structs.replace(LIMITS, oscillation_threshold=3, oscillation_window=9)
    once = (red("a", "1"), fix("b"), red("b", "2"), fix("a"))
    assert ask(*once, limits=limits).next is Next.CHECK
    twice = (*once, red("a", "3"), fix("b"), red("b", "4"), fix("a"))
    assert ask(*twice, limits=limits).breaker is Breaker.OSCILLATION


def test_the_same_error_again_and_again_trips_signature() -> None:
    """The third sighting of one signature stops the loop."""
    history = (red("a"), fix("b"), red("b"), fix("c"), red("c"))
    assert ask(*history).breaker is Breaker.SIGNATURE


def test_different_errors_trip_max_attempts() -> None:
    """Three failing checks are enough, whatever they say."""
    history = (red("a", "1"), fix("b"), red("b", "2"), fix("c"), red("c", "3"))
    assert ask(*history).breaker is Breaker.MAX_ATTEMPTS


def test_checks_without_a_signature_do_not_trip_signature() -> None:
    """Unknown errors are not taken for the same error."""
    history = (red("a", None), fix("b"), red("b", None), fix("c"), red("c", None))
    assert ask(*history).breaker is Breaker.MAX_ATTEMPTS


def test_fix_turns_have_their_own_budget() -> None:
    """With one fix turn allowed, the second failure ends it."""
    limits = msgspec.structs.replace(LIMITS, max_fix_attempts_per_step=1)
    assert (
        ask(red("a", "1"), fix("b"), red("b", "2"), limits=limits).breaker is Breaker.FIX_ATTEMPTS
    )


def test_fix_turns_can_be_switched_off() -> None:
    """A step that is not enabled gets none, and the advice says how to enable it."""
    decision = ask(red(), limits=msgspec.structs.replace(LIMITS, fix_enabled=False))
    assert decision.breaker is Breaker.FIX_ATTEMPTS
    assert "enable_fix_for_steps" in decision.advice


def test_falling_test_count_trips_even_when_the_check_passes() -> None:
    """An agent that deletes a failing test has not mended it."""
    assert ask(red("a", tests=9), fix("b"), green("b", tests=8)).breaker is Breaker.TEST_COUNT


def test_an_unknown_test_count_trips_nothing() -> None:
    """A check that could not count is not compared."""
    assert ask(red("a", tests=9), fix("b"), green("b")).next is Next.PROCEED


def test_more_tests_are_welcome() -> None:
    """A growing count leads on."""
    assert ask(red("a", tests=9), fix("b"), green("b", tests=10)).next is Next.PROCEED


@pytest.mark.parametrize(("limit", "breaker"), [(10.0, Breaker.WALL_CLOCK), (0.0, None)])
def test_the_wall_clock_budget_stops_the_loop(limit: float, breaker: Breaker | None) -> None:
    """Time used up trips; 0 is no bound."""
    limits = msgspec.structs.replace(LIMITS, max_wall_clock_s=limit)
    assert ask(red(), limits=limits, spend=Spend(wall_s=10.0)).breaker is breaker


@pytest.mark.parametrize(
    ("spend", "trips"),
    [
        (Spend(cost_usd=0.99), False),
        (Spend(cost_usd=1.0), True),
        (Spend(cost_usd=0.1, unpriced=1), True),
        (Spend(), False),
    ],
)
def test_the_cost_budget_stops_the_loop(spend: Spend, trips: bool) -> None:
    """The cap trips when it is reached, and when it cannot be watched."""
    limits = msgspec.structs.replace(LIMITS, max_cost_usd=1.0)
    assert (ask(red(), limits=limits, spend=spend).breaker is Breaker.COST) is trips


def test_without_a_cap_cost_is_no_matter() -> None:
    """No cap, no trip, priced or not."""
    assert cost_tripped(LIMITS, Spend(cost_usd=1e9, unpriced=3)) is None


@pytest.mark.parametrize("kind", sorted(PERMANENT))
def test_an_outcome_that_would_come_again_fails_the_step(kind: OutcomeKind) -> None:
    """Logged out, refused and the like are not tried again with the same tool."""
    assert ask(red(), fix("a", kind, changed=False)).next is Next.FAIL


def test_a_crashed_fix_turn_uses_up_budget() -> None:
    """A crash is charged: one more turn, then the budget is gone."""
    crash = fix("a", OutcomeKind.CRASHED, changed=False)
    assert ask(red(), crash).next is Next.FIX
    assert ask(red(), crash, crash).breaker is Breaker.FIX_ATTEMPTS


@pytest.mark.parametrize("kind", sorted(UNCHARGED))
def test_a_turn_that_was_kept_from_working_is_not_charged(kind: OutcomeKind) -> None:
    """A rate limit costs no budget and is no state."""
    history: tuple[Fact, ...] = (red(), *[fix("a", kind, changed=False)] * 5)
    assert ask(*history).reason == "fix turn 1 of 2 for static"
    assert states(history, "a") == ("a",)


def test_a_scope_violation_of_a_fix_turn_fails_the_step() -> None:
    """What left its scope is not tried again."""
    fact = FixFact(
        outcome=OutcomeKind.EDITED, diff_hash="a", changed=False, violation=True, message="out"
    )
    assert (ask(red(), fact).next, ask(red(), fact).reason) == (Next.FAIL, "out")


FACTS = st.lists(
    st.one_of(
        st.builds(
            CheckFact,
            passed=st.just(False),
            diff_hash=st.sampled_from("abc"),
            signature=st.sampled_from(["1", "2", "3", None]),
            tests=st.one_of(st.none(), st.integers(0, 3)),
        ),
        st.builds(
            FixFact,
            outcome=st.sampled_from(OutcomeKind),
            diff_hash=st.sampled_from("abc"),
            changed=st.booleans(),
        ),
    ),
    max_size=12,
)


@given(FACTS)
def test_every_loop_ends(facts: list[Fact]) -> None:
    """Whatever the turns do, a loop that follows the decisions takes no more than its budget."""
    history: tuple[Fact, ...] = ()
    supply = iter(facts * 4)
    for _ in range(2 * LIMITS.max_attempts_per_step + LIMITS.max_fix_attempts_per_step + 1):
        decision = ask(*history)
        if decision.next not in (Next.CHECK, Next.FIX):
            assert decision.reason
            return
        wanted = CheckFact if decision.next is Next.CHECK else FixFact
        default: Fact = red("z") if wanted is CheckFact else fix("z", OutcomeKind.CRASHED)
        fact = next((f for f in supply if isinstance(f, wanted)), default)
        if isinstance(fact, FixFact) and fact.outcome in UNCHARGED:
            fact = msgspec.structs.replace(fact, outcome=OutcomeKind.CRASHED)
        history = (*history, fact)
    pytest.fail(f"no end in sight: {history}")


@given(FACTS)
def test_a_decision_depends_on_its_arguments_only(facts: list[Fact]) -> None:
    """Asked twice, it says the same: that is what makes a run resumable."""
    assert ask(*facts) == ask(*facts)


def test_loose_limits_let_the_loop_go_on() -> None:
    """With every breaker off, only no-progress and the budgets end it."""
    history = [fact for n in range(20) for fact in (red(str(n)), fix(str(n + 1)))]
    assert ask(*history, red("20"), limits=LOOSE).next is Next.FIX
