"""The journal's workstreams: rows, moves, integration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from penstock.errors import UsageError
from penstock.model.events import EventType
from penstock.model.records import NewWorkstream, Workstream
from penstock.model.states import (
    INTEGRATION_MOVES,
    WORKSTREAM_MOVES,
    WORKSTREAM_RETRY,
    IntegrationState,
    WorkstreamState,
    advance,
)
from penstock.store.base import Base, Transaction, missing_workstream
from penstock.store.codec import from_row, to_json

_S = WorkstreamState
_FINAL = frozenset({_S.DONE, _S.FAILED, _S.QUARANTINED, _S.CANCELED})
_INTEGRATION_EVENTS: Mapping[IntegrationState, EventType] = {
    IntegrationState.QUEUED: EventType.MERGE_QUEUED,
    IntegrationState.MERGED: EventType.MERGED,
    IntegrationState.CONFLICT: EventType.MERGE_CONFLICT,
    IntegrationState.REJECTED: EventType.MERGE_REJECTED,
}


class WorkstreamStore(Base):
    """The part of the journal about workstreams."""

    def add_workstream(
        self,
        run_id: str,
        ws_id: str,
        *,
        status: WorkstreamState = WorkstreamState.PENDING,
        gate: int | None = None,
        depends_on: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
    ) -> Workstream:
        """Add a workstream, or return the one that is there as it is."""
        entered = NewWorkstream(
            ws_id=ws_id,
            status=status,
            gate=gate,
            depends_on=tuple(depends_on),
            metadata=dict(metadata or {}),
        )
        return self.add_workstreams(run_id, (entered,))[0]

    def add_workstreams(
        self, run_id: str, workstreams: Iterable[NewWorkstream]
    ) -> list[Workstream]:
        """Add workstreams in one transaction; return each, or the one that was there, in order."""
        with self._write(run_id) as tx:
            return [self._add(tx, run_id, entered) for entered in workstreams]

    def _add(self, tx: Transaction, run_id: str, entered: NewWorkstream) -> Workstream:
        if not entered.ws_id:
            raise UsageError("a workstream needs an id")
        if tx.row("workstreams.get", run_id=run_id, ws_id=entered.ws_id) is None:
            tx.run(
                "workstreams.insert",
                run_id=run_id,
                ws_id=entered.ws_id,
                status=entered.status.value,
                gate=entered.gate,
                depends_on=to_json(entered.depends_on),
                metadata_json=to_json(entered.metadata),
            )
        return self._require_workstream(tx, run_id, entered.ws_id)

    def get_workstream(self, run_id: str, ws_id: str) -> Workstream:
        """Return a workstream of a run. Raises NotFoundError."""
        row = self._db.row("workstreams.get", run_id=run_id, ws_id=ws_id)
        if row is None:
            raise missing_workstream(run_id, ws_id)
        return from_row(Workstream, row)

    def list_workstreams(self, run_id: str) -> list[Workstream]:
        """Return the workstreams of a run, sorted by id."""
        rows = self._db.rows("workstreams.list", run_id=run_id)
        return [from_row(Workstream, row) for row in rows]

    def find_workstream(self, ws_id: str) -> Workstream | None:
        """Return the row of the newest run that holds this workstream, or None."""
        row = self._db.row("workstreams.find", ws_id=ws_id)
        return None if row is None else from_row(Workstream, row)

    def find_done_workstreams(self, ws_id: str) -> list[Workstream]:
        """Return all rows of that id that are done, newest run first."""
        rows = self._db.rows("workstreams.find_done", ws_id=ws_id)
        return [from_row(Workstream, row) for row in rows]

    def move_workstream(
        self,
        run_id: str,
        ws_id: str,
        to: WorkstreamState,
        *,
        reason: str | None = None,
        retry: bool = False,
    ) -> Workstream:
        """Change a workstream's state with its events; `reason` replaces the old one.

        Raises InvalidTransitionError, NotFoundError, ClaimLostError.
        """
        with self._write(run_id) as tx:
            ws = self._require_workstream(tx, run_id, ws_id)
            extra = WORKSTREAM_RETRY if retry else None
            if not advance(WORKSTREAM_MOVES, ws.status, to, retry=extra):
                return ws
            tx.run("workstreams.move", run_id=run_id, ws_id=ws_id, status=to.value, reason=reason)
            self._tell_move(tx, ws, to, reason)
            return self._require_workstream(tx, run_id, ws_id)

    def _tell_move(
        self, tx: Transaction, ws: Workstream, to: WorkstreamState, reason: str | None
    ) -> None:
        """Record the events of a workstream's move."""
        change = {"from": ws.status.value, "to": to.value, "reason": reason}
        tx.event(EventType.WORKSTREAM_STATUS_CHANGED, ws.run_id, ws.ws_id, change)
        if to is _S.STARTED:
            tx.event(EventType.WORKSTREAM_START, ws.run_id, ws.ws_id, {"bundle_id": ws.ws_id})
        elif to in _FINAL:
            tx.event(EventType.WORKSTREAM_END, ws.run_id, ws.ws_id, {"final_status": to.value})

    def move_integration(
        self, run_id: str, ws_id: str, to: IntegrationState, *, payload: Mapping[str, Any]
    ) -> Workstream:
        """Change how far a workstream is integrated.

        The event (merge_queued, merged, merge_conflict, merge_rejected) carries `payload`.
        Raises InvalidTransitionError, NotFoundError, ClaimLostError.
        """
        with self._write(run_id) as tx:
            ws = self._require_workstream(tx, run_id, ws_id)
            if not advance(INTEGRATION_MOVES, ws.integration, to):
                return ws
            tx.run("workstreams.move_integration", run_id=run_id, ws_id=ws_id, integration=to.value)
            tx.event(_INTEGRATION_EVENTS[to], run_id, ws_id, payload)
            return self._require_workstream(tx, run_id, ws_id)

    def update_workstream(
        self,
        run_id: str,
        ws_id: str,
        *,
        worktree_path: str | None = None,
        branch: str | None = None,
        base_commit: str | None = None,
        head_commit: str | None = None,
    ) -> Workstream:
        """Record facts; None leaves a field as it is."""
        with self._write(run_id) as tx:
            tx.run(
                "workstreams.update",
                run_id=run_id,
                ws_id=ws_id,
                worktree_path=worktree_path,
                branch=branch,
                base_commit=base_commit,
                head_commit=head_commit,
            )
            return self._require_workstream(tx, run_id, ws_id)

    def set_workstream_reason(
        self, run_id: str, ws_id: str, reason: str | None, *, until: str | None = None
    ) -> Workstream:
        """Say why a workstream waits (event workstream_waiting), or None when it goes on.

        The same reason again is no event.
        """
        with self._write(run_id) as tx:
            ws = self._require_workstream(tx, run_id, ws_id)
            if (ws.reason, ws.reason_until) == (reason, until):
                return ws
            tx.run("workstreams.set_reason", run_id=run_id, ws_id=ws_id, reason=reason, until=until)
            if reason is not None:
                told = {"reason": reason, "until": until}
                tx.event(EventType.WORKSTREAM_WAITING, run_id, ws_id, told)
            return self._require_workstream(tx, run_id, ws_id)
