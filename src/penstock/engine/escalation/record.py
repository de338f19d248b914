"""The pipeline in the journal: its context always, attempts and events of a workstream that is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import msgspec

from penstock.engine.escalation.cabinet import Cabinet
from penstock.engine.escalation.ports import Edges
from penstock.engine.escalation.workplace import Workplace
from penstock.engine.facts import next_number
from penstock.errors import JournalError, NotFoundError
from penstock.model.escalation import EscalationContext
from penstock.model.events import EventType
from penstock.model.records import Attempt, Cost, NewAttempt
from penstock.model.states import AttemptState
from penstock.store.api import Journal
from penstock.typed import typed

BASELINE, AUTOFIX, RECHECK = (
    "error_pipeline_baseline",
    "mechanical_autofix",
    "error_pipeline_recheck",
)
FIX = "error_pipeline_fix"
STEPS = frozenset({BASELINE, AUTOFIX, RECHECK, FIX})
"""The names under which the pipeline's work is among the attempts of a workstream."""


@contextmanager
def held(edges: Edges, run_id: str, ws_id: str) -> Iterator[None]:
    """Hold a pipeline, and its run where the journal has that, against every other process.

    Raises ClaimError when another one works on either.
    """
    with ExitStack() as stack:
        stack.enter_context(edges.lock(run_id, ws_id))
        if _has_run(edges, run_id):
            stack.enter_context(edges.hold(run_id))
            edges.journal.claim_run(run_id, edges.owner)
            stack.callback(edges.journal.release_run, run_id)
        yield


def _has_run(edges: Edges, run_id: str) -> bool:
    try:
        edges.journal.get_run(run_id)
    except NotFoundError:
        return False
    return True


def load(journal: Journal, run_id: str, ws_id: str) -> EscalationContext | None:
    """Return the pipeline of a workstream, None when none was begun. Raises JournalError."""
    kept = journal.get_error_context(run_id, ws_id)
    return None if kept is None else decoded(kept.run_id, kept.ws_id, kept.context)


def decoded(run_id: str, ws_id: str, kept: Mapping[str, Any]) -> EscalationContext:
    """Return a context as the journal has it; ids that it lacks are those of its row.

    Raises JournalError for one that no pipeline can go on with.
    """
    named = {"run_id": run_id, "workstream_id": ws_id, **kept}
    try:
        return typed(named, EscalationContext)
    except msgspec.ValidationError as error:
        raise JournalError(
            f"the error pipeline of {run_id}/{ws_id} has a context that cannot be read: {error}",
            hint=f"begin it again: penstock errors run --run-id {run_id} --ws-id {ws_id} --restart",
        ) from error


def save(edges: Edges, cabinet: Cabinet, context: EscalationContext) -> EscalationContext:
    """Keep a context, in the journal and then for people; return it."""
    plain: dict[str, Any] = msgspec.to_builtins(context)
    edges.journal.save_error_context(context.run_id, context.workstream_id, plain)
    cabinet.write_context(context)
    return context


def begin(
    edges: Edges,
    workplace: Workplace,
    step: str,
    *,
    tool_id: str | None = None,
    marker: str | None = None,
) -> Attempt | None:
    """Record that work has begun; return the attempt, None where the journal has no workstream."""
    row = workplace.row
    if row is None:
        return None
    earlier = edges.journal.list_attempts(row.run_id, row.ws_id, step_name=step)
    intent = NewAttempt(
        run_id=row.run_id,
        ws_id=row.ws_id,
        step_name=step,
        attempt=next_number(earlier, step),
        tool_id=tool_id,
        marker=marker,
    )
    return edges.journal.begin_attempt(intent)


def finish(
    edges: Edges,
    attempt_id: int | None,
    status: AttemptState,
    result: Mapping[str, Any],
    *,
    cost: Cost | None = None,
) -> None:
    """Record what came of work that `begin` recorded, and what it cost."""
    if attempt_id is not None:
        edges.journal.finish_attempt(attempt_id, status, result=result, cost=cost)


def settle_begun(edges: Edges, workplace: Workplace, keep: int | None) -> None:
    """Record that work which a dead process began is lost; `keep` is settled elsewhere."""
    row = workplace.row
    if row is None:
        return
    for attempt in edges.journal.list_attempts(row.run_id, row.ws_id):
        begun = attempt.status is AttemptState.RUNNING and attempt.step_name in STEPS
        if begun and attempt.id != keep:
            finish(edges, attempt.id, AttemptState.UNKNOWN, {"outcome": "unknown"})


def event(
    edges: Edges, context: EscalationContext, kind: EventType, payload: Mapping[str, Any]
) -> None:
    """Record an event of a pipeline; its payload names run and workstream, which the journal need
    not have."""
    run_id, ws_id = context.run_id, context.workstream_id
    told = {"run_id": run_id, "workstream_id": ws_id, **payload}
    try:
        edges.journal.get_workstream(run_id, ws_id)
    except NotFoundError:
        edges.journal.record_event(kind, payload=told)
        return
    edges.journal.record_event(kind, run_id=run_id, ws_id=ws_id, payload=told)
