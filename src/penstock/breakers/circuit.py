"""The circuit breaker of a tool, which is its cooldown: closed, open, half-open.

The pattern is Nygard's (Release It!): after a number of failures in a row nothing is let through for
a while, then a few trial calls are; one that works closes it, one that fails opens it again. Some
outcomes say more than a failure does: a tool that is not installed, logged out or out of quota will
fail again at once, and a rate limit may state its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

import msgspec

from penstock.errors import CircuitBreakerOpen
from penstock.model.outcome import OutcomeKind
from penstock.model.toolhealth import CircuitState, ToolBreaker

K = OutcomeKind
WORKED = frozenset({K.EDITED, K.NO_CHANGE, K.DENIED, K.REFUSED, K.CONTEXT_OVERFLOW, K.BUDGET})
"""Outcomes that show the tool itself to work, whatever became of the turn."""
COUNTED = frozenset({K.OVERLOADED, K.CRASHED, K.BAD_OUTPUT, K.TIMEOUT, K.IDLE})
"""Outcomes of which several in a row open the breaker."""

SKEW_S = 60.0
"""How far (s) a breaker may have been written ahead of the clock that reads it."""


class CircuitPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When a breaker opens and for how long (s).

    `auth_s`, `quota_s` and `not_installed_s` are how long it stays open for a cause that only
    somebody's action ends; `recovery_s` serves everything else, also as the time after which a trial
    call of which nothing was heard no longer holds others back. No stated time is believed beyond
    `max_open_s`.
    """

    failure_threshold: int = 5
    recovery_s: float = 60.0
    half_open_max_calls: int = 1
    auth_s: float = 300.0
    quota_s: float = 3600.0
    not_installed_s: float = 60.0
    max_open_s: float = 7 * 86400.0


DEFAULT_CIRCUIT = CircuitPolicy()


def state_at(breaker: ToolBreaker, now: float) -> CircuitState:
    """Return the state at a moment: an open breaker whose time has passed is half-open."""
    if breaker.state is CircuitState.OPEN and not _holds(breaker, now):
        return CircuitState.HALF_OPEN
    return breaker.state


def cooling_until(breaker: ToolBreaker, policy: CircuitPolicy, now: float) -> float | None:
    """Return until when nothing is let through (s since the epoch), or None when a call may go."""
    if not _holds(breaker, now):
        return None
    full = breaker.calls >= policy.half_open_max_calls
    if breaker.state is CircuitState.OPEN or (breaker.state is CircuitState.HALF_OPEN and full):
        return breaker.until
    return None


def admit(breaker: ToolBreaker, policy: CircuitPolicy, now: float) -> ToolBreaker:
    """Return the breaker with one more call let through. Raises CircuitBreakerOpen."""
    until = cooling_until(breaker, policy, now)
    if until is not None:
        why = f" ({breaker.reason})" if breaker.reason else ""
        raise CircuitBreakerOpen(
            f"{breaker.tool_id} is cooling down for another {until - now:.0f} s{why}",
            hint="see `aim status`",
        )
    if breaker.state is CircuitState.CLOSED:
        return breaker
    under_way = breaker.calls if _holds(breaker, now) else 0
    return msgspec.structs.replace(
        breaker,
        state=CircuitState.HALF_OPEN,
        calls=under_way + 1,
        until=now + policy.recovery_s,
        updated_at=now,
    )


def record(
    breaker: ToolBreaker,
    kind: OutcomeKind,
    policy: CircuitPolicy,
    now: float,
    reset_at: float | None = None,
) -> ToolBreaker:
    """Return the breaker after the outcome of one call.

    `reset_at` (s since the epoch) is when the tool said that it will work again.
    """
    if kind in WORKED:
        return _worked(breaker, now)
    if kind is K.CANCELED:
        return msgspec.structs.replace(breaker, calls=max(breaker.calls - 1, 0), updated_at=now)
    failures = breaker.failures + 1
    until = _open_until(breaker, kind, policy, now, reset_at)
    if until is None:
        return msgspec.structs.replace(breaker, failures=failures, updated_at=now)
    if (
        breaker.state is CircuitState.OPEN
        and _holds(breaker, now)
        and until <= (breaker.until or 0)
    ):
        return msgspec.structs.replace(breaker, failures=failures, updated_at=now)
    return ToolBreaker(
        tool_id=breaker.tool_id,
        state=CircuitState.OPEN,
        failures=failures,
        opened_at=now,
        until=until,
        reason=kind.value,
        updated_at=now,
    )


def _worked(breaker: ToolBreaker, now: float) -> ToolBreaker:
    """Close the breaker, but for a rate limit that a call begun before it does not disprove."""
    limited = breaker.reason == K.RATE_LIMITED.value
    if limited and breaker.state is CircuitState.OPEN and _holds(breaker, now):
        return msgspec.structs.replace(breaker, failures=0, updated_at=now)
    return ToolBreaker(tool_id=breaker.tool_id, updated_at=now)


def _open_until(
    breaker: ToolBreaker,
    kind: OutcomeKind,
    policy: CircuitPolicy,
    now: float,
    reset_at: float | None,
) -> float | None:
    """Return until when an outcome opens the breaker, None when it only counts."""
    if reset_at is not None and isfinite(reset_at) and reset_at > now:
        return min(reset_at, now + policy.max_open_s)
    if kind not in COUNTED:
        return now + _fixed_times(policy).get(kind, policy.recovery_s)
    trial = state_at(breaker, now) is CircuitState.HALF_OPEN
    if trial or breaker.failures + 1 >= policy.failure_threshold:
        return now + policy.recovery_s
    return None


def _fixed_times(policy: CircuitPolicy) -> Mapping[OutcomeKind, float]:
    return {
        K.AUTH: policy.auth_s,
        K.QUOTA: policy.quota_s,
        K.NOT_INSTALLED: policy.not_installed_s,
    }


def _holds(breaker: ToolBreaker, now: float) -> bool:
    """Tell whether the time of a breaker has not passed.

    One that was written at a moment yet to come is not believed: the clock went back, and a wait
    would last for as long as that was.
    """
    if breaker.until is None or breaker.until <= now:
        return False
    return breaker.updated_at is None or breaker.updated_at <= now + SKEW_S
