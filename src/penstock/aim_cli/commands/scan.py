"""`aim scan`: look for duplicates, caches and secrets, and clean up."""

from __future__ import annotations

import click

from penstock.cli.lazy import Entry, LazyGroup

COMMANDS: tuple[Entry, ...] = ()


@click.group("scan", cls=LazyGroup, entries=COMMANDS, package="penstock.aim_cli.scans")
def command() -> None:
    """Look for duplicates, caches and secrets; clean up, and undo that."""
