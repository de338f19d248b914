"""The journal's attempts: the intent before the deed, the outcome after it, and its cost."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from penstock.errors import NotFoundError, UsageError
from penstock.model.events import EventType
from penstock.model.records import Attempt, Cost, NewAttempt, Reservation
from penstock.model.states import ATTEMPT_MOVES, AttemptState, advance
from penstock.model.times import iso, seconds
from penstock.store.base import Base, Transaction, missing_workstream
from penstock.store.budgets import require_room, reserve, settle
from penstock.store.codec import from_row, to_json

_OVER = frozenset(AttemptState) - {AttemptState.PENDING, AttemptState.RUNNING}
JUMP_S = 60.0
"""How far (s) the clock may part from the time that passes before it is taken to have jumped."""


class AttemptStore(Base):
    """The part of the journal about attempts and what they cost."""

    def begin_attempt(
        self, intent: NewAttempt, *, reservation: Reservation | None = None
    ) -> Attempt:
        """Write the intent: a running attempt (events step_start, step_started).

        With a reservation, what is spent, what is reserved and this attempt must fit under every
        cap together; what it reserves is kept until the attempt is over. Raises BudgetExceeded,
        UsageError when that attempt of the step is recorded already, NotFoundError when the run
        has no such workstream, ClaimLostError.
        """
        with self._write(intent.run_id) as tx:
            if reservation is not None:
                require_room(tx, intent, reservation)
            attempt = self._insert(tx, intent, AttemptState.RUNNING, tx.now, None)
            if reservation is not None:
                reserve(tx, attempt, reservation)
            self._begun[attempt.id] = time.monotonic()
            return attempt

    def note_process(self, attempt_id: int, pid: int, start: int) -> None:
        """Record which process does an attempt that runs; a later one replaces it.

        `start` is its start time as process.identity gives it. The disk is not waited for: a power
        cut ends the process as well. Raises UsageError when the attempt is over, NotFoundError,
        ClaimLostError.
        """
        with self._write(synced=False) as tx:
            attempt = self._require_attempt(tx, attempt_id)
            self._fence(tx, attempt.run_id)
            if attempt.status is not AttemptState.RUNNING:
                raise UsageError(f"attempt {attempt_id} is {attempt.status.value}, not running")
            tx.run("attempts.note_process", id=attempt_id, pid=pid, pid_start=start)

    def record_attempt(
        self,
        intent: NewAttempt,
        status: AttemptState,
        *,
        started_at: str | None = None,
        completed_at: str | None = None,
    ) -> Attempt:
        """Write an attempt that somebody else made, in whatever state it is, with its events.

        `intent.attempt` 0 takes the next number. Times that are missing become now.
        """
        with self._write(intent.run_id) as tx:
            if intent.attempt == 0:
                key = {"run_id": intent.run_id, "ws_id": intent.ws_id}
                row = tx.row("attempts.next_attempt", step_name=intent.step_name, **key)
                intent = msgspec.structs.replace(intent, attempt=row["attempt"] if row else 1)
            end = (completed_at or tx.now) if status in _OVER else completed_at
            attempt = self._insert(tx, intent, status, started_at or tx.now, end)
            if status in _OVER:
                self._tell_end(tx, attempt)
            return attempt

    def _insert(
        self,
        tx: Transaction,
        intent: NewAttempt,
        status: AttemptState,
        started_at: str,
        completed_at: str | None,
    ) -> Attempt:
        """Insert the row of an attempt and tell that it began."""
        values = msgspec.structs.asdict(intent)
        values["result_json"] = to_json(values.pop("result"))
        try:
            cursor = tx.run(
                "attempts.insert",
                status=status.value,
                started_at=started_at,
                completed_at=completed_at,
                **values,
            )
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
                raise missing_workstream(intent.run_id, intent.ws_id) from error
            raise UsageError(
                f"attempt {intent.attempt} of {intent.step_name} of {intent.ws_id} is recorded"
                f" already ({error})"
            ) from error
        attempt = self._require_attempt(tx, cursor.lastrowid or 0)
        self._tell_start(tx, attempt)
        return attempt

    def finish_attempt(
        self,
        attempt_id: int,
        status: AttemptState,
        *,
        exit_code: int | None = None,
        error_signature: str | None = None,
        diff_hash: str | None = None,
        result: Mapping[str, Any] | None = None,
        head_commit: str | None = None,
        cost: Cost | None = None,
    ) -> Attempt:
        """Write the outcome (events step_end, step_completed), in one transaction with `head_commit`
        of the workstream and the row in cost_tracking.

        `result` is laid over what the intent held, key by key. What the attempt had reserved is
        given up; it is taken as the estimated cost where that is not known, and where an attempt that
        is unknown or canceled has none. When the clock was
        set meanwhile, or the machine slept, completed_at says how long the attempt took. Raises InvalidTransitionError when
        the attempt is over with another status, NotFoundError, ClaimLostError.
        """
        with self._write() as tx:
            attempt = self._require_attempt(tx, attempt_id)
            self._fence(tx, attempt.run_id)
            if not advance(ATTEMPT_MOVES, attempt.status, status):
                return attempt
            tx.run(
                "attempts.finish",
                id=attempt_id,
                status=status.value,
                exit_code=exit_code,
                error_signature=error_signature,
                diff_hash=diff_hash,
                completed_at=self._end_of(attempt, tx.now),
                result_json=to_json({**attempt.result, **(result or {})}),
            )
            key = {"run_id": attempt.run_id, "ws_id": attempt.ws_id}
            if head_commit is not None:
                tx.run("attempts.set_head", head_commit=head_commit, **key)
            cost = settle(tx, attempt, status, cost)
            if cost is not None:
                spent = msgspec.structs.asdict(cost) | key | {"step_attempt_id": attempt_id}
                tx.run("attempts.insert_cost", **spent)
            finished = self._require_attempt(tx, attempt_id)
            self._tell_end(tx, finished)
            return finished

    def _end_of(self, attempt: Attempt, now: str) -> str:
        """Return when an attempt is over by the clock that saw it begin."""
        begun = self._begun.pop(attempt.id, None)
        if begun is None or attempt.started_at is None:
            return now
        started, took = seconds(attempt.started_at), time.monotonic() - begun
        jumped = abs(seconds(now) - started - took) > JUMP_S
        return iso(started + took) if jumped else now

    def list_attempts(
        self, run_id: str, ws_id: str | None = None, *, step_name: str | None = None
    ) -> list[Attempt]:
        """Return attempts in the order in which they began."""
        if ws_id is None:
            rows = self._db.rows("attempts.list", run_id=run_id, step_name=step_name)
        else:
            rows = self._db.rows(
                "attempts.list_of_workstream", run_id=run_id, ws_id=ws_id, step_name=step_name
            )
        return [from_row(Attempt, row) for row in rows]

    def list_costs(self, run_id: str, ws_id: str | None = None) -> list[Cost]:
        """Return what the attempts of a run cost."""
        rows = self._db.rows("attempts.list_costs", run_id=run_id, ws_id=ws_id)
        return [from_row(Cost, row) for row in rows]

    def _require_attempt(self, tx: Transaction, attempt_id: int) -> Attempt:
        """Return an attempt as it is within the transaction. Raises NotFoundError."""
        row = tx.row("attempts.get", id=attempt_id)
        if row is None:
            raise NotFoundError(f"there is no attempt {attempt_id}")
        return from_row(Attempt, row)

    def _tell_start(self, tx: Transaction, attempt: Attempt) -> None:
        """Record the events of an attempt's beginning."""
        step = {"step": attempt.step_name, "attempt": attempt.attempt}
        tx.event(EventType.STEP_START, attempt.run_id, attempt.ws_id, step)
        details = {
            "step_attempt_id": attempt.id,
            "tool_id": attempt.tool_id,
            **step,
            "for_step": attempt.for_step,
        }
        tx.event(EventType.STEP_STARTED, attempt.run_id, attempt.ws_id, details)

    def _tell_end(self, tx: Transaction, attempt: Attempt) -> None:
        """Record the events of an attempt's end."""
        success = attempt.status is AttemptState.SUCCEEDED
        end = {"step": attempt.step_name, "attempt": attempt.attempt, "success": success}
        tx.event(EventType.STEP_END, attempt.run_id, attempt.ws_id, end)
        details = {
            "step_attempt_id": attempt.id,
            "status": attempt.status.value,
            "exit_code": attempt.exit_code,
            "step": attempt.step_name,
        }
        tx.event(EventType.STEP_COMPLETED, attempt.run_id, attempt.ws_id, details)
