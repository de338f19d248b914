"""`penstock approve`: let a run pass a gate that waits for somebody's word."""

from __future__ import annotations

import getpass

import click

from penstock.cli import output
from penstock.cli.options import db_option, json_option
from penstock.cli.select import find_run
from penstock.errors import UsageError
from penstock.model.records import Run
from penstock.model.states import RunState
from penstock.store.api import Journal
from penstock.wiring import open_workspace

UNFINISHED = frozenset({RunState.PENDING, RunState.RUNNING})


@click.command("approve")
@click.argument("run", metavar="RUN")
@click.option(
    "--gate", metavar="N", type=click.IntRange(min=1), required=True, help="The gate to open."
)
@click.option("--by", metavar="NAME", help="Who approves it (default: your login name).")
@click.option("--note", metavar="TEXT", help="Why; kept with the approval.")
@db_option
@json_option
def command(
    run: str, gate: int, by: str | None, note: str | None, db: str | None, as_json: bool
) -> int:
    """Approve gate N of RUN, for gates that `approvals` in config/pipeline.yaml holds back.

    It may be given before the run comes to the gate, and while it works; a run that has ended its
    process to wait goes on with `penstock resume RUN`. Once given it stays.
    """
    who = by or _login_name()
    with open_workspace(db=db) as workspace:
        found = find_run(workspace.reader, run)
        _require(workspace.reader, found, gate)
        workspace.open_journal(create=False).approve(found.run_id, gate, who, note)
    if as_json:
        output.emit_json({"run_id": found.run_id, "gate": gate, "approved_by": who, "note": note})
    else:
        output.emit(f"Gate {gate} of {found.run_id} is approved.")
        output.emit(f"Go on with: penstock resume {found.run_id}")
    return 0


def _require(journal: Journal, run: Run, gate: int) -> None:
    """Raise UsageError when the run has ended or has no such gate."""
    if run.status not in UNFINISHED:
        raise UsageError(
            f"run {run.run_id} has ended ({run.status.value})",
            hint=f"penstock status {run.run_id}",
        )
    rows = journal.list_workstreams(run.run_id)
    gates = sorted({row.gate for row in rows if row.gate is not None})
    if gate not in gates:
        names = ", ".join(str(number) for number in gates)
        raise UsageError(f"{run.run_id} has no gate {gate} (it has: {names})")


def _login_name() -> str:
    """Return who we are. Raises UsageError on a machine that does not know."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError) as error:
        raise UsageError("it is not known who you are", hint="Pass --by NAME.") from error
