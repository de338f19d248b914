"""`penstock cancel`: end a run for good."""

from __future__ import annotations

import click

from penstock.cli.options import db_option, json_option
from penstock.cli.select import find_run
from penstock.cli.steering import report_asked, who
from penstock.wiring import open_workspace


@click.command("cancel")
@click.argument("run", metavar="RUN")
@click.option("--reason", metavar="TEXT", help="Why; kept with the run.")
@click.option(
    "--compensate",
    is_flag=True,
    help="Run the compensation_actions of every workstream that has begun, the last first.",
)
@click.option("--by", metavar="NAME", help="Who asks (default: your login name).")
@db_option
@json_option
def command(
    run: str, reason: str | None, compensate: bool, by: str | None, db: str | None, as_json: bool
) -> int:
    """End RUN: what is under way is stopped, what has not ended is canceled.

    What is merged stays on integration/RUN, branches and worktrees stay as they are; a canceled run
    cannot be resumed.
    """
    with open_workspace(db=db) as workspace:
        run_id = find_run(workspace.reader, run).run_id
        done = workspace.cancel(run_id, reason=reason, compensate=compensate, by=by or who())
        return report_asked(
            workspace,
            run_id,
            done=done,
            as_json=as_json,
            what="canceled",
            until="it stops what is under way and ends.",
        )
