"""`penstock pause`: let a run begin nothing more."""

from __future__ import annotations

import click

from penstock.cli.options import db_option, json_option
from penstock.cli.select import find_run
from penstock.cli.steering import report_asked, who
from penstock.wiring import open_workspace


@click.command("pause")
@click.argument("run", metavar="RUN")
@click.option("--reason", metavar="TEXT", help="Why; shown wherever the run is.")
@click.option("--by", metavar="NAME", help="Who asks (default: your login name).")
@db_option
@json_option
def command(run: str, reason: str | None, by: str | None, db: str | None, as_json: bool) -> int:
    """Let RUN begin nothing more: steps under way come to their end, then its process ends.

    `penstock resume RUN` goes on with it.
    """
    with open_workspace(db=db) as workspace:
        run_id = find_run(workspace.reader, run).run_id
        done = workspace.pause(run_id, reason=reason, by=by or who())
        return report_asked(
            workspace,
            run_id,
            done=done,
            as_json=as_json,
            what=f"paused; go on with: penstock resume {run_id}",
            until="it ends after the steps under way.",
        )
