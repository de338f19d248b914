"""The typed outcome of one tool turn, and what it used."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class OutcomeKind(StrEnum):
    """What a tool turn came to, judged by its diff and its terminal event."""

    EDITED = "edited"
    NO_CHANGE = "no_change"
    DENIED = "denied"
    AUTH = "auth"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    QUOTA = "quota"
    CONTEXT_OVERFLOW = "context_overflow"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    IDLE = "idle"
    CRASHED = "crashed"
    NOT_INSTALLED = "not_installed"
    BAD_OUTPUT = "bad_output"
    BUDGET = "budget"
    CANCELED = "canceled"


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens and cost of a turn; None means unknown, never zero.

    Input tokens are counted disjointly: `input_uncached` leaves cached ones out. `output` is all
    output as it is billed; `reasoning` tells how much of it was thinking. `cost_usd` is what the
    tool reported, `None` when it reported nothing.
    """

    input_uncached: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    output: int | None = None
    reasoning: int | None = None
    cost_usd: float | None = None
    model: str | None = None

    @property
    def input_tokens(self) -> int | None:
        """All input tokens, cached ones included, or None when unknown."""
        if self.input_uncached is None:
            return None
        return self.input_uncached + (self.cache_read or 0) + (self.cache_write or 0)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The judgement over one tool turn.

    `message` is one line for people; `evidence` is the text or event it rests on.
    `reset_at` (UTC, seconds since the epoch) is when a rate limit ends, None when not stated.
    `partial` is set on a failure that left a diff behind.
    """

    kind: OutcomeKind
    message: str = ""
    evidence: str = ""
    reset_at: float | None = None
    partial: bool = False

    @property
    def ok(self) -> bool:
        """Tell whether the tool did its work (with or without a change)."""
        return self.kind in (OutcomeKind.EDITED, OutcomeKind.NO_CHANGE)
