"""`penstock resume`: go on with a run after any kind of end that was not its own."""

from __future__ import annotations

import click

from penstock.cli.before import Before, look_again, preflight_options
from penstock.cli.looking import looker
from penstock.cli.options import db_option, json_option, max_cost_option, max_parallel_option
from penstock.cli.running import run_and_report
from penstock.cli.select import find_run
from penstock.engine.ports import ResumeOptions
from penstock.wiring import open_workspace


@click.command("resume")
@click.argument("run", metavar="RUN")
@click.option("--tool", metavar="TOOL", help="Use this tool from now on.")
@max_parallel_option
@max_cost_option
@preflight_options
@click.option("-v", "--verbose", is_flag=True, help="Print what the tools print.")
@db_option
@json_option
def command(
    run: str,
    tool: str | None,
    max_parallel: int | None,
    max_cost_usd: float | None,
    no_preflight: bool,
    auto_sync: bool,
    verbose: bool,
    db: str | None,
    as_json: bool,
) -> int:
    """Go on with RUN from its last recorded step; no finished step is repeated.

    It looks at machine and repository first, as `penstock run` does. Works after Ctrl-C, a pause, a crash, kill -9 and a wait for a rate limit, budget or approval.
    """
    before = Before(no_preflight=no_preflight, auto_sync=auto_sync)
    with open_workspace(db=db) as workspace:
        found = find_run(workspace.reader, run)
        run_id, rows = found.run_id, workspace.reader.list_workstreams(found.run_id)
        options = ResumeOptions(
            tool=tool,
            max_parallel=max_parallel,
            max_cost_usd=max_cost_usd,
            preflight=look_again(workspace, rows, tool or found.metadata.get("tool"), before),
        )
        return run_and_report(
            lambda observer, stop: workspace.resume(
                run_id, options=options, observer=observer, stop=stop
            ),
            [row.ws_id for row in rows],
            as_json=as_json,
            verbose=verbose,
            look=looker(workspace),
        )
