"""What a turn may come to before it starts, and how far a budget is used up."""

from __future__ import annotations

import math
from enum import StrEnum

import msgspec

from penstock.model.settings import BudgetMode, Price

TOKENS_PER_CHARACTER = 0.25
WARN_AT = 0.8
"""The share of a budget at which a warning is due."""
UNKNOWN_OUTPUT = 4096
"""Tokens of output that are reserved for a tool that nothing is known of."""
OUTLIER = 4
"""How many medians a ninth decile may count for: one turn that ran away must not stop a run."""


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What earlier turns of a tool used, by median and ninth decile; None = not known.

    Tokens of input count cached ones too. The costs are those that the tool itself reported (USD).
    """

    input_median: int | None = None
    input_p90: int | None = None
    output_median: int | None = None
    output_p90: int | None = None
    cost_median: float | None = None
    cost_p90: float | None = None


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What a turn may come to. `cost_usd` None means that it has no known price."""

    tokens: int
    cost_usd: float | None


class Level(StrEnum):
    """How far a budget is used up."""

    OK = "ok"
    WARN = "warn"
    OVER = "over"


class BudgetVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """How a budget stands. `message` is empty when there is nothing to say; `stops`: nothing may
    start any more.
    """

    level: Level
    message: str = ""
    stops: bool = False


def estimate_tokens(chars: int) -> int:
    """Return about how many tokens a text of so many characters has, a quarter of them."""
    return math.ceil(max(0, chars) * TOKENS_PER_CHARACTER)


def context_problem(prompt_chars: int, bundle_estimate: int | None, window: int) -> str | None:
    """Return why a prompt will not fit into a tool's window (tokens), None when it may.

    `bundle_estimate` is what the bundle says of its context in tokens; the larger one counts.
    """
    prompt = estimate_tokens(prompt_chars)
    if prompt > window:
        return f"the prompt has about {prompt} tokens, the tool takes {window}"
    if bundle_estimate is not None and bundle_estimate > window:
        return f"the bundle estimates {bundle_estimate} tokens of context, the tool takes {window}"
    return None


def reservation_of(
    prompt_chars: int,
    *,
    price: Price | None = None,
    history: History | None = None,
    turn_tokens: int | None = None,
) -> Expected:
    """Return the tokens and the cost to reserve for a turn.

    The history of the tool goes before `turn_tokens` (the configured guess for a whole turn), and
    that before the prompt with UNKNOWN_OUTPUT. Of the history the ninth decile counts, up to
    OUTLIER medians. A cost that the tool reports goes before one by `price` (USD per 1000 tokens).
    """
    known = history or History()
    given = max(estimate_tokens(prompt_chars), _usual(known.input_median, known.input_p90) or 0)
    output = _usual(known.output_median, known.output_p90)
    if output is None:
        output = UNKNOWN_OUTPUT if turn_tokens is None else max(0, turn_tokens - given)
    return _expected(math.ceil(given), math.ceil(output), price, known)


def budget_verdict(
    spent: float,
    cap: float | None,
    mode: BudgetMode = BudgetMode.HALT,
    *,
    name: str = "the run",
    unit: str = "USD",
) -> BudgetVerdict:
    """Judge what was spent of a cap (None = no limit): warn at WARN_AT, over when nothing is left.

    `name` says whose budget it is and `unit` what is counted, for the message.
    """
    if cap is None or spent < WARN_AT * cap:
        return BudgetVerdict(level=Level.OK)
    level = Level.OVER if spent >= cap else Level.WARN
    if mode is BudgetMode.CONTINUE:
        return BudgetVerdict(level=level)
    used = f"{name} has used {_amount(spent, unit)} of {_amount(cap, unit)}"
    if level is Level.WARN:
        return BudgetVerdict(level=level, message=f"{used} ({spent / cap:.0%})")
    stops = mode is BudgetMode.HALT
    words = "nothing more is started" if stops else "it goes on, by limits.budget_mode"
    return BudgetVerdict(level=level, message=f"{used}: {words}", stops=stops)


def _usual(median: float | None, p90: float | None) -> float | None:
    """Return the ninth decile without outliers, the median where there is none."""
    if median is None or p90 is None:
        return median if p90 is None else p90
    return min(p90, OUTLIER * median) if median > 0 else p90


def _expected(given: int, output: int, price: Price | None, known: History) -> Expected:
    cost = _usual(known.cost_median, known.cost_p90)
    if cost is None and price is not None:
        cost = (given * price.input + output * price.output) / 1000
    return Expected(tokens=given + output, cost_usd=cost)


def _amount(value: float, unit: str) -> str:
    return f"{value:.2f} {unit}" if unit == "USD" else f"{value:.0f} {unit}"
