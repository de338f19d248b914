"""`penstock quarantine`: set a failed workstream, or a whole run, apart with its evidence."""

from __future__ import annotations

import click

from penstock.cli.options import db_option, json_option
from penstock.cli.select import find_run, find_workstream
from penstock.cli.steering import report_asked, who
from penstock.wiring import Workspace, open_workspace


@click.command("quarantine")
@click.argument("run", metavar="RUN")
@click.argument("ws_id", metavar="[WS_ID]", required=False)
@click.option("--reason", metavar="TEXT", required=True, help="Why; kept with the evidence.")
@click.option(
    "--compensate", is_flag=True, help="Run the compensation_actions too, the last first."
)
@click.option("--by", metavar="NAME", help="Who asks (default: your login name).")
@db_option
@json_option
def command(
    run: str,
    ws_id: str | None,
    reason: str,
    compensate: bool,
    by: str | None,
    db: str | None,
    as_json: bool,
) -> int:
    """Set WS_ID of RUN apart, which has failed, or the whole RUN; it cannot be retried any more.

    Everything that is needed to look at it goes to state/quarantine/RUN_WS_ID: attempts, errors,
    events, patches, prompts, logs, and the environment without secrets. Of a workstream that is
    done but not merged, the merge is rejected.
    """
    with open_workspace(db=db) as workspace:
        found = find_run(workspace.reader, run)
        run_id = found.run_id
        ws_id = ws_id and find_workstream(workspace.reader, found, ws_id).ws_id
        done = workspace.quarantine(
            run_id, ws_id, reason=reason, compensate=compensate, by=by or who()
        )
        return report_asked(
            workspace,
            run_id,
            done=done,
            as_json=as_json,
            what="quarantined",
            until=_how_it_stands(workspace, run_id, ws_id),
            ws_id=ws_id,
        )


def _how_it_stands(workspace: Workspace, run_id: str, ws_id: str | None) -> str:
    """Return what has come of it: a merge that was under way may have gone well meanwhile."""
    if ws_id is None:
        return "it stops what is under way and ends."
    row = workspace.reader.get_workstream(run_id, ws_id)
    return f"{ws_id} is {row.status}, its integration {row.integration}."
