"""The journal's way back: a workstream that failed, or could not be merged, is tried again."""

from __future__ import annotations

from typing import Any

from penstock.errors import InvalidTransitionError, UsageError
from penstock.model.events import EventType
from penstock.model.records import Workstream
from penstock.model.states import (
    INTEGRATION_MOVES,
    WORKSTREAM_MOVES,
    WORKSTREAM_RETRY,
    IntegrationState,
    WorkstreamState,
    advance,
)
from penstock.store.base import Base, Transaction
from penstock.store.codec import to_json

STEPS = ("edit", "static", "runtime")
INTEGRATE = "integrate"


class RetryStore(Base):
    """The part of the journal about the user's retries."""

    def retry_workstream(self, run_id: str, ws_id: str, from_step: str) -> Workstream:
        """Have a workstream tried again from a step (edit, static, runtime, integrate).

        One that failed becomes pending; from edit it also forgets its commits and worktree. One
        that is done but whose integration is `conflict` is queued for it once more, and keeps its
        commits. `metadata["retry"]` is {number, after: the highest sequence of its attempts, from}.
        Events workstream_retried and that of the move. Raises InvalidTransitionError when it
        neither failed nor conflicts, UsageError, NotFoundError, ClaimLostError.
        """
        with self._write(run_id) as tx:
            ws = self._require_workstream(tx, run_id, ws_id)
            finished = _require_retriable(ws, from_step)
            note = _note(tx, ws, from_step)
            tx.run(
                "workstreams.retry",
                run_id=run_id,
                ws_id=ws_id,
                status=(ws.status if finished else WorkstreamState.PENDING).value,
                integration=(IntegrationState.QUEUED if finished else ws.integration).value,
                metadata_json=to_json(ws.metadata | {"retry": note}),
                afresh=from_step == STEPS[0] and not finished,
            )
            self._tell_retry(tx, ws, note, finished=finished)
            return self._require_workstream(tx, run_id, ws_id)

    def _tell_retry(
        self, tx: Transaction, ws: Workstream, note: dict[str, Any], *, finished: bool
    ) -> None:
        """Record the events of a retry."""
        told = note | {"status": ws.status.value}
        tx.event(EventType.WORKSTREAM_RETRIED, ws.run_id, ws.ws_id, told)
        if finished:
            run = self._require_run(tx, ws.run_id)
            queued = {"branch": ws.branch, "into": run.integration_branch}
            tx.event(EventType.MERGE_QUEUED, ws.run_id, ws.ws_id, queued)
            return
        change = {"from": ws.status.value, "to": WorkstreamState.PENDING.value, "reason": "retry"}
        tx.event(EventType.WORKSTREAM_STATUS_CHANGED, ws.run_id, ws.ws_id, change)


def _require_retriable(ws: Workstream, from_step: str) -> bool:
    """Tell whether a workstream is done and waits for its integration only.

    Raises InvalidTransitionError, UsageError.
    """
    if from_step not in (*STEPS, INTEGRATE):
        raise UsageError(
            f"there is no step {from_step!r}", hint=f"one of {', '.join(STEPS)}, {INTEGRATE}"
        )
    if ws.status is WorkstreamState.DONE and ws.integration is IntegrationState.CONFLICT:
        advance(INTEGRATION_MOVES, ws.integration, IntegrationState.QUEUED)
        return True
    if ws.status is not WorkstreamState.FAILED:
        raise InvalidTransitionError(
            f"{ws.ws_id} is {ws.status.value} (integration {ws.integration.value}); only what failed"
            " or conflicts can be tried again",
            hint=f"see `penstock show {ws.run_id} {ws.ws_id}`",
        )
    if from_step == INTEGRATE:
        raise UsageError(
            f"{ws.ws_id} failed before it was to be integrated",
            hint=f"take a step of {', '.join(STEPS)}",
        )
    advance(WORKSTREAM_MOVES, ws.status, WorkstreamState.PENDING, retry=WORKSTREAM_RETRY)
    return False


def _note(tx: Transaction, ws: Workstream, from_step: str) -> dict[str, Any]:
    """Return what a workstream remembers of its retries."""
    row = tx.row("attempts.last_sequence", run_id=ws.run_id, ws_id=ws.ws_id)
    last = ws.metadata.get("retry")
    number = last.get("number", 0) if isinstance(last, dict) else 0
    return {
        "number": number + 1 if isinstance(number, int) else 1,
        "after": int(row["sequence"]) if row else 0,
        "from": from_step,
    }
