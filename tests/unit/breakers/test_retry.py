"""When a turn that was kept from working is tried again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.breakers.retry import RetryPolicy, backoff, retry_turn
from penstock.model.outcome import Outcome, OutcomeKind

POLICY = RetryPolicy()
BUSY = Outcome(kind=OutcomeKind.OVERLOADED)
CRASH = Outcome(kind=OutcomeKind.CRASHED)


def limited(reset_at: float | None) -> Outcome:
    """A rate limit that ends at `reset_at`."""
    return Outcome(kind=OutcomeKind.RATE_LIMITED, reset_at=reset_at)


def test_an_overload_is_tried_again_after_a_growing_delay() -> None:
    """1 s after the first failure, 2 s after the second, then no more."""
    delays = [retry_turn((BUSY,) * n, POLICY, now=100.0, jitter=1.0).at for n in (1, 2, 3)]
    assert delays == [101.0, 102.0, None]


def test_a_stated_reset_time_is_kept_to() -> None:
    """The tool said when: not before, not later."""
    assert retry_turn((limited(500.0),), POLICY, now=100.0, jitter=1.0).at == 500.0


def test_a_reset_time_in_the_past_means_backing_off() -> None:
    """A run that is resumed after the reset goes on within the base delay."""
    assert retry_turn((limited(50.0),), POLICY, now=100.0, jitter=1.0).at == 101.0


def test_stated_resets_are_bounded_too() -> None:
    """A tool that says "in a moment" for ever is given up."""
    outcomes = tuple(limited(1000.0 + n) for n in range(POLICY.stated_tries))
    assert retry_turn(outcomes[:-1], POLICY, now=1.0, jitter=1.0).at is not None
    assert retry_turn(outcomes, POLICY, now=1.0, jitter=1.0).at is None


def test_only_the_failures_in_a_row_count() -> None:
    """What came before another outcome is forgotten."""
    outcomes = (BUSY, BUSY, CRASH, BUSY)
    assert retry_turn(outcomes, POLICY, now=0.0, jitter=1.0).at == 1.0


@pytest.mark.parametrize(
    "kind", sorted(set(OutcomeKind) - {OutcomeKind.RATE_LIMITED, OutcomeKind.OVERLOADED})
)
def test_other_outcomes_are_not_tried_again(kind: OutcomeKind) -> None:
    """Timeouts, crashes and the rest are decided elsewhere."""
    assert retry_turn((Outcome(kind=kind),), POLICY, now=0.0, jitter=1.0).at is None


@given(st.integers(0, 10_000), st.floats(0.5, 1.5))
def test_the_delay_stays_within_its_bounds(failures: int, jitter: float) -> None:
    """Never below half the base, never above one and a half times the maximum."""
    assert 0.5 * POLICY.base_s <= backoff(POLICY, failures, jitter) <= 1.5 * POLICY.max_s
