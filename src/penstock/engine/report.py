"""The result of a run, put together from the journal alone."""

from __future__ import annotations

from typing import Any

from penstock.model.records import Attempt, Cost, Workstream
from penstock.model.results import RunResult, StepResult, WorkstreamResult
from penstock.model.states import AttemptState
from penstock.model.times import seconds
from penstock.store.api import Journal

NOT_DETAILS = frozenset({"outcome", "error"})


def run_result(journal: Journal, run_id: str) -> RunResult:
    """Return what became of a run. Raises NotFoundError when there is no such run."""
    run = journal.get_run(run_id)
    attempts = journal.list_attempts(run_id)
    costs = journal.list_costs(run_id)
    return RunResult(
        run_id=run.run_id,
        status=run.status.value,
        started_at=run.started_at,
        ended_at=run.ended_at,
        workstreams=tuple(
            _workstream(row, attempts, costs) for row in journal.list_workstreams(run_id)
        ),
    )


def _workstream(row: Workstream, attempts: list[Attempt], costs: list[Cost]) -> WorkstreamResult:
    mine = [c for c in costs if c.ws_id == row.ws_id]
    amounts = [
        c.actual_cost_usd if c.actual_cost_usd is not None else c.estimated_cost_usd for c in mine
    ]
    cost = _total(amounts)
    return WorkstreamResult(
        ws_id=row.ws_id,
        final_status=row.status.value,
        branch=row.branch,
        commit=row.head_commit,
        reason=_reason(row),
        cost_usd=cost,
        input_tokens=_count([c.input_tokens for c in mine]),
        output_tokens=_count([c.output_tokens for c in mine]),
        steps=tuple(_step(a) for a in attempts if a.ws_id == row.ws_id),
    )


def _reason(row: Workstream) -> str | None:
    """Return why a workstream waits or failed, with the moment until when it waits."""
    if row.reason is None or row.reason_until is None:
        return row.reason
    return f"{row.reason} until {row.reason_until}"


def _total(amounts: list[float | None]) -> float | None:
    """Add up; one unknown amount makes the sum unknown, never smaller."""
    known = [amount for amount in amounts if amount is not None]
    return round(sum(known), 6) if known and len(known) == len(amounts) else None


def _count(amounts: list[int | None]) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known and len(known) == len(amounts) else None


def _step(attempt: Attempt) -> StepResult:
    details: dict[str, Any] = {k: v for k, v in attempt.result.items() if k not in NOT_DETAILS}
    if attempt.for_step is not None:
        details = {"for_step": attempt.for_step, **details}
    error = attempt.result.get("error")
    return StepResult(
        step_name=attempt.step_name,
        attempt=attempt.attempt,
        status=attempt.status.value,
        tool_id=attempt.tool_id,
        outcome=attempt.result.get("outcome"),
        success=attempt.status is AttemptState.SUCCEEDED,
        duration_sec=_duration(attempt),
        details=details,
        error_message=str(error) if error is not None else None,
    )


def _duration(attempt: Attempt) -> float | None:
    if attempt.started_at is None or attempt.completed_at is None:
        return None
    return round(max(0.0, seconds(attempt.completed_at) - seconds(attempt.started_at)), 3)
