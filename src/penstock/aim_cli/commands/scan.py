"""`aim scan`: look for duplicates, caches and secrets, and clean up."""

from __future__ import annotations

import click

from penstock.cli.lazy import Entry, LazyGroup

COMMANDS: tuple[Entry, ...] = (
    Entry("secrets", "Look for keys, tokens and passwords in files, git, trail and logs.", "Look"),
)


@click.group("scan", cls=LazyGroup, entries=COMMANDS, package="penstock.aim_cli.scans")
def command() -> None:
    """Look for duplicates, caches and secrets; clean up, and undo that."""
