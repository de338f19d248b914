"""`penstock approve`: let a run pass a gate that waits for somebody's word."""

from __future__ import annotations

import click

from penstock.cli import output
from penstock.cli.options import db_option, json_option
from penstock.cli.select import find_run
from penstock.cli.steering import who
from penstock.engine.gates import approve_gate
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
    name = by or who()
    with open_workspace(db=db) as workspace:
        found = find_run(workspace.reader, run)
        journal, needed = workspace.open_journal(create=False), workspace.settings.approvals
        opened = approve_gate(journal, found.run_id, gate, name, needed=needed, note=note)
    if as_json:
        output.emit_json(
            {"run_id": found.run_id, "gate": opened, "approved_by": name, "note": note}
        )
    else:
        output.emit(f"Gate {opened} of {found.run_id} is approved.")
        output.emit(f"Go on with: penstock resume {found.run_id}")
    return 0
