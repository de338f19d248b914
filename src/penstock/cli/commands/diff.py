"""`penstock diff`: what a workstream changed."""

from __future__ import annotations

import os

import click

from penstock.cli import output
from penstock.cli.options import db_option, json_option
from penstock.cli.select import find_run, find_workstream
from penstock.wiring import open_workspace

COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@click.command("diff")
@click.argument("run", metavar="RUN")
@click.argument("workstream", metavar="WS")
@click.option("--stat", is_flag=True, help="Only the files and how much changed in each.")
@db_option
@json_option
def command(run: str, workstream: str, stat: bool, db: str | None, as_json: bool) -> None:
    """Print what workstream WS of RUN committed, against the commit that it started from."""
    with open_workspace(db=db) as workspace:
        found = find_run(workspace.reader, run)
        row = find_workstream(workspace.reader, found, workstream)
        text = workspace.diff(row, stat=stat)
    if as_json:
        output.emit_json(
            {
                "run_id": found.run_id,
                "ws_id": row.ws_id,
                "branch": row.branch,
                "base_commit": row.base_commit,
                "head_commit": row.head_commit,
                "diff": text,
            }
        )
    elif not text:
        output.warn(f"{row.ws_id} has committed nothing.")
    elif output.on_terminal():
        for line in text.splitlines():
            output.emit(_painted(output.displayed(line)))
    else:
        output.emit(text, end="")


def _painted(line: str) -> str:
    """Return a line of a diff in its colour, unless the user wants none (https://no-color.org)."""
    if os.environ.get("NO_COLOR"):
        return line
    if line.startswith(("diff --git ", "--- ", "+++ ")):
        return click.style(line, bold=True)
    return click.style(line, fg=COLOURS.get(line[:1]))
