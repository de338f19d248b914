"""`penstock approve`: let a run pass a gate that waits for somebody's word."""

from __future__ import annotations

import getpass

import click

from penstock.cli import output
from penstock.cli.options import db_option, json_option
from penstock.cli.select import find_run
from penstock.engine.gates import approve_gate
from penstock.errors import UsageError
from penstock.wiring import open_workspace


@click.command("approve")
@click.argument("run", metavar="RUN")
@click.option(
    "--gate",
    metavar="N",
    type=click.IntRange(min=1),
    help="The gate to open (default: the lowest that waits).",
)
@click.option("--by", metavar="NAME", help="Who approves it (default: your login name).")
@click.option("--note", metavar="TEXT", help="Why; kept with the approval.")
@db_option
@json_option
def command(
    run: str, gate: int | None, by: str | None, note: str | None, db: str | None, as_json: bool
) -> int:
    """Approve a gate of RUN, for gates that `approvals` in config/pipeline.yaml holds back.

    It may be given before the run comes to the gate, and while it works; a run that has ended its
    process to wait goes on with `penstock resume RUN`. Once given it stays.
    """
    who = by or _login_name()
    with open_workspace(db=db) as workspace:
        found = find_run(workspace.reader, run)
        journal, needed = workspace.open_journal(create=False), workspace.settings.approvals
        opened = approve_gate(journal, found.run_id, gate, who, needed=needed, note=note)
    if as_json:
        output.emit_json({"run_id": found.run_id, "gate": opened, "approved_by": who, "note": note})
    else:
        output.emit(f"Gate {opened} of {found.run_id} is approved.")
        output.emit(f"Go on with: penstock resume {found.run_id}")
    return 0


def _login_name() -> str:
    """Return who we are. Raises UsageError on a machine that does not know."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError) as error:
        raise UsageError("it is not known who you are", hint="Pass --by NAME.") from error
