"""`penstock show`: the attempts of a run or workstream, and why each ended as it did."""

from __future__ import annotations

from typing import Any

import click

from penstock.cli import output
from penstock.cli.commands.events import recorded
from penstock.cli.options import db_option, json_option
from penstock.cli.render import step_details, step_line
from penstock.cli.reports import branch_line
from penstock.cli.select import find_run, find_workstream
from penstock.cli.words import count, moment, money, one_line
from penstock.engine.narrate import narrate
from penstock.model.events import EventType
from penstock.model.records import Attempt, Event, Run
from penstock.model.results import StepResult, WorkstreamResult
from penstock.wiring import Workspace, open_workspace

# What explains why the next attempt came, or why none did.
DECISIONS = frozenset(
    {
        EventType.FIX_DECISION,
        EventType.BREAKER_TRIP,
        EventType.SCOPE_VIOLATION,
        EventType.SECRET_FOUND,
        EventType.MAIN_CHECKOUT_TOUCHED,
        EventType.WORKSTREAM_WAITING,
        EventType.BUDGET_EXCEEDED,
        EventType.MERGE_CONFLICT,
        EventType.PROCESSES_SWEPT,
        EventType.WORK_SAVED,
    }
)


@click.command("show")
@click.argument("run", metavar="RUN")
@click.argument("workstream", metavar="[WS]", required=False)
@db_option
@json_option
def command(run: str, workstream: str | None, db: str | None, as_json: bool) -> None:
    """Show each attempt of RUN, or of one workstream: outcome, checks, findings, decisions."""
    with open_workspace(db=db) as workspace:
        found = find_run(workspace.reader, run)
        only = find_workstream(workspace.reader, found, workstream).ws_id if workstream else None
        stories = [
            _story(workspace, found, result)
            for result in workspace.result(found.run_id).workstreams
            if only in (None, result.ws_id)
        ]
    if as_json:
        output.emit_json({"run_id": found.run_id, "status": found.status, "workstreams": stories})
        return
    output.emit(f"{found.run_id}: {found.status}, started {moment(found.started_at)}")
    for story in stories:
        _print(story)


def _story(workspace: Workspace, run: Run, result: WorkstreamResult) -> dict[str, Any]:
    """Return a workstream's result with what was decided between its attempts."""
    journal = workspace.reader
    attempts = journal.list_attempts(run.run_id, result.ws_id)
    events = [e for e in recorded(journal, run.run_id) if e.ws_id == result.ws_id]
    decisions = [event for event in events if _explains(event)]
    return {"result": result, "timeline": _timeline(attempts, result.steps, decisions)}


def _explains(event: Event) -> bool:
    """Tell whether an event says why it went on otherwise than straight ahead."""
    said_otherwise = event.payload.get("decision") in (
        "proceed",
        "trip",
    )  # a trip has its own event
    return event.event_type in DECISIONS and not said_otherwise


def _timeline(
    attempts: list[Attempt], steps: tuple[StepResult, ...], decisions: list[Event]
) -> list[dict[str, Any]]:
    """Return attempts and decisions in the order in which they happened."""
    moments: list[tuple[str, int, dict[str, Any]]] = [
        (attempt.started_at or "", 0, {"attempt": step})
        for attempt, step in zip(attempts, steps, strict=True)
    ]
    moments += [(e.timestamp, 1, {"event": e, "text": narrate(e)}) for e in decisions]
    return [entry for _, _, entry in sorted(moments, key=lambda item: item[:2])]


def _print(story: dict[str, Any]) -> None:
    result: WorkstreamResult = story["result"]
    output.emit()
    output.emit(f"{result.ws_id}: {result.final_status}")
    if result.reason:
        output.emit(f"  reason: {one_line(result.reason)}")
    if result.branch:
        output.emit(f"  branch: {branch_line(result)}")
    if result.input_tokens is not None or result.cost_usd is not None:
        tokens = f"{count(result.input_tokens)} tokens in, {count(result.output_tokens)} out"
        output.emit(f"  used:   {tokens}, {money(result.cost_usd)}")
    for entry in story["timeline"]:
        if "attempt" in entry:
            output.emit(f"  {step_line(entry['attempt'])}")
            for line in step_details(entry["attempt"]):
                output.emit(f"      {line}")
        else:
            output.emit(f"   -> {entry['text']}")
