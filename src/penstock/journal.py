"""The documented functions over the journal: dicts out, ISO times, JSON columns decoded.

They work on the database that the configuration resolves to (PIPELINE_DB_PATH, `db` in
config/pipeline.yaml, `state/pipeline.db`), or on `db_path`. Each call opens the journal, writes in
one transaction and closes it again. Changes of state obey the same tables as penstock's own; a
run that a process works on is refused (ClaimLostError).

Aliases: run status `in_progress` is running; attempt status `success` and `completed` are
succeeded, `error` is failed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from penstock.errors import InvalidTransitionError, NotFoundError, UsageError
from penstock.model.records import NewAttempt
from penstock.model.states import (
    ATTEMPT_ALIASES,
    RUN_ALIASES,
    WORKSTREAM_MOVES,
    AttemptState,
    RunState,
    WorkstreamState,
    advance,
)
from penstock.model.times import iso, seconds

if TYPE_CHECKING:
    import sqlite3

    from penstock.store.api import DocumentedJournal

Place = str | os.PathLike[str] | None
Row = dict[str, Any]
S = TypeVar("S", bound=Enum)

__all__ = [
    "create_run",
    "create_workstream",
    "get_connection",
    "get_error_context",
    "get_errors",
    "get_events",
    "get_run",
    "get_step_attempts",
    "get_workstream",
    "get_workstreams_for_run",
    "init_db",
    "list_runs",
    "record_error",
    "record_event",
    "record_step_attempt",
    "save_error_context",
    "update_run_status",
    "update_workstream_status",
    "validate_state_transition",
]


# -- the database ------------------------------------------------------------------------------
def init_db(db_path: Place = None, schema_path: Place = None) -> Path:
    """Make the database, or bring it up to date; return its path. Safe to repeat.

    `schema_path` (else PIPELINE_SCHEMA_PATH) is an SQL file of your own for an empty database.
    Raises JournalError, JournalSchemaError, ConfigError.
    """
    from penstock.wiring import open_workspace

    with open_workspace(db=_option(db_path)) as workspace:
        workspace.init_database(_option(schema_path))
        return workspace.database


def get_connection(db_path: Place = None) -> sqlite3.Connection:
    """Return a connection of your own: foreign keys on, rows by name; commit and close it yourself.

    Raises JournalError, ConfigError.
    """
    from penstock.wiring import open_workspace

    with open_workspace(db=_option(db_path)) as workspace:
        return workspace.connection()


# -- runs --------------------------------------------------------------------------------------
def create_run(
    run_id: str,
    status: str = "pending",
    metadata: Mapping[str, Any] | None = None,
    *,
    db_path: Place = None,
) -> Row:
    """Add a run. Raises UsageError when the id is taken."""
    state = state_named(RunState, status, RUN_ALIASES)
    with _journal(db_path) as journal:
        return as_row(journal.create_run(run_id, status=state, metadata=metadata))


def get_run(run_id: str, *, db_path: Place = None) -> Row:
    """Return a run. Raises NotFoundError, a ValueError."""
    with _journal(db_path) as journal:
        return as_row(journal.get_run(run_id))


def update_run_status(run_id: str, status: str, *, db_path: Place = None) -> Row:
    """Move a run to a state. Raises InvalidTransitionError, a ValueError; NotFoundError."""
    state = state_named(RunState, status, RUN_ALIASES)
    with _journal(db_path) as journal:
        return as_row(journal.move_run(run_id, state))


def list_runs(
    status: str | None = None, limit: int = 100, offset: int = 0, *, db_path: Place = None
) -> list[Row]:
    """Return runs, newest first."""
    state = None if status is None else state_named(RunState, status, RUN_ALIASES)
    with _journal(db_path) as journal:
        return [as_row(run) for run in journal.list_runs(status=state, limit=limit, offset=offset)]


# -- workstreams -------------------------------------------------------------------------------
def create_workstream(
    ws_id: str,
    run_id: str,
    status: str = "pending",
    depends_on: Sequence[str] = (),
    metadata: Mapping[str, Any] | None = None,
    *,
    db_path: Place = None,
) -> Row:
    """Add a workstream to a run, or return the one that is there. Raises NotFoundError."""
    state = state_named(WorkstreamState, status)
    with _journal(db_path) as journal:
        return as_row(
            journal.add_workstream(
                run_id, ws_id, status=state, depends_on=tuple(depends_on or ()), metadata=metadata
            )
        )


def get_workstream(ws_id: str, run_id: str | None = None, *, db_path: Place = None) -> Row:
    """Return a workstream, of the newest run that holds it unless told. Raises NotFoundError."""
    with _journal(db_path) as journal:
        return as_row(journal.get_workstream(run_id or _newest_run(journal, ws_id), ws_id))


def get_workstreams_for_run(run_id: str, *, db_path: Place = None) -> list[Row]:
    """Return the workstreams of a run, sorted by id."""
    with _journal(db_path) as journal:
        return [as_row(ws) for ws in journal.list_workstreams(run_id)]


def update_workstream_status(
    ws_id: str, status: str, run_id: str | None = None, *, db_path: Place = None
) -> Row:
    """Move a workstream to a state. Raises InvalidTransitionError, a ValueError; NotFoundError."""
    state = state_named(WorkstreamState, status)
    with _journal(db_path) as journal:
        run = run_id or _newest_run(journal, ws_id)
        return as_row(journal.move_workstream(run, ws_id, state))


def validate_state_transition(from_state: str, to_state: str) -> bool:
    """Return True when a workstream may move so (or stays). Raises InvalidTransitionError."""
    advance(
        WORKSTREAM_MOVES,
        state_named(WorkstreamState, from_state),
        state_named(WorkstreamState, to_state),
    )
    return True


# -- attempts, errors, events ------------------------------------------------------------------
def record_step_attempt(
    run_id: str,
    ws_id: str,
    step_name: str,
    outcome: str | None = None,
    started_at: str | datetime | None = None,
    completed_at: str | datetime | None = None,
    result: Mapping[str, Any] | None = None,
    *,
    status: str | None = None,
    db_path: Place = None,
) -> Row:
    """Record an attempt of a step; its number is the next one of that step.

    `outcome` and `status` are two names for the same; times are ISO-8601, now when missing.
    Raises NotFoundError, UsageError.
    """
    given = outcome if outcome is not None else status
    if given is None or (status is not None and status != given):
        raise UsageError("record_step_attempt needs one status, as `outcome` or as `status`")
    state = state_named(AttemptState, given, ATTEMPT_ALIASES)
    intent = NewAttempt(
        run_id=run_id, ws_id=ws_id, step_name=step_name, attempt=0, result=dict(result or {})
    )
    times = {"started_at": _time(started_at), "completed_at": _time(completed_at)}
    with _journal(db_path) as journal:
        return as_row(journal.record_attempt(intent, state, **times))


def get_step_attempts(
    run_id: str,
    ws_id: str | None = None,
    step_name: str | None = None,
    *,
    db_path: Place = None,
) -> list[Row]:
    """Return the attempts of a run in the order in which they began."""
    with _journal(db_path) as journal:
        return [as_row(a) for a in journal.list_attempts(run_id, ws_id, step_name=step_name)]


def record_error(
    error_code: str,
    signature: str,
    message: str,
    run_id: str | None = None,
    ws_id: str | None = None,
    step_name: str | None = None,
    context: Mapping[str, Any] | None = None,
    *,
    db_path: Place = None,
) -> Row:
    """Record an error; the same one of the same step again counts one more."""
    with _journal(db_path) as journal:
        return as_row(
            journal.record_error(
                error_code=error_code,
                signature=signature,
                message=message,
                run_id=run_id or _run_if_any(journal, ws_id),
                ws_id=ws_id,
                step_name=step_name,
                context=context,
            )
        )


def get_errors(run_id: str, ws_id: str | None = None, *, db_path: Place = None) -> list[Row]:
    """Return the errors of a run."""
    with _journal(db_path) as journal:
        return [as_row(error) for error in journal.list_errors(run_id, ws_id)]


def record_event(
    event_type: str,
    run_id: str | None = None,
    ws_id: str | None = None,
    payload: Mapping[str, Any] | None = None,
    *,
    db_path: Place = None,
) -> Row:
    """Append an event of any type."""
    with _journal(db_path) as journal:
        run = run_id or _run_if_any(journal, ws_id)
        return as_row(journal.record_event(event_type, run_id=run, ws_id=ws_id, payload=payload))


def get_events(
    run_id: str | None = None,
    ws_id: str | None = None,
    event_type: str | None = None,
    limit: int = 100,
    *,
    db_path: Place = None,
) -> list[Row]:
    """Return events, newest first."""
    with _journal(db_path) as journal:
        found = journal.list_events(
            run_id=run_id, ws_id=ws_id, event_type=event_type, limit=limit, newest_first=True
        )
        return [as_row(event) for event in found]


# -- the error pipeline ------------------------------------------------------------------------
def save_error_context(
    run_id: str, ws_id: str, context: Mapping[str, Any], *, db_path: Place = None
) -> Row:
    """Keep the error pipeline's state for a workstream, replacing the last one."""
    with _journal(db_path) as journal:
        return as_row(journal.save_error_context(run_id, ws_id, context))


def get_error_context(run_id: str, ws_id: str, *, db_path: Place = None) -> Row | None:
    """Return the error pipeline's state for a workstream (`context` is what was saved), or None."""
    with _journal(db_path) as journal:
        found = journal.get_error_context(run_id, ws_id)
        return None if found is None else as_row(found)


# -- what they share ---------------------------------------------------------------------------
@contextmanager
def _journal(db_path: Place) -> Iterator[DocumentedJournal]:
    """Open the journal for one call."""
    from penstock.wiring import open_workspace

    with open_workspace(db=_option(db_path)) as workspace:
        yield workspace.open_journal()


def _option(db_path: Place) -> str | None:
    """Return a path as an option would hold it; a relative one counts from here."""
    if db_path is None or "://" in str(db_path):
        return None if db_path is None else str(db_path)
    return str(Path(db_path).absolute())


def as_row(record: msgspec.Struct) -> Row:
    """Return a record as a dict of what JSON knows."""
    plain: Row = msgspec.to_builtins(record)
    return {key: list(v) if isinstance(v, tuple) else v for key, v in plain.items()}


def state_named(kind: type[S], text: str, aliases: Mapping[str, str] | None = None) -> S:
    """Return the state that a text names. Raises InvalidTransitionError."""
    try:
        return kind((aliases or {}).get(text, text))
    except ValueError:
        known = ", ".join(str(state.value) for state in kind)
        raise InvalidTransitionError(f"unknown state {text!r} (known: {known})") from None


def _time(value: str | datetime | None) -> str | None:
    """Return a time as the journal writes it. Raises UsageError."""
    if value is None:
        return None
    try:
        return iso(seconds(value if isinstance(value, str) else value.isoformat()))
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{value!r} is no ISO-8601 time: {error}") from error


def _newest_run(journal: DocumentedJournal, ws_id: str) -> str:
    """Return the newest run that holds a workstream. Raises NotFoundError."""
    run_id = _run_if_any(journal, ws_id)
    if run_id is None:
        raise NotFoundError(f"there is no workstream {ws_id!r} in any run")
    return run_id


def _run_if_any(journal: DocumentedJournal, ws_id: str | None) -> str | None:
    """Return the newest run that holds a workstream, or None."""
    found = None if ws_id is None else journal.find_workstream(ws_id)
    return None if found is None else found.run_id
