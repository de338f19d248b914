"""The journal's money and tokens: what is spent, what is reserved, and whether a turn still fits.

A turn is reserved in the transaction that writes its intent, so two processes cannot both take what
is left; it is settled in the transaction that writes its outcome. Money is compared in billionths of
a USD, whole numbers, so that sums do not drift.
"""

from __future__ import annotations

import math
import sqlite3
from typing import Final

import msgspec

from penstock.errors import BudgetExceeded, UsageError
from penstock.model.records import Attempt, Cap, Cost, NewAttempt, Reservation, Spent
from penstock.model.states import AttemptState
from penstock.model.times import iso, seconds
from penstock.store.base import Base, Transaction
from penstock.typed import typed

NANO: Final = 1_000_000_000
SCOPES: Final = ("workstream", "run", "day")
_ROW_LIMIT_USD: Final = 1e6  # as in cost_amounts: what one turn may add to a sum
_ROW_LIMIT_TOKENS: Final = 10**12
_DAY_S = 86_400.0
_CUT_SHORT: Final = frozenset({AttemptState.UNKNOWN, AttemptState.CANCELED})


class BudgetStore(Base):
    """The part of the journal about what is spent."""

    def spent(
        self, *, run_id: str | None = None, ws_id: str | None = None, since: str | None = None
    ) -> Spent:
        """Return what was spent and what is reserved: by a run, a workstream of it, or by all.

        `since` (an ISO time) leaves out what was settled before, and what was reserved more than a
        day before. A cost that a tool reported beats a computed one. Raises UsageError when
        `since` is no time.
        """
        name, parameters = _sums(run_id, ws_id, since, self._clock())
        return _spent(self._db.rows(name, **parameters)[0])


def require_room(tx: Transaction, intent: NewAttempt, reservation: Reservation) -> None:
    """See that a turn fits under every cap, with all that is spent and reserved.

    An amount that is not known needs room for anything at all. Raises BudgetExceeded naming the
    first cap that does not hold, UsageError when an amount is no amount.
    """
    _require_amount(reservation.cost_usd, _ROW_LIMIT_USD)
    _require_amount(reservation.tokens, _ROW_LIMIT_TOKENS)
    for cap in reservation.caps:
        _require_amount(cap.max_cost_usd, None)
        _require_amount(cap.max_tokens, None)
        _require_under(_spent(_counted(tx, intent, cap)), cap, reservation, intent.run_id)


def reserve(tx: Transaction, attempt: Attempt, reservation: Reservation) -> None:
    """Keep a reservation until its attempt is over."""
    tx.run(
        "budgets.reserve",
        attempt_id=attempt.id,
        run_id=attempt.run_id,
        ws_id=attempt.ws_id,
        tokens=reservation.tokens,
        cost_usd=reservation.cost_usd,
    )


def settle(
    tx: Transaction, attempt: Attempt, status: AttemptState, cost: Cost | None
) -> Cost | None:
    """Give up the reservation of an attempt that ends, and return what it cost.

    What was reserved stands in, as an estimate, for a cost that nobody knows: of an attempt that was
    lost or canceled, or whose tool did not tell. It may well have been spent, and a cap must never
    be passed because nobody knows.
    """
    row = tx.row("budgets.reserved", attempt_id=attempt.id)
    if row is None:
        return cost
    tx.run("budgets.free", attempt_id=attempt.id)
    if cost is not None:
        is_known = cost.actual_cost_usd is not None or cost.estimated_cost_usd is not None
        return (
            cost if is_known else msgspec.structs.replace(cost, estimated_cost_usd=row["cost_usd"])
        )
    if status not in _CUT_SHORT:
        return None
    return Cost(
        run_id=attempt.run_id,
        ws_id=attempt.ws_id,
        step_attempt_id=attempt.id,
        model_name=None,
        input_tokens=row["tokens"],
        output_tokens=None,
        estimated_cost_usd=row["cost_usd"],
        actual_cost_usd=None,
        timestamp=tx.now,
    )


def _counted(tx: Transaction, intent: NewAttempt, cap: Cap) -> sqlite3.Row:
    """Return what counts towards a cap. Raises UsageError when nobody knows such a cap."""
    if cap.name not in SCOPES:
        raise UsageError(
            f"there is no budget of a {cap.name!r}", hint=f"one of {', '.join(SCOPES)}"
        )
    name, parameters = _sums(
        None if cap.name == "day" else intent.run_id,
        intent.ws_id if cap.name == "workstream" else None,
        cap.since,
        seconds(tx.now),
    )
    row: sqlite3.Row = tx.run(name, **parameters).fetchone()
    return row


def _sums(
    run_id: str | None, ws_id: str | None, since: str | None, now: float
) -> tuple[str, dict[str, str | None]]:
    """Return the query that adds up, and its parameters: totals, or what was settled since."""
    scope = {"run_id": run_id, "ws_id": ws_id}
    if since is None:
        return "budgets.of_all" if run_id is None else "budgets.of_run", scope
    return "budgets.since", scope | _span(since, now)


def _require_under(sums: Spent, cap: Cap, wanted: Reservation, run_id: str) -> None:
    """Raise BudgetExceeded when a turn does not fit under a cap."""
    tokens = sums.input_tokens + sums.output_tokens
    for unit, scale, spent, reserved, asked, limit in (
        ("usd", NANO, sums.cost_usd, sums.reserved_cost_usd, wanted.cost_usd, cap.max_cost_usd),
        ("tokens", 1, tokens, sums.reserved_tokens, wanted.tokens, cap.max_tokens),
    ):
        if limit is None or _fits(spent + reserved, asked, limit, scale):
            continue
        raise BudgetExceeded(
            cap.name,
            spent=spent,
            reserved=reserved,
            wanted=asked,
            limit=limit,
            unit=unit,
            hint=f"raise it in config/pipeline.yaml or the bundle, then `penstock resume {run_id}`",
        )


def _fits(used: float, asked: float | None, limit: float, scale: int) -> bool:
    """Tell whether an amount fits, in whole numbers; an unknown one does while anything is left."""
    room = round(limit * scale) - round(used * scale)
    return room > 0 if asked is None else round(asked * scale) <= room


def _require_amount(amount: float | None, most: float | None) -> None:
    """Raise UsageError unless an amount is unknown, or a number that can be added up."""
    if amount is None:
        return
    if not math.isfinite(amount) or amount < 0 or (most is not None and amount > most):
        raise UsageError(f"{amount!r} is no amount of money or tokens")


def _span(since: str, now: float) -> dict[str, str]:
    """Return from when until when costs count, spelled as the journal does, so that texts compare
    as times do.

    What was reserved a day before that still counts, because it will be settled now; what is older
    is of a run that died and that nobody goes on with. What a clock that ran ahead has dated days
    from now does not count towards every later day.
    """
    try:
        begin = seconds(since)
        return {
            "since": iso(begin),
            "held_since": iso(begin - _DAY_S),
            "until": iso(max(begin, now) + _DAY_S),
        }
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{since!r} is no ISO-8601 time") from error


def _spent(row: sqlite3.Row) -> Spent:
    values = dict(row)
    values["cost_usd"] = values.pop("nano_usd") / NANO
    values["reserved_cost_usd"] = values.pop("reserved_nano_usd") / NANO
    return typed(values, Spent)
