"""`aim scan all`: duplicates and caches in one walk."""

from __future__ import annotations

import click

from penstock.aim_cli import files
from penstock.aim_cli.options import json_option
from penstock.cli import output


@click.command("all")
@click.argument("paths", nargs=-1, type=click.Path())
@files.min_size_option
@files.listing_options
@json_option
def command(
    paths: tuple[str, ...],
    *,
    min_size: int | None,
    show_all: bool,
    no_ignore: bool,
    as_json: bool,
) -> None:
    """Look for duplicates and misplaced caches below PATHS, or in the repository, in one walk.

    Secrets are looked for by `aim scan secrets`, whose findings fail.
    """
    report = files.looked_at(paths, min_size_kb=min_size, obey=not no_ignore)
    if as_json:
        output.emit_json(report)
        return
    files.show_duplicates(report, show_all=show_all)
    output.emit()
    files.show_caches(report, show_all=show_all)
    files.show_notes(report.notes, show_all=show_all)
