"""`penstock retry`: try failed workstreams of a run again."""

from __future__ import annotations

import click
import msgspec

from penstock.cli.before import Before, look_again, preflight_options
from penstock.cli.looking import looker
from penstock.cli.options import db_option, json_option, max_cost_option, max_parallel_option
from penstock.cli.running import run_and_report
from penstock.cli.select import find_run, find_workstream
from penstock.cli.steering import report_asked
from penstock.engine.control import why_not_retried
from penstock.engine.ports import Observer, ResumeOptions
from penstock.errors import UsageError
from penstock.model.records import Run
from penstock.model.results import RunResult
from penstock.process.api import Stop
from penstock.wiring import Workspace, open_workspace


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
@preflight_options
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
    no_preflight: bool,
    auto_sync: bool,
    verbose: bool,
    db: str | None,
    as_json: bool,
) -> int:
    """Try workstreams of RUN again that failed or could not be merged, and go on with the run.

    The budgets of FIX turns begin anew; money that was spent stays spent. From `edit`, what was
    committed before is kept as a patch in state/artifacts and the work begins at the present head
    of the integration branch. Where another process works on the run, that one does it; else machine
    and repository are looked at first, as `penstock run` does.
    """
    options = ResumeOptions(tool=tool, max_parallel=max_parallel, max_cost_usd=max_cost_usd)
    with open_workspace(db=db) as workspace:
        found = find_run(workspace.reader, run)
        run_id, rows = found.run_id, workspace.reader.list_workstreams(found.run_id)
        names = _chosen(workspace, found, ws_ids, from_step, failed=failed)
        asked = workspace.is_worked_on(run_id)
        given: RunResult | None = None
        if asked:
            given = workspace.retry(run_id, names, from_step=from_step, options=options)
        if asked and given is None:
            return report_asked(
                workspace,
                run_id,
                done=False,
                as_json=as_json,
                what="",
                until=f"it tries {', '.join(names)} again.",
            )

        if given is None:
            tool = tool or found.metadata.get("tool")
            working = () if from_step == "integrate" else names
            before = Before(no_preflight=no_preflight, auto_sync=auto_sync)
            seen = look_again(workspace, rows, tool, before, again=working)
            options = msgspec.structs.replace(options, preflight=seen)

        def work(observer: Observer, stop: Stop) -> RunResult:
            result = given or workspace.retry(
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


def _chosen(
    workspace: Workspace, run: Run, words: tuple[str, ...], from_step: str, *, failed: bool
) -> list[str]:
    """Return the workstreams that are meant. Raises UsageError when there are none."""
    names = [find_workstream(workspace.reader, run, word).ws_id for word in words]
    if failed:
        rows = workspace.reader.list_workstreams(run.run_id)
        names += [r.ws_id for r in rows if why_not_retried(r, from_step) is None]
    if not names:
        what = "nothing in it can be retried" if failed else "say which workstream, or --failed"
        raise UsageError(f"{run.run_id}: {what}", hint=f"penstock status {run.run_id}")
    return list(dict.fromkeys(names))
