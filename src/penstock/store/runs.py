"""The journal's runs: rows, moves, claims."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from penstock.errors import ClaimError, UsageError
from penstock.model.events import EventType
from penstock.model.records import Run
from penstock.model.states import RUN_MOVES, RUN_RETRY, RunState, advance
from penstock.store.base import Base, Transaction, missing_run, read_owner
from penstock.store.codec import from_row, to_json

# what is told of a run beside run_status_changed, by the state it reaches
_ARRIVALS: Mapping[RunState, EventType] = {
    RunState.RUNNING: EventType.RUN_STARTED,
    RunState.SUCCEEDED: EventType.RUN_COMPLETED,
    RunState.FAILED: EventType.RUN_COMPLETED,
    RunState.QUARANTINED: EventType.RUN_QUARANTINED,
    RunState.CANCELED: EventType.RUN_CANCELED,
}
_OVER = frozenset(RunState) - {RunState.PENDING, RunState.RUNNING}


class RunStore(Base):
    """The part of the journal about runs."""

    def create_run(
        self,
        run_id: str,
        *,
        status: RunState = RunState.PENDING,
        base_commit: str | None = None,
        integration_branch: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Run:
        """Add a run (event run_created). Raises UsageError when the id is taken or empty."""
        if not run_id:
            raise UsageError("a run needs an id")
        with self._write() as tx:
            if tx.row("runs.fence", run_id=run_id) is not None:
                raise UsageError(f"there is a run {run_id!r} already", hint="take another id")
            tx.run(
                "runs.insert",
                run_id=run_id,
                status=status.value,
                base_commit=base_commit,
                integration_branch=integration_branch,
                started_at=None if status is RunState.PENDING else tx.now,
                ended_at=tx.now if status in _OVER else None,
                metadata_json=to_json(metadata),
            )
            tx.event(
                EventType.RUN_CREATED, run_id, payload={"status": status.value, "reason": None}
            )
            return self._require_run(tx, run_id)

    def get_run(self, run_id: str) -> Run:
        """Return a run. Raises NotFoundError."""
        row = self._db.row("runs.get", run_id=run_id)
        if row is None:
            raise missing_run(run_id)
        return from_row(Run, row)

    def list_runs(
        self, *, status: RunState | None = None, limit: int = 100, offset: int = 0
    ) -> list[Run]:
        """Return runs, newest first; a negative limit is none."""
        page = {"limit": limit, "offset": offset}
        if status is None:
            rows = self._db.rows("runs.list", **page)
        else:
            rows = self._db.rows("runs.list_by_status", status=status.value, **page)
        return [from_row(Run, row) for row in rows]

    def move_run(
        self,
        run_id: str,
        to: RunState,
        *,
        reason: str | None = None,
        exit_code: int | None = None,
        error_message: str | None = None,
        retry: bool = False,
    ) -> Run:
        """Change a run's state, setting started_at and ended_at, with its events.

        `reason`, `exit_code` and `error_message` replace the old ones. Raises
        InvalidTransitionError, NotFoundError, ClaimLostError.
        """
        with self._write(run_id) as tx:
            run = self._require_run(tx, run_id)
            if not advance(RUN_MOVES, run.status, to, retry=RUN_RETRY if retry else None):
                return run
            tx.run(
                "runs.move",
                run_id=run_id,
                status=to.value,
                reason=reason,
                exit_code=exit_code,
                error_message=error_message,
                started_at=run.started_at or (tx.now if to is RunState.RUNNING else None),
                ended_at=tx.now if to in _OVER else None,
            )
            self._tell_run_move(tx, run, to, reason)
            return self._require_run(tx, run_id)

    def _tell_run_move(self, tx: Transaction, run: Run, to: RunState, reason: str | None) -> None:
        """Record the events of a run's move."""
        change = {"from": run.status.value, "to": to.value, "reason": reason}
        tx.event(EventType.RUN_STATUS_CHANGED, run.run_id, payload=change)
        arrival = {"status": to.value, "reason": reason}
        tx.event(_ARRIVALS[to], run.run_id, payload=arrival)

    def set_run_base(self, run_id: str, base_commit: str, integration_branch: str) -> Run:
        """Record what a run starts from, once; a base that is there already stays."""
        with self._write(run_id) as tx:
            tx.run("runs.set_base", run_id=run_id, base=base_commit, branch=integration_branch)
            return self._require_run(tx, run_id)

    def set_run_reason(self, run_id: str, reason: str | None, *, until: str | None = None) -> None:
        """Say why a run waits, or None when it no longer does."""
        with self._write(run_id) as tx:
            tx.run("runs.set_reason", run_id=run_id, reason=reason, until=until)

    def claim_run(
        self,
        run_id: str,
        owner: Mapping[str, Any],
        *,
        seen: Mapping[str, Any] | msgspec.UnsetType | None = msgspec.UNSET,
    ) -> int:
        """Take a run for this Journal object and return the new fence token (grows by one).

        With `seen` (what run_owner returned when the caller judged that the way is free) the run
        is taken only if that still holds; otherwise ClaimError. Raises NotFoundError.
        """
        with self._write() as tx:
            row = tx.row("runs.fence", run_id=run_id)
            if row is None:
                raise missing_run(run_id)
            held_by = None if row["owner_json"] is None else read_owner(row["owner_json"])
            if seen is not msgspec.UNSET and held_by != seen:
                raise ClaimError(
                    f"run {run_id} has just been taken by another process",
                    hint=f"see `penstock status {run_id}`",
                )
            token = int(row["claim_token"]) + 1
            tx.run("runs.claim", run_id=run_id, token=token, owner_json=to_json(owner) or "{}")
        self._claims[run_id] = token
        return token

    def release_run(self, run_id: str) -> None:
        """Give a claim back; without one this does nothing. Raises ClaimLostError."""
        if run_id not in self._claims:
            return
        with self._write(run_id) as tx:
            tx.run("runs.release", run_id=run_id)
        del self._claims[run_id]

    def run_owner(self, run_id: str) -> Mapping[str, Any] | None:
        """Return what the present holder said of itself, or None. Raises NotFoundError."""
        row = self._db.row("runs.fence", run_id=run_id)
        if row is None:
            raise missing_run(run_id)
        return None if row["owner_json"] is None else read_owner(row["owner_json"])
