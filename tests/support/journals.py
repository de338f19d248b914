"""Journals to test with: a clock that steps, a run with workstreams, and what a database holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from penstock.model.records import Attempt, Cost, Event, NewAttempt
from penstock.model.states import AttemptState
from penstock.store.api import DocumentedJournal

RUN, WS = "run-1", "ws-a"
START = 1_700_000_000.0


class StepClock:
    """A clock that goes on one second with each look."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def seed(journal: DocumentedJournal, *workstreams: str, run_id: str = RUN) -> None:
    """Add a run with workstreams (by default one)."""
    journal.create_run(run_id)
    for ws_id in workstreams or (WS,):
        journal.add_workstream(run_id, ws_id)


def intent(step: str = "edit", attempt: int = 1, *, ws_id: str = WS) -> NewAttempt:
    """The intent of an attempt."""
    return NewAttempt(run_id=RUN, ws_id=ws_id, step_name=step, attempt=attempt, marker="m-1")


def one_step(journal: DocumentedJournal, number: int, *, ws_id: str = WS) -> Attempt:
    """Record one attempt with its outcome."""
    begun = journal.begin_attempt(intent(attempt=number, ws_id=ws_id))
    return journal.finish_attempt(begun.id, AttemptState.SUCCEEDED, exit_code=0)


def cost(*, input_tokens: int | None = None, actual_cost_usd: float | None = None) -> Cost:
    """A cost of which only some is known."""
    return Cost(
        run_id=RUN,
        ws_id=WS,
        step_attempt_id=None,
        model_name=None,
        input_tokens=input_tokens,
        output_tokens=None,
        estimated_cost_usd=None,
        actual_cost_usd=actual_cost_usd,
        timestamp="2026-01-01T00:00:00Z",
    )


def types(events: Sequence[Event]) -> list[str]:
    """The types of events, in their order."""
    return [event.event_type for event in events]


def sql(path: Path, *scripts: str) -> None:
    """Change a database behind the journal's back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys=ON")
        for script in scripts:
            connection.execute(script)


def ask(path: Path, query: str) -> list[tuple[object, ...]]:
    """Look into a database behind the journal's back."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def intact(path: Path) -> bool:
    """Tell whether SQLite finds no fault in a database, foreign keys included."""
    faults = ask(path, "PRAGMA foreign_key_check")
    return ask(path, "PRAGMA integrity_check") == [("ok",)] and not faults
