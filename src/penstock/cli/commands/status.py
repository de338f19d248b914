"""`penstock status`: the runs, or the workstreams of one."""

from __future__ import annotations

import time
from typing import Any

import click

from penstock.cli import output
from penstock.cli.options import json_option
from penstock.cli.select import find_run
from penstock.cli.words import about, between, duration, moment, one_line
from penstock.errors import UsageError
from penstock.model.progress import ProgressSnapshot
from penstock.model.records import Run, Workstream
from penstock.model.states import RunState, WorkstreamState
from penstock.wiring import Workspace, open_workspace

RUN_COLUMNS = ("RUN", "STATE", "DONE", "TOOK", "STARTED")
WORKSTREAM_COLUMNS = ("WORKSTREAM", "STATE", "MERGED", "REASON")


@click.command("status")
@click.argument("run", required=False)
@click.option("--repo", is_flag=True, help="Show branches and worktrees of ours, and totals.")
@click.option("--watch", "-w", "watching", is_flag=True, help="Look on until the run has ended.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="Runs shown.")
@click.option("--db", metavar="PATH", help="The journal's database.")
@json_option
def command(
    run: str | None, repo: bool, watching: bool, limit: int, db: str | None, as_json: bool
) -> None:
    """List the runs, or with RUN the workstreams of that run and why they wait or failed.

    With --watch the run (by default the one that is worked on) is shown anew each second until it
    has ended, or until Ctrl-C; where there is no terminal, each change is a line. That exits 0
    whatever becomes of the run.
    """
    if run is not None and repo:
        raise UsageError("--repo is about the whole repository: leave RUN out")
    if watching and (repo or as_json):
        raise UsageError(
            "--watch is for people", hint="Programs read `penstock events RUN --follow --json`."
        )
    with open_workspace(db=db) as workspace:
        if watching:
            _watch(workspace, run)
        elif repo:
            from penstock.cli.overview import show_repository

            show_repository(workspace, as_json=as_json)
        elif run is None:
            _show_runs(workspace, limit, as_json=as_json)
        else:
            _show_run(workspace, run, as_json=as_json)


def _watch(workspace: Workspace, word: str | None) -> None:
    """Show a run until it has ended, then what came of it."""
    from penstock.cli.watching import require_database, run_to_watch, watch

    require_database(workspace)
    run = run_to_watch(workspace) if word is None else find_run(workspace.reader, word)
    watch(workspace, run)
    _show_run(workspace, run.run_id, as_json=False)


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
    from penstock.engine.metrics import run_metrics
    from penstock.engine.progress import snapshot

    journal = workspace.reader
    run = find_run(journal, word)
    rows = journal.list_workstreams(run.run_id)
    summary = run_summary(workspace, run)
    progress = snapshot(journal, run.run_id, time.time(), workspace.settings)
    if as_json:
        output.emit_json(
            {
                **summary,
                "integration_branch": run.integration_branch,
                "progress": progress,
                "metrics": run_metrics(journal, run.run_id, time.time()),
                "workstreams": [workstream_summary(w) for w in rows],
            }
        )
        return
    output.emit(
        f"{run.run_id}: {shown_state(summary)}, {summary['done']} of {summary['total']} done"
        f"{_left(summary, progress)}"
    )
    if summary["reason"]:
        output.emit(f"Reason: {one_line(summary['reason'])}")
    output.table(WORKSTREAM_COLUMNS, [_workstream_row(w) for w in rows])
    _go_on(summary)


def _left(summary: dict[str, Any], progress: ProgressSnapshot) -> str:
    """Return how long a run still takes that somebody works on, where history tells."""
    left = progress.estimated_remaining_seconds
    return f", {about(left)} left" if summary["active"] and left is not None else ""


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
