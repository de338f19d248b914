"""Budgets at the moment of a turn: what it may come to is reserved before it starts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from penstock.breakers.budget import (
    Expected,
    History,
    budget_verdict,
    context_problem,
    reservation_of,
)
from penstock.breakers.decide import Spend
from penstock.engine.facts import settled, spend
from penstock.engine.job import Job, Waiting
from penstock.engine.pricing import price_of
from penstock.errors import BudgetExceeded
from penstock.model.events import EventType
from penstock.model.outcome import Usage
from penstock.model.records import Attempt, Cap, NewAttempt, Reservation, Spent
from penstock.model.settings import BudgetMode
from penstock.model.times import iso
from penstock.schedule.readiness import Reason
from penstock.tools.api import REPORTS_COST
from penstock.typed import typed

N = TypeVar("N", int, float)
WORKSTREAM = "workstream"
TRIES = 2
"""A turn that does not fit is tried so often at once, when those beside it have just ended."""
SETTLES_S = 3.0
"""When a turn that does not fit beside those under way is looked at again, in seconds."""


def context_problem_of(job: Job, prompt: str) -> str | None:
    """Return why a prompt is too long for any model, None when it is not."""
    window = job.services.settings.limits.context_tokens
    return context_problem(len(prompt), job.bundle.estimated_context_tokens, window)


def begin_turn(job: Job, intent: NewAttempt, prompt: str) -> Attempt:
    """Write the intent of a turn, and with it what the turn may come to.

    Raises BudgetExceeded when the workstream's own budget has no room for it, Waiting when that of
    the run or the day has none: then the run waits for the user's word.
    """
    journal, limits = job.services.journal, job.services.settings.limits
    caps = caps_of(job)
    if not caps or limits.budget_mode is BudgetMode.CONTINUE:
        return journal.begin_attempt(intent)
    history = _history(job)
    expected = reservation_of(
        len(prompt),
        price=price_of(job, job.turn_model),
        history=history,
        turn_tokens=limits.turn_tokens,
    )
    if expected.cost_usd is None and limits.budget_mode is BudgetMode.HALT:
        _require_price(job, caps, history)
    expected = _fitted(job, expected, history, caps)
    binding = caps if limits.budget_mode is BudgetMode.HALT else ()
    reservation = Reservation(tokens=expected.tokens, cost_usd=expected.cost_usd, caps=binding)
    return _begin(job, intent, reservation)


def _begin(job: Job, intent: NewAttempt, reservation: Reservation) -> Attempt:
    """Write the intent if it fits under the caps; what others settle meanwhile is seen."""
    begin = job.services.journal.begin_attempt
    for _ in range(TRIES):
        try:
            attempt = begin(intent, reservation=reservation)
        except BudgetExceeded as over:
            refused = over
            if not over.reserved or len(job.signals.turns()) > 1:
                break
        else:
            if job.row().reason == Reason.BUDGET:
                job.services.journal.set_workstream_reason(job.run_id, job.ws_id, None)
            return attempt
    raise _refused(job, refused) from refused


def _refused(job: Job, over: BudgetExceeded) -> BudgetExceeded | Waiting:
    """Return what a turn that does not fit under a cap comes to.

    While others are under way, what they have reserved may be more than what they will have used:
    that is waited for. Otherwise the budget of a workstream ends it, another one the whole run.
    """
    journal = job.services.journal
    if over.reserved and len(job.signals.turns()) > 1:
        until = job.services.clock() + SETTLES_S
        journal.set_workstream_reason(job.run_id, job.ws_id, Reason.BUDGET.value, until=iso(until))
        return Waiting(f"{job.ws_id} waits: {over}", kind=Reason.BUDGET, until=until)
    job.event(EventType.BUDGET_EXCEEDED, {"reason": str(over), "cap": over.cap})
    return over if over.cap == WORKSTREAM else _waiting(job, str(over))


def _fitted(job: Job, expected: Expected, history: History, caps: Sequence[Cap]) -> Expected:
    """Cut what is only a guess down to what is left of the caps: a guess refuses nothing."""
    if history.output_median is not None:
        return expected
    tokens, cost = float(expected.tokens), expected.cost_usd
    for cap in caps:
        spent = _spent(job, cap)
        used = spent.input_tokens + spent.output_tokens + spent.reserved_tokens
        if cap.max_tokens is not None and cap.max_tokens > used:
            tokens = min(tokens, cap.max_tokens - used)
        left = (cap.max_cost_usd or 0.0) - spent.cost_usd - spent.reserved_cost_usd
        if cost is not None and cap.max_cost_usd is not None and left > 0:
            cost = min(cost, left)
    return Expected(tokens=int(tokens), cost_usd=cost)


def caps_of(job: Job) -> tuple[Cap, ...]:
    """Return the limits that a turn must fit under: of its workstream, its run and today."""
    limits = job.services.settings.limits
    midnight = datetime.fromtimestamp(job.services.clock(), UTC).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    day = limits.per_day
    caps = (
        Cap(name=WORKSTREAM, max_cost_usd=job.bundle.max_cost_usd),
        Cap(name="run", max_cost_usd=job.max_cost_usd, max_tokens=limits.max_tokens),
        Cap(
            name="day",
            max_cost_usd=day.max_cost_usd,
            max_tokens=day.max_tokens,
            since=iso(midnight.timestamp()),
        ),
    )
    return tuple(c for c in caps if c.max_cost_usd is not None or c.max_tokens is not None)


def _require_price(job: Job, caps: Sequence[Cap], history: History) -> None:
    """Refuse a turn of unknown price under a limit on money, unless that is allowed.

    A tool that says itself what a turn has cost is fine before its first one, and after that as
    long as it did say so.
    """
    if job.services.settings.limits.allow_unpriced:
        return
    money = [cap for cap in caps if cap.max_cost_usd is not None]
    has_not_said = history.output_median is not None and history.cost_median is None
    if not money or (job.tool_id in REPORTS_COST and not has_not_said):
        return
    reason = (
        f"{job.tool_id} has no known price, so the limit of {money[0].max_cost_usd:.2f} USD for the "
        f"{money[0].name} cannot hold: add it or its model to prices in config/pipeline.yaml, or "
        "set limits.allow_unpriced"
    )
    job.event(EventType.BUDGET_EXCEEDED, {"reason": reason, "cap": money[0].name})
    raise _waiting(job, reason)


def _waiting(job: Job, reason: str) -> Waiting:
    job.services.journal.set_workstream_reason(job.run_id, job.ws_id, Reason.BUDGET.value)
    return Waiting(
        f"{job.ws_id} waits: {reason}",
        kind=Reason.BUDGET,
        whole_run=True,
        hint=f"raise the limit (config/pipeline.yaml, or --max-cost-usd), then: "
        f"penstock resume {job.run_id}",
    )


def _history(job: Job) -> History:
    """Return what earlier turns of the job's tool in this run used."""
    attempts = job.services.journal.list_attempts(job.run_id)
    usages = [
        typed(a.result["usage"], Usage)
        for a in attempts
        if a.tool_id == job.tool_id and a.result.get("usage")
    ]
    given = sorted(u.input_tokens for u in usages if u.input_tokens is not None)
    output = sorted(u.output for u in usages if u.output is not None)
    costs = sorted(u.cost_usd for u in usages if u.cost_usd is not None)
    return History(
        input_median=_at(given, 0.5),
        input_p90=_at(given, 0.9),
        output_median=_at(output, 0.5),
        output_p90=_at(output, 0.9),
        cost_median=_at(costs, 0.5),
        cost_p90=_at(costs, 0.9),
    )


def _at(values: Sequence[N], share: float) -> N | None:
    """Return the value below which a share of the sorted values lies."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else None


def spend_of(job: Job) -> Spend:
    """Return what a workstream has used so far, for its breakers."""
    costs = job.services.journal.list_costs(job.run_id, job.ws_id)
    used = spend(job.history(), settled(costs, job.attempts()))
    is_allowed = job.services.settings.limits.allow_unpriced
    return msgspec.structs.replace(used, unpriced=0) if is_allowed else used


def warn(job: Job) -> None:
    """Record once for each limit that most of it is used up, or all of it where that may be."""
    caps = caps_of(job)
    if caps and job.services.settings.limits.budget_mode is not BudgetMode.CONTINUE:
        with job.signals.telling:
            _warn(job, caps)


def _warn(job: Job, caps: Sequence[Cap]) -> None:
    journal, mode = job.services.journal, job.services.settings.limits.budget_mode
    told = {
        event.payload.get("cap")
        for event in journal.list_events(
            run_id=job.run_id, event_type=EventType.BUDGET_WARNING, limit=1000
        )
    }
    for cap in caps:
        spent = _spent(job, cap)
        verdicts = (
            budget_verdict(spent.cost_usd, cap.max_cost_usd, mode, name=f"the {cap.name}"),
            budget_verdict(
                spent.input_tokens + spent.output_tokens,
                cap.max_tokens,
                mode,
                name=f"the {cap.name}",
                unit="tokens",
            ),
        )
        for verdict in verdicts:
            name = f"{cap.name}:{job.ws_id if cap.name == WORKSTREAM else ''}:{verdict.level.value}"
            if verdict.message and name not in told:
                job.event(EventType.BUDGET_WARNING, {"reason": verdict.message, "cap": name})


def _spent(job: Job, cap: Cap) -> Spent:
    spent = job.services.journal.spent
    if cap.name == WORKSTREAM:
        return spent(run_id=job.run_id, ws_id=job.ws_id)
    return spent(run_id=job.run_id) if cap.name == "run" else spent(since=cap.since)
