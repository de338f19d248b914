"""The journal's requests: what other processes ask of the one that works on a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.errors import NotFoundError
from penstock.model.events import EventType
from penstock.model.records import Request, RequestKind
from penstock.store.base import Base, Transaction
from penstock.store.codec import from_row, to_json


class RequestStore(Base):
    """The part of the journal about requests."""

    def add_request(
        self,
        run_id: str,
        kind: RequestKind,
        *,
        ws_id: str | None = None,
        payload: Mapping[str, Any] | None = None,
        by: str | None = None,
    ) -> Request:
        """Ask something of the process that works on a run (event request_made).

        Not fenced: it is the user's word to whoever works on the run. Raises NotFoundError.
        """
        with self._write() as tx:
            self._require_run(tx, run_id)
            if ws_id is not None:
                self._require_workstream(tx, run_id, ws_id)
            cursor = tx.run(
                "requests.insert",
                run_id=run_id,
                ws_id=ws_id,
                kind=kind.value,
                payload_json=to_json(payload),
                requested_by=by,
            )
            request = self._require_request(tx, cursor.lastrowid or 0)
            told = {"id": request.id, "kind": kind.value, "requested_by": by}
            tx.event(EventType.REQUEST_MADE, run_id, ws_id, told | {"payload": request.payload})
            return request

    def open_requests(self, run_id: str) -> list[Request]:
        """Return what nobody has heeded yet, in the order in which it was asked."""
        rows = self._db.rows("requests.list_open", run_id=run_id)
        return [from_row(Request, row) for row in rows]

    def heed_request(self, request_id: int) -> None:
        """Note that a request was heeded, or was refused; a second time does nothing.

        Raises NotFoundError, ClaimLostError.
        """
        with self._write() as tx:
            request = self._require_request(tx, request_id)
            self._fence(tx, request.run_id)
            if request.heeded_at is None:
                tx.run("requests.heed", id=request_id)

    def _require_request(self, tx: Transaction, request_id: int) -> Request:
        """Return a request as it is within the transaction. Raises NotFoundError."""
        row = tx.row("requests.get", id=request_id)
        if row is None:
            raise NotFoundError(f"there is no request {request_id}")
        return from_row(Request, row)
