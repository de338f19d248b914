"""How a run stands when nothing of it can go on: it has ended, or it waits for somebody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from penstock.engine.job import Waiting
from penstock.engine.services import Services
from penstock.errors import ExitCode
from penstock.model.events import EventType
from penstock.model.records import Workstream
from penstock.model.states import IntegrationState, RunState, WorkstreamState
from penstock.schedule.frontier import Frontier
from penstock.schedule.readiness import Reason, Verdict
from penstock.store.api import Journal

SHOWN = 10
SOMEBODY = frozenset({Reason.APPROVAL, Reason.BUDGET, Reason.RATE_LIMIT, Reason.PAUSED})
"""Reasons that end by themselves or by the user's word: the run goes on when it is resumed."""


def conclude(
    services: Services,
    run_id: str,
    frontier: Frontier,
    waits: Mapping[str, Waiting],
    pause: str | None,
) -> None:
    """Record why each workstream waits and what the run has come to."""
    journal = services.journal
    verdicts = frontier.verdicts(services.clock())
    rows = journal.list_workstreams(run_id)
    for row in rows:
        verdict = verdicts.get(row.ws_id)
        if row.status is WorkstreamState.PENDING and verdict is not None and verdict.message:
            journal.set_workstream_reason(run_id, row.ws_id, verdict.message)
    if pause is not None:
        journal.record_event(EventType.RUN_PAUSED, run_id=run_id, payload={"reason": pause})
        journal.set_run_reason(run_id, f"paused: {pause}")
    elif (waiting := _what_for(verdicts, waits)) is not None:
        _tell_gates(journal, run_id, rows, verdicts)
        journal.set_run_reason(run_id, waiting)
    else:
        _end(journal, run_id, rows)


def _what_for(verdicts: Mapping[str, Verdict], waits: Mapping[str, Waiting]) -> str | None:
    held = [v.message for v in verdicts.values() if v.reason in SOMEBODY]
    return next((str(waiting) for waiting in waits.values()), held[0] if held else None)


def _tell_gates(
    journal: Journal, run_id: str, rows: Sequence[Workstream], verdicts: Mapping[str, Verdict]
) -> None:
    held = [ws for ws, verdict in verdicts.items() if verdict.reason is Reason.APPROVAL]
    if held:
        gate = min(row.gate or 1 for row in rows if row.ws_id in held)
        payload = {"gate": gate, "workstreams": held}
        journal.record_event(EventType.GATE_WAITING, run_id=run_id, payload=payload)


def _end(journal: Journal, run_id: str, rows: Sequence[Workstream]) -> None:
    failed = [row.ws_id for row in rows if not _well(row)]
    more = f" and {len(failed) - SHOWN} more" if len(failed) > SHOWN else ""
    journal.move_run(
        run_id,
        RunState.FAILED if failed else RunState.SUCCEEDED,
        reason=f"not done: {', '.join(failed[:SHOWN])}{more}" if failed else None,
        exit_code=ExitCode.FAILED if failed else ExitCode.DONE,
    )


def _well(row: Workstream) -> bool:
    return row.status is WorkstreamState.DONE and row.integration is IntegrationState.MERGED
