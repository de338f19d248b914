"""What routing is asked and what it answers."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from penstock.model.capability import Strategy
from penstock.model.outcome import OutcomeKind


class ToolState(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one tool at this moment.

    `unavailable` says why it cannot be started (not installed, contract drift), None when it can.
    `cooling_until` (seconds since the epoch) is when its open circuit breaker lets a call through
    again. `busy` counts its running turns, `max_parallel` is how many it may have. The statistics
    are decayed sums over the journal: successes, failures, median seconds, dollars per success.
    """

    tool_id: str
    unavailable: str | None = None
    cooling_until: float | None = None
    cooling_reason: str = ""
    capabilities: tuple[str, ...] = ()
    busy: int = 0
    max_parallel: int = 1
    successes: float = 0.0
    failures: float = 0.0
    median_s: float | None = None
    cost_per_success: float | None = None


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate that was passed over, and why."""

    tool_id: str
    reason: str


class RouteDecision(msgspec.Struct, frozen=True, kw_only=True):
    """Which tool, or until when to wait, or that none is left.

    `tool_id` None with `wait_until` means that every candidate left is rate limited until then
    (seconds since the epoch); None without it means that there is none. `order` is what would be
    tried after another. `reason` is one line for people.
    """

    capability: str
    tool_id: str | None
    reason: str
    strategy: Strategy = Strategy.FIXED
    order: tuple[str, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    wait_until: float | None = None
    delay_s: float = 0.0


class RoutePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How patient routing is.

    A retry waits min(base_s * 2^n, max_s) * jitter (s). `stated_tries` and `tries` bound how often
    one turn goes back to a tool that is rate limited, with and without a stated reset time.
    A tool of which nothing is known counts as one with `prior_successes` of `prior_tries`.
    """

    base_s: float = 2.0
    max_s: float = 60.0
    tries: int = 3
    stated_tries: int = 10
    prior_successes: float = 3.0
    prior_tries: float = 4.0


class Action(StrEnum):
    """What an outcome of a tool calls for."""

    DONE = "done"
    RETRY = "retry"
    NEXT = "next"
    STOP = "stop"


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """One finished try of a turn: which tool, what it came to.

    `violation` is set when the edit left its scope, `reset_at` when a rate limit said until when.
    """

    tool_id: str
    kind: OutcomeKind
    reset_at: float | None = None
    violation: bool = False


class FailedTry(msgspec.Struct, frozen=True, kw_only=True):
    """One try for the message that lists them: the tool, its own words, and its kind when known."""

    tool_id: str
    message: str
    kind: OutcomeKind | None = None
