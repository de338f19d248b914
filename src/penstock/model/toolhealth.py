"""What the journal knows of a tool: its circuit breaker, and its record so far."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class CircuitState(StrEnum):
    """Whether calls of a tool are let through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class ToolBreaker(msgspec.Struct, frozen=True, kw_only=True):
    """The circuit breaker of one tool; its times are seconds since the epoch.

    `failures` counts those in a row. OPEN lets nothing through until `until`; HALF_OPEN has
    `calls` trial calls under way and lets no more through until one has ended or `until` has passed.
    `reason` is the outcome that opened it.
    """

    tool_id: str
    state: CircuitState = CircuitState.CLOSED
    failures: int = 0
    calls: int = 0
    opened_at: float | None = None
    until: float | None = None
    reason: str | None = None
    updated_at: float | None = None


class ToolStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """The record of a tool over the journal, older turns counting less.

    `successes` and `failures` are sums of weights; `median_s` is the weighted median of the seconds
    a turn took; `cost_per_success` is in USD, None where no cost is known or nothing succeeded.
    """

    tool_id: str
    successes: float = 0.0
    failures: float = 0.0
    median_s: float | None = None
    cost_per_success: float | None = None


class ToolTurn(msgspec.Struct, frozen=True, kw_only=True):
    """One finished turn as the record counts it.

    `ended_at` is seconds since the epoch, `seconds` how long it took (None: unknown), `cost_usd`
    what it cost (None: unknown).
    """

    tool_id: str
    success: bool
    ended_at: float
    seconds: float | None = None
    cost_usd: float | None = None
