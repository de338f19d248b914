"""`aim scan restore`: undo a cleaning."""

from __future__ import annotations

import click

from penstock.aim_cli import files
from penstock.aim_cli.options import json_option
from penstock.cli import output
from penstock.environment.scan.api import TrashInfo
from penstock.errors import ExitCode
from penstock.wiring import open_workspace


@click.command("restore")
@click.argument("trash_id", metavar="[ID]", required=False)
@click.option("--list", "listing", is_flag=True, help="List what the trash holds; change nothing.")
@json_option
def command(trash_id: str | None, listing: bool, as_json: bool) -> int:
    """Put back what a cleaning moved to the trash: ID, or the newest.

    Nothing that is there by now is overwritten: it stays in the trash, is named, and the exit code
    is 1. A folder that is there again gets the files that it lacks.
    """
    with open_workspace() as workspace:
        if listing:
            _list(workspace.trash_sets(), as_json=as_json)
            return int(ExitCode.DONE)
        result = workspace.scan_restore(trash_id)
    if as_json:
        output.emit_json(result)
    else:
        files.show_restored(result)
    return int(ExitCode.FAILED if result.stayed else ExitCode.DONE)


def _list(sets: tuple[TrashInfo, ...], *, as_json: bool) -> None:
    if as_json:
        output.emit_json({"trash": sets})
    elif sets:
        output.table(files.TRASH_COLUMNS, [files.trash_row(info) for info in sets])
    else:
        output.emit("The trash is empty.")
    for info in sets:
        for note in info.notes:
            output.warn(f"{info.trash_id}: {note}")
