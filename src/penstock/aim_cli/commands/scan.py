"""`aim scan`: look for duplicates, caches and secrets, and clean up."""

from __future__ import annotations

import click

from penstock.cli.lazy import Entry, LazyGroup

COMMANDS: tuple[Entry, ...] = (
    Entry("all", "Look for duplicates and misplaced caches in one walk.", "Look"),
    Entry("duplicates", "Look for files of the same content.", "Look"),
    Entry("caches", "Look for caches outside of the central one.", "Look"),
    Entry("secrets", "Look for keys, tokens and passwords in files, git, trail and logs.", "Look"),
    Entry("clean", "Move caches, and copies of files, to the trash.", "Change"),
    Entry("restore", "Put back what a cleaning moved to the trash.", "Change"),
)


@click.group("scan", cls=LazyGroup, entries=COMMANDS, package="penstock.aim_cli.scans")
def command() -> None:
    """Look for duplicates, caches and secrets; clean up, and undo that."""
