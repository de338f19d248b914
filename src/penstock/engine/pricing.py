"""What a turn cost: as the tool reported it, else from the price table, else unknown."""

from __future__ import annotations

import msgspec

from penstock.engine.job import Job
from penstock.model.outcome import OutcomeKind, Usage
from penstock.model.records import Cost
from penstock.model.settings import Price
from penstock.tools.api import ALIASES

UNCHARGED = frozenset(
    {
        OutcomeKind.RATE_LIMITED,
        OutcomeKind.OVERLOADED,
        OutcomeKind.QUOTA,
        OutcomeKind.AUTH,
        OutcomeKind.NOT_INSTALLED,
        OutcomeKind.CANCELED,
    }
)
"""Outcomes of turns that tell nothing of their use when there was none, or none to be told."""


def estimate(usage: Usage, price: Price | None) -> float | None:
    """Return the cost in USD by the table (USD per 1000 tokens), None when it cannot be known."""
    if price is None or usage.input_uncached is None or usage.output is None:
        return None
    read = price.input if price.cache_read is None else price.cache_read
    write = price.input if price.cache_write is None else price.cache_write
    total = (
        usage.input_uncached * price.input
        + (usage.cache_read or 0) * read
        + (usage.cache_write or 0) * write
        + usage.output * price.output
    )
    return total / 1000


def price_of(job: Job, model: str | None) -> Price | None:
    """Return the price of a model, else of the job's tool, None when the settings have neither."""
    prices = job.services.settings.prices
    by_tool = {ALIASES.get(name, name): price for name, price in prices.items()}
    return prices.get(model or "") or by_tool.get(job.tool_id)


def turn_cost(
    job: Job, attempt_id: int, usage: Usage, kind: OutcomeKind, timestamp: str
) -> Cost | None:
    """Return the row of cost_tracking for one turn; None for one that told nothing of its use
    because it was turned away before it began, or was canceled before it could tell."""
    told = (usage.input_tokens, usage.output, usage.cost_usd)
    if kind in UNCHARGED and all(amount is None for amount in told):
        return None
    model = usage.model or job.turn_model
    told_by = msgspec.structs.replace(usage, model=model)
    row = (job.run_id, job.ws_id, attempt_id)
    return cost_row(row, told_by, price_of(job, model), timestamp)


def cost_row(row: tuple[str, str, int], usage: Usage, price: Price | None, timestamp: str) -> Cost:
    """Return the row of cost_tracking for the use that an attempt (run, workstream, id) told."""
    run_id, ws_id, attempt_id = row
    return Cost(
        run_id=run_id,
        ws_id=ws_id,
        step_attempt_id=attempt_id,
        model_name=usage.model,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output,
        estimated_cost_usd=estimate(usage, price),
        actual_cost_usd=usage.cost_usd,
        timestamp=timestamp,
    )
