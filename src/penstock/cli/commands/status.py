"""`penstock status`: the runs, or the workstreams of one."""

from __future__ import annotations

import time
from typing import Any

import click

from penstock.cli import output
from penstock.cli.options import json_option
from penstock.cli.select import find_run
from penstock.cli.words import between, duration, moment, one_line
from penstock.errors import UsageError
from penstock.model.records import Run, Workstream
from penstock.model.states import RunState, WorkstreamState
from penstock.wiring import Workspace, open_workspace

RUN_COLUMNS = ("RUN", "STATE", "DONE", "TOOK", "STARTED")
WORKSTREAM_COLUMNS = ("WORKSTREAM", "STATE", "MERGED", "REASON")


@click.command("status")
@click.argument("run", required=False)
@click.option("--repo", is_flag=True, help="Show branches and worktrees of ours, and totals.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="Runs shown.")
@click.option("--db", metavar="PATH", help="The journal's database.")
@json_option
def command(run: str | None, repo: bool, limit: int, db: str | None, as_json: bool) -> None:
    """List the runs, or with RUN the workstreams of that run and why they wait or failed."""
    if run is not None and repo:
        raise UsageError("--repo is about the whole repository: leave RUN out")
    with open_workspace(db=db) as workspace:
        if repo:
            from penstock.cli.overview import show_repository

            show_repository(workspace, as_json=as_json)
        elif run is None:
            _show_runs(workspace, limit, as_json=as_json)
        else:
            _show_run(workspace, run, as_json=as_json)


def run_summary(workspace: Workspace, run: Run) -> dict[str, Any]:
    """Return what the list says of a run; `active` tells whether a living process works on it."""
    states = [w.status for w in workspace.reader.list_workstreams(run.run_id)]
    return {
        "run_id": run.run_id,
        "status": run.status,
        "active": run.status == RunState.RUNNING and workspace.is_worked_on(run.run_id),
        "reason": run.reason or run.error_message,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "duration_sec": between(run.started_at, run.ended_at, time.time()),
        "done": states.count(WorkstreamState.DONE),
        "failed": states.count(WorkstreamState.FAILED),
        "total": len(states),
    }


def shown_state(run: dict[str, Any]) -> str:
    """Return a run's state for people: one that nobody works on is waiting or interrupted."""
    if run["status"] != RunState.RUNNING or run["active"]:
        return str(run["status"])
    return "waiting" if run["reason"] else "interrupted"


def _go_on(run: dict[str, Any]) -> None:
    """Say how a run goes on that nobody works on."""
    if shown_state(run) in ("waiting", "interrupted", RunState.PENDING):
        output.emit(f"Go on with: penstock resume {run['run_id']}")


def _show_runs(workspace: Workspace, limit: int, *, as_json: bool) -> None:
    """Print the newest runs."""
    runs = [run_summary(workspace, run) for run in workspace.reader.list_runs(limit=limit)]
    if as_json:
        output.emit_json({"runs": runs})
    elif not runs:
        output.emit("No runs yet. Start one with `penstock run WS_ID`.")
    else:
        output.table(RUN_COLUMNS, [_run_row(run) for run in runs])
        for run in runs:
            _go_on(run)


def _run_row(run: dict[str, Any]) -> tuple[str, ...]:
    return (
        run["run_id"],
        shown_state(run),
        f"{run['done']}/{run['total']}",
        duration(run["duration_sec"]),
        moment(run["started_at"] or run["created_at"]),
    )


def _show_run(workspace: Workspace, word: str, *, as_json: bool) -> None:
    """Print the workstreams of a run."""
    journal = workspace.reader
    run = find_run(journal, word)
    rows = journal.list_workstreams(run.run_id)
    summary = run_summary(workspace, run)
    if as_json:
        document = {**summary, "integration_branch": run.integration_branch}
        output.emit_json({**document, "workstreams": [workstream_summary(w) for w in rows]})
        return
    output.emit(
        f"{run.run_id}: {shown_state(summary)}, {summary['done']} of {summary['total']} done"
    )
    if summary["reason"]:
        output.emit(f"Reason: {one_line(summary['reason'])}")
    output.table(WORKSTREAM_COLUMNS, [_workstream_row(w) for w in rows])
    _go_on(summary)


def workstream_summary(row: Workstream) -> dict[str, Any]:
    """Return what the list says of a workstream."""
    return {
        "ws_id": row.ws_id,
        "status": row.status,
        "reason": row.reason,
        "reason_until": row.reason_until,
        "integration": row.integration,
        "gate": row.gate,
        "depends_on": row.depends_on,
        "branch": row.branch,
        "head_commit": row.head_commit,
        "worktree_path": row.worktree_path,
    }


def _workstream_row(row: Workstream) -> tuple[str, ...]:
    until = f" until {moment(row.reason_until)}" if row.reason_until else ""
    return (
        row.ws_id,
        row.status,
        row.integration if row.integration != "none" else "-",
        (row.reason or "") + until,
    )
