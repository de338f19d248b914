"""Budgets to test with: turns that reserve, what they settle at, and caps."""

from __future__ import annotations

from penstock.model.records import Attempt, Cap, Cost, NewAttempt, Reservation
from penstock.model.states import AttemptState
from penstock.store.api import DocumentedJournal
from tests.support.journals import RUN, WS


def caps(name: str = "run", *, usd: float | None = None, tokens: int | None = None) -> Cap:
    """One cap."""
    return Cap(name=name, max_cost_usd=usd, max_tokens=tokens)


def begin(
    journal: DocumentedJournal,
    *limits: Cap,
    usd: float | None = None,
    tokens: int | None = None,
    run_id: str = RUN,
    ws_id: str = WS,
) -> Attempt:
    """Begin a fix turn that reserves something under some caps."""
    number = len(journal.list_attempts(run_id, ws_id)) + 1
    return journal.begin_attempt(
        NewAttempt(run_id=run_id, ws_id=ws_id, step_name="fix", attempt=number),
        reservation=Reservation(tokens=tokens, cost_usd=usd, caps=limits),
    )


def settle(
    journal: DocumentedJournal,
    attempt: Attempt,
    *,
    usd: float | None = None,
    tokens: int | None = None,
    at: str = "2026-01-01T00:00:00.000000Z",
) -> Attempt:
    """End a turn with what it cost."""
    spent = Cost(
        run_id=attempt.run_id,
        ws_id=attempt.ws_id,
        step_attempt_id=attempt.id,
        model_name=None,
        input_tokens=tokens,
        output_tokens=None,
        estimated_cost_usd=None,
        actual_cost_usd=usd,
        timestamp=at,
    )
    return journal.finish_attempt(attempt.id, AttemptState.SUCCEEDED, cost=spent)
