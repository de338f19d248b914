"""What turns used, added up: unknown amounts stay visible and are never taken for nothing."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.model.progress import Usage
from penstock.model.records import Cost


def amount_of(cost: Cost) -> float | None:
    """Return what a turn cost (USD): the reported amount beats the computed one."""
    return cost.actual_cost_usd if cost.actual_cost_usd is not None else cost.estimated_cost_usd


def usage_of(costs: Iterable[Cost]) -> Usage:
    """Add up the costs of turns."""
    rows = list(costs)
    amounts = [amount for row in rows if (amount := amount_of(row)) is not None]
    return Usage(
        turns=len(rows),
        input_tokens=_known(row.input_tokens for row in rows),
        output_tokens=_known(row.output_tokens for row in rows),
        cost_usd=round(sum(amounts), 6) if amounts else None,
        unpriced=len(rows) - len(amounts),
    )


def _known(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
