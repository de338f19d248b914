"""When a turn that was kept from working is tried again: backoff, stated reset times, give up."""

from __future__ import annotations

import msgspec

from penstock.model.outcome import Outcome, OutcomeKind

TRANSIENT = frozenset({OutcomeKind.RATE_LIMITED, OutcomeKind.OVERLOADED})


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """`tries` counts the first one, `stated_tries` those with a stated reset time; times are s."""

    tries: int = 3
    stated_tries: int = 10
    base_s: float = 1.0
    max_s: float = 60.0


class RetryDecision(msgspec.Struct, frozen=True, kw_only=True):
    """`at` (seconds since the epoch) is when to try again, None when not at all."""

    at: float | None
    reason: str


def backoff(policy: RetryPolicy, failures: int, jitter: float) -> float:
    """Return the delay (s) after the given number of failures: min(base*2^n, max) * jitter.

    `jitter` is drawn by the caller from 0.5..1.5.
    """
    exponent = min(max(failures - 1, 0), 32)
    return float(min(policy.base_s * 2**exponent, policy.max_s) * jitter)


def retry_turn(
    outcomes: tuple[Outcome, ...], policy: RetryPolicy, *, now: float, jitter: float
) -> RetryDecision:
    """Decide over a turn from the outcomes of its tries so far (oldest first).

    A stated reset time beats the backoff and has a larger budget of tries: the tool told us when
    it will work again.
    """
    last = outcomes[-1]
    if last.kind not in TRANSIENT:
        return RetryDecision(at=None, reason=f"{last.kind.value} is not tried again")
    in_row = _transient_tail(outcomes)
    failures = sum(outcome.reset_at is None for outcome in in_row)
    if failures >= policy.tries or len(in_row) >= policy.stated_tries:
        return RetryDecision(at=None, reason=f"{last.kind.value} {len(in_row)} times")
    if last.reset_at is not None and last.reset_at > now:
        return RetryDecision(at=last.reset_at, reason=f"{last.kind.value}, reset time stated")
    return RetryDecision(
        at=now + backoff(policy, failures, jitter), reason=f"{last.kind.value}, backing off"
    )


def _transient_tail(outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    count = 0
    for outcome in reversed(outcomes):
        if outcome.kind not in TRANSIENT:
            break
        count += 1
    return outcomes[len(outcomes) - count :]
