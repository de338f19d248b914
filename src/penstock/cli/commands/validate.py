"""`penstock validate`: every error of every bundle at once."""

from __future__ import annotations

from pathlib import Path

import click

from penstock.cli import output
from penstock.cli.documents import validation_document
from penstock.cli.options import db_option, json_option
from penstock.cli.problems import in_authors_words, show_errors
from penstock.errors import ExitCode
from penstock.wiring import open_workspace


@click.command("validate")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--dir", "directory", metavar="DIR",
    help="Folder of bundles (default: PIPELINE_WORKSTREAM_DIR, workstreams/).",
)  # fmt: skip
@click.option(
    "--run-id", metavar="RUN",
    help="When all is well, enter the bundles into this run of the journal as pending.",
)  # fmt: skip
@click.option("--authoring", is_flag=True, hidden=True)
@db_option
@json_option
def command(
    paths: tuple[Path, ...],
    directory: str | None,
    run_id: str | None,
    authoring: bool,
    db: str | None,
    as_json: bool,
) -> int:
    """Check bundles against the schema, their dependencies and each other's scopes.

    Without PATH all `*.json` of the folder are checked. A PATH is a file or a folder of bundles.
    Exits 1 when there is any error.
    """
    with open_workspace(db=db) as workspace:
        report = workspace.load_bundles(paths, directory=directory)
        if authoring:
            report = in_authors_words(report)
        if report.ok and run_id is not None:
            workspace.sync_bundles(run_id, [item.bundle for item in report.bundles])
        synced = run_id if report.ok else None
        if as_json:
            output.emit_json(validation_document(report, synced))
        elif report.ok:
            output.emit(f"{report.bundles_checked} workstream bundles validated successfully.")
            if synced:
                output.emit(f"Entered into run {synced}.")
        else:
            show_errors(report)
    return int(ExitCode.DONE if report.ok else ExitCode.FAILED)
