"""`aim scan caches`: caches that are not where they belong."""

from __future__ import annotations

import click

from penstock.aim_cli import files
from penstock.aim_cli.options import json_option
from penstock.cli import output


@click.command("caches")
@click.argument("paths", nargs=-1, type=click.Path())
@files.listing_options
@json_option
def command(paths: tuple[str, ...], *, show_all: bool, no_ignore: bool, as_json: bool) -> None:
    """Look for caches of tools outside of the central one (environment.centralCache).

    Looks below PATHS, or in the repository, in ignored folders too. Those of .aider, .jules and
    .claude hold settings of yours: they are reported, and never cleaned up.
    """
    report = files.looked_at(paths, duplicates=False, obey=not no_ignore)
    if as_json:
        output.emit_json(report)
        return
    files.show_caches(report, show_all=show_all)
    files.show_notes(report.notes, show_all=show_all)
