"""What turns used, added up: unknown amounts stay visible and are never taken for nothing."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.model.progress import DaySpent, Usage
from penstock.model.records import Cost
from penstock.model.settings import DayLimits
from penstock.model.times import iso
from penstock.store.api import Journal

DAY_S = 86_400


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


def spent_today(journal: Journal, caps: DayLimits, now: float) -> DaySpent | None:
    """Return what all runs have spent since midnight (UTC); None where a day has no cap."""
    if caps.max_cost_usd is None and caps.max_tokens is None:
        return None
    midnight = iso(now // DAY_S * DAY_S)
    spent = journal.spent(since=midnight)
    return DaySpent(
        day=midnight[:10],
        cost_usd=round(spent.cost_usd, 6),
        tokens=spent.input_tokens + spent.output_tokens,
        unpriced=spent.unpriced,
        max_cost_usd=caps.max_cost_usd,
        max_tokens=caps.max_tokens,
    )


def _known(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
