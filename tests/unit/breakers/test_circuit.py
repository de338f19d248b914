"""The circuit breaker of a tool."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.breakers.circuit import (
    COUNTED,
    DEFAULT_CIRCUIT,
    WORKED,
    CircuitPolicy,
    admit,
    cooling_until,
    record,
    state_at,
)
from penstock.errors import CircuitBreakerOpen
from penstock.model.outcome import OutcomeKind
from penstock.model.toolhealth import CircuitState, ToolBreaker

K, NOW = OutcomeKind, 1_000.0
FRESH = ToolBreaker(tool_id="t")
POLICY = DEFAULT_CIRCUIT


def after(*kinds: OutcomeKind, start: ToolBreaker = FRESH, now: float = NOW) -> ToolBreaker:
    """The breaker after outcomes at one moment."""
    for kind in kinds:
        start = record(start, kind, POLICY, now)
    return start


def opened(kind: OutcomeKind, reset_at: float | None = None) -> ToolBreaker:
    """A breaker that one outcome opened at NOW."""
    return record(FRESH, kind, POLICY, NOW, reset_at)


@pytest.mark.parametrize("kind", sorted(COUNTED))
def test_failures_in_a_row_open_it(kind: OutcomeKind) -> None:
    """Four leave it closed, the fifth opens it for the recovery time."""
    four = after(*[kind] * 4)
    assert (four.state, four.failures) == (CircuitState.CLOSED, 4)
    five = after(kind, start=four)
    assert (five.state, five.until, five.reason) == (CircuitState.OPEN, NOW + 60, kind.value)


@pytest.mark.parametrize("kind", sorted(WORKED))
def test_a_call_that_works_starts_the_count_again(kind: OutcomeKind) -> None:
    """Only failures in a row count."""
    assert after(K.CRASHED, K.CRASHED, kind) == ToolBreaker(tool_id="t", updated_at=NOW)


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [(K.AUTH, 300.0), (K.QUOTA, 3600.0), (K.NOT_INSTALLED, 60.0), (K.RATE_LIMITED, 60.0)],
)
def test_what_will_fail_again_opens_it_at_once(kind: OutcomeKind, seconds: float) -> None:
    """For the time that the policy gives the cause."""
    found = opened(kind)
    assert (found.state, found.until, found.opened_at) == (CircuitState.OPEN, NOW + seconds, NOW)


@pytest.mark.parametrize("kind", [K.RATE_LIMITED, K.OVERLOADED, K.QUOTA])
def test_a_stated_reset_time_opens_it_until_then(kind: OutcomeKind) -> None:
    """The tool said when it will work again."""
    assert opened(kind, NOW + 500).until == NOW + 500


@pytest.mark.parametrize("reset", [NOW, NOW - 1, float("inf"), float("nan")])
def test_a_reset_time_that_says_nothing_is_left_out(reset: float) -> None:
    """The policy's own time holds."""
    assert opened(K.RATE_LIMITED, reset).until == NOW + 60


def test_no_tool_is_believed_to_be_gone_for_ever() -> None:
    """A reset in ten years is cut to the policy's longest time."""
    assert opened(K.RATE_LIMITED, NOW + 1e9).until == NOW + POLICY.max_open_s


def test_an_open_breaker_lets_nothing_through() -> None:
    """The error names the tool, the seconds left and the cause."""
    with pytest.raises(CircuitBreakerOpen, match=r"t is cooling down for another 300 s \(auth\)"):
        admit(opened(K.AUTH), POLICY, NOW)
    assert cooling_until(opened(K.AUTH), POLICY, NOW + 299) == NOW + 300


def test_a_closed_breaker_lets_everything_through() -> None:
    """And is not changed by it."""
    assert admit(FRESH, POLICY, NOW) is FRESH
    assert cooling_until(FRESH, POLICY, NOW) is None


def test_after_its_time_one_trial_call_goes_through() -> None:
    """The second is held back until the first has ended or is not heard of any more."""
    late = NOW + 300
    assert state_at(opened(K.AUTH), late) is CircuitState.HALF_OPEN
    trial = admit(opened(K.AUTH), POLICY, late)
    assert (trial.state, trial.calls) == (CircuitState.HALF_OPEN, 1)
    with pytest.raises(CircuitBreakerOpen):
        admit(trial, POLICY, late + 59)
    assert admit(trial, POLICY, late + 60).calls == 1


def test_more_trial_calls_by_policy() -> None:
    """half_open_max_calls of them, no more."""
    two = CircuitPolicy(half_open_max_calls=2)
    trial = admit(admit(opened(K.AUTH), two, NOW + 300), two, NOW + 301)
    assert trial.calls == 2
    with pytest.raises(CircuitBreakerOpen):
        admit(trial, two, NOW + 302)


def test_a_trial_that_works_closes_it() -> None:
    """Everything goes through again."""
    trial = admit(opened(K.RATE_LIMITED), POLICY, NOW + 60)
    assert record(trial, K.EDITED, POLICY, NOW + 70) == ToolBreaker(
        tool_id="t", updated_at=NOW + 70
    )


def test_a_trial_that_fails_opens_it_again() -> None:
    """One failure is enough now."""
    trial = admit(opened(K.AUTH), POLICY, NOW + 300)
    again = record(trial, K.CRASHED, POLICY, NOW + 310)
    assert (again.state, again.until) == (CircuitState.OPEN, NOW + 370)


def test_a_trial_that_the_user_stopped_frees_its_place() -> None:
    """It said nothing about the tool."""
    trial = admit(opened(K.AUTH), POLICY, NOW + 300)
    freed = record(trial, K.CANCELED, POLICY, NOW + 301)
    assert (freed.state, freed.calls) == (CircuitState.HALF_OPEN, 0)
    assert admit(freed, POLICY, NOW + 302).calls == 1
    assert record(FRESH, K.CANCELED, POLICY, NOW).calls == 0


def test_a_call_from_before_does_not_disprove_a_rate_limit() -> None:
    """It had been let in before the limit; any other cause is disproved by it."""
    limited = record(opened(K.RATE_LIMITED, NOW + 500), K.EDITED, POLICY, NOW + 5)
    assert (limited.state, limited.until) == (CircuitState.OPEN, NOW + 500)
    assert record(limited, K.EDITED, POLICY, NOW + 501).state is CircuitState.CLOSED
    assert record(opened(K.AUTH), K.EDITED, POLICY, NOW + 5).state is CircuitState.CLOSED


def test_a_late_failure_does_not_shorten_the_time() -> None:
    """An open breaker stays open until the later moment."""
    limited = opened(K.RATE_LIMITED, NOW + 500)
    assert record(limited, K.AUTH, POLICY, NOW + 5).until == NOW + 500
    assert record(limited, K.QUOTA, POLICY, NOW + 5).until == NOW + 3605


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["admit", *OutcomeKind]),
        st.floats(0, 4000),
        st.none() | st.floats(-100, 1e9) | st.just(float("nan")),
    ),
    max_size=30,
)


@given(STEPS, st.integers(1, 3))
def test_whatever_happens_it_comes_free_again(
    steps: list[tuple[str, float, float | None]], calls: int
) -> None:
    """Trial calls stay within their limit, and no cooldown is longer than the longest."""
    policy, breaker, now = CircuitPolicy(half_open_max_calls=calls), FRESH, NOW
    for what, pause, reset in steps:
        now += pause
        free = cooling_until(breaker, policy, now) is None
        if what != "admit":
            breaker = record(breaker, OutcomeKind(what), policy, now, reset)
        elif free:
            breaker = admit(breaker, policy, now)
        until = cooling_until(breaker, policy, now)
        assert until is None or now < until <= now + policy.max_open_s
        assert 0 <= breaker.calls <= calls
    assert admit(breaker, policy, now + policy.max_open_s).tool_id == "t"


# -- clocks that jump --------------------------------------------------------------------------
YEAR = 365 * 86_400.0


def test_a_clock_that_went_back_holds_nothing_for_that_long() -> None:
    """A breaker that was opened in what is now the future lets a trial through."""
    breaker = opened(K.QUOTA)
    assert state_at(breaker, NOW - YEAR) is CircuitState.HALF_OPEN
    trial = admit(breaker, POLICY, NOW - YEAR)
    assert trial.until == NOW - YEAR + POLICY.recovery_s
    assert cooling_until(trial, POLICY, NOW - YEAR) == trial.until


def test_a_breaker_of_the_future_is_opened_anew() -> None:
    """A failure after the clock went back counts from there, not until the old time."""
    breaker = after(K.QUOTA, start=opened(K.QUOTA), now=NOW - YEAR)
    assert breaker.until == NOW - YEAR + POLICY.quota_s


def test_a_small_step_back_changes_nothing() -> None:
    """Two clocks differ by less than a minute: the breaker holds."""
    breaker = opened(K.QUOTA)
    assert cooling_until(breaker, POLICY, NOW - 59) == breaker.until


@given(st.sampled_from(sorted(K)), st.floats(-YEAR, YEAR), st.none() | st.floats(0, 1e12))
def test_no_wait_is_longer_than_the_longest(
    kind: OutcomeKind, jump: float, reset_at: float | None
) -> None:
    """Whatever the clock does and the tool says, a call is held back for a bounded time."""
    breaker = record(FRESH, kind, POLICY, NOW + YEAR, reset_at)
    now = NOW + YEAR + jump
    until = cooling_until(breaker, POLICY, now)
    assert until is None or until - now <= POLICY.max_open_s + 60
