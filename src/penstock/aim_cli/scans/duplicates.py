"""`aim scan duplicates`: files of the same content."""

from __future__ import annotations

import click

from penstock.aim_cli import files
from penstock.aim_cli.options import json_option
from penstock.cli import output


@click.command("duplicates")
@click.argument("paths", nargs=-1, type=click.Path())
@files.min_size_option
@click.option("--extension", "-e", "extensions", metavar="EXT", multiple=True,
              help="Only files whose names end so; may be given more than once.")  # fmt: skip
@files.listing_options
@json_option
def command(
    paths: tuple[str, ...],
    *,
    min_size: int | None,
    extensions: tuple[str, ...],
    show_all: bool,
    no_ignore: bool,
    as_json: bool,
) -> None:
    """Look for files of the same content below PATHS, or in the repository.

    Links are no duplicates, neither hard nor symbolic ones. Repositories' own folders, virtual
    environments, installed packages and build outputs are left out, and so is what .gitignore,
    .aiignore and the scanner's settings in aim_config ignore.
    """
    report = files.looked_at(
        paths, caches=False, min_size_kb=min_size, extensions=extensions, obey=not no_ignore
    )
    if as_json:
        output.emit_json(report)
        return
    files.show_duplicates(report, show_all=show_all)
    files.show_notes(report.notes, show_all=show_all)
