"""`penstock retry`: try failed workstreams of a run again."""

from __future__ import annotations

import click

from penstock.cli import output
from penstock.cli.looking import looker
from penstock.cli.options import db_option, json_option, max_cost_option, max_parallel_option
from penstock.cli.running import run_and_report
from penstock.cli.select import find_run
from penstock.engine.control import why_not_retried
from penstock.engine.ports import Observer, ResumeOptions
from penstock.errors import UsageError
from penstock.model.results import RunResult
from penstock.process.api import Stop
from penstock.wiring import open_workspace


@click.command("retry")
@click.argument("run", metavar="RUN")
@click.argument("ws_ids", metavar="[WS_ID]...", nargs=-1)
@click.option("--failed", is_flag=True, help="Retry all that failed or could not be merged.")
@click.option(
    "--from",
    "from_step",
    type=click.Choice(["edit", "static", "runtime", "integrate"]),
    default="edit",
    show_default=True,
    help="Begin anew with this step, and keep what the ones before it have made.",
)
@click.option("--tool", metavar="TOOL", help="Use this tool from now on.")
@max_parallel_option
@max_cost_option
@click.option("-v", "--verbose", is_flag=True, help="Print what the tools print.")
@db_option
@json_option
def command(
    run: str,
    ws_ids: tuple[str, ...],
    failed: bool,
    from_step: str,
    tool: str | None,
    max_parallel: int | None,
    max_cost_usd: float | None,
    verbose: bool,
    db: str | None,
    as_json: bool,
) -> int:
    """Try workstreams of RUN again that failed or could not be merged, and go on with the run.

    The budgets of FIX turns begin anew; money that was spent stays spent. From `edit`, what was
    committed before is kept as a patch in state/artifacts and the work begins at the present head
    of the integration branch. Where another process works on the run, that one does it.
    """
    options = ResumeOptions(tool=tool, max_parallel=max_parallel, max_cost_usd=max_cost_usd)
    with open_workspace(db=db) as workspace:
        run_id = find_run(workspace.reader, run).run_id
        rows = workspace.reader.list_workstreams(run_id)
        names = list(ws_ids)
        if failed:
            names += [r.ws_id for r in rows if why_not_retried(r) is None and r.ws_id not in names]
        if not names:
            what = "nothing in it has failed" if failed else "say which workstream"
            raise UsageError(f"{run_id}: {what}", hint=f"penstock status {run_id}")
        if workspace.is_worked_on(run_id):
            workspace.retry(run_id, names, from_step=from_step, options=options)
            output.emit(f"Asked the process that works on {run_id} to retry {', '.join(names)}.")
            return 0

        def work(observer: Observer, stop: Stop) -> RunResult:
            result = workspace.retry(
                run_id, names, from_step=from_step, options=options, observer=observer, stop=stop
            )
            return result or workspace.result(run_id)

        return run_and_report(
            work,
            [r.ws_id for r in rows],
            as_json=as_json,
            verbose=verbose,
            look=looker(workspace),
        )
