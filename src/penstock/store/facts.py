"""The journal's facts: events, errors, approvals, contexts of the error pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.model.events import EventType
from penstock.model.records import ErrorContext, ErrorRecord, Event
from penstock.store.base import Base
from penstock.store.codec import from_row, to_json

# the keys of a saved context that have columns of their own, with what serves when they lack
_CONTEXT_COLUMNS: Mapping[str, Any] = {
    "current_state": "S_INIT",
    "attempt_number": 0,
    "current_agent": None,
    "final_status": None,
}


class FactStore(Base):
    """The part of the journal about what happened, beside states and attempts."""

    def record_event(
        self,
        event_type: EventType | str,
        *,
        run_id: str | None = None,
        ws_id: str | None = None,
        payload: Mapping[str, Any] | None = None,
    ) -> Event:
        """Append an event. Raises NotFoundError, ClaimLostError."""
        with self._write(run_id) as tx:
            return tx.event(event_type, run_id, ws_id, payload)

    def list_events(
        self,
        *,
        run_id: str | None = None,
        ws_id: str | None = None,
        event_type: EventType | str | None = None,
        after_id: int = 0,
        limit: int = 100,
        newest_first: bool = False,
    ) -> list[Event]:
        """Return events with an id above `after_id`; a negative limit is none."""
        name = "list_events" if run_id is None else "list_run_events"
        rows = self._db.rows(
            f"facts.{name}_newest_first" if newest_first else f"facts.{name}",
            run_id=run_id,
            ws_id=ws_id,
            event_type=None if event_type is None else str(event_type),
            after_id=after_id,
            limit=limit,
        )
        return [from_row(Event, row) for row in rows]

    def record_error(
        self,
        *,
        error_code: str,
        signature: str,
        message: str,
        run_id: str | None = None,
        ws_id: str | None = None,
        step_name: str | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> ErrorRecord:
        """Add an error, or count one more of the same (run, workstream, step, signature).

        A repeat replaces the message, code and context, and when it was last seen.
        """
        link = {"run_id": run_id, "ws_id": ws_id, "step_name": step_name}
        told = {"error_code": error_code, "message": message, "context_json": to_json(context)}
        with self._write(run_id) as tx:
            known = tx.row("facts.find_error", signature=signature, **link)
            if known is None:
                cursor = tx.run("facts.insert_error", signature=signature, **link, **told)
                error_id = cursor.lastrowid
            else:
                error_id = known["id"]
                tx.run("facts.repeat_error", id=error_id, **told)
            return from_row(ErrorRecord, tx.run("facts.get_error", id=error_id).fetchone())

    def list_errors(self, run_id: str, ws_id: str | None = None) -> list[ErrorRecord]:
        """Return the errors of a run, in the order in which they were first seen."""
        rows = self._db.rows("facts.list_errors", run_id=run_id, ws_id=ws_id)
        return [from_row(ErrorRecord, row) for row in rows]

    def approve(self, run_id: str, gate: int, by: str, note: str | None = None) -> None:
        """Record that somebody approved a gate (event gate_approved); a second time does nothing.

        This is the user's word to a run, so it is not fenced: it may be given while another
        process works on the run. Raises NotFoundError.
        """
        with self._write() as tx:
            self._require_run(tx, run_id)
            cursor = tx.run(
                "facts.insert_approval", run_id=run_id, gate=gate, approved_by=by, note=note
            )
            if cursor.rowcount:
                told = {"gate": gate, "approved_by": by, "note": note}
                tx.event(EventType.GATE_APPROVED, run_id, payload=told)

    def approved_gates(self, run_id: str) -> frozenset[int]:
        """Return the approved gates of a run."""
        rows = self._db.rows("facts.list_approvals", run_id=run_id)
        return frozenset(int(row["gate"]) for row in rows)

    def save_error_context(
        self, run_id: str, ws_id: str, context: Mapping[str, Any]
    ) -> ErrorContext:
        """Keep the state of the error pipeline for a workstream, replacing the last one.

        The run need not be in the journal: the error pipeline also works alone.
        """
        own = {key: context.get(key, default) for key, default in _CONTEXT_COLUMNS.items()}
        key = {"run_id": run_id, "ws_id": ws_id}
        with self._write() as tx:
            if tx.row("runs.fence", run_id=run_id) is not None:
                self._fence(tx, run_id)
            tx.run("facts.save_context", context_json=to_json(context), **key, **own)
            return from_row(ErrorContext, tx.run("facts.get_context", **key).fetchone())

    def get_error_context(self, run_id: str, ws_id: str) -> ErrorContext | None:
        """Return the state of the error pipeline for a workstream, or None."""
        row = self._db.row("facts.get_context", run_id=run_id, ws_id=ws_id)
        return None if row is None else from_row(ErrorContext, row)

    def list_error_contexts(self, *, limit: int = 100) -> list[ErrorContext]:
        """Return the states of the error pipeline, the one that moved last first."""
        rows = self._db.rows("facts.list_contexts", limit=limit)
        return [from_row(ErrorContext, row) for row in rows]
