"""The `aim` command: its table of commands, and the way in and out."""

from __future__ import annotations

from collections.abc import Sequence

import click

from penstock.cli.lazy import Entry, LazyGroup
from penstock.cli.program import enter, run_line

COMMANDS: tuple[Entry, ...] = (
    Entry("status", "Show the registry, its tools, and who would do which work now.", "Look"),
    Entry("health", "Look whether this machine is fit: check, report, verify.", "Look"),
    Entry("route", "Tell which tool would take a capability, and why.", "Look"),
    Entry("audit", "Search, count, prove, export and shorten the audit trail.", "Look"),
    Entry("setup", "Bring the tools that aim_config names to this machine.", "Set up"),
    Entry(
        "tools", "Install tools, and look whether they are sound and keep their contract.", "Set up"
    ),
    Entry("version", "Hold tools to the versions that aim_config pins.", "Set up"),
    Entry("scan", "Look for duplicates, caches and secrets; clean up, and undo that.", "Look"),
    Entry("config", "Show aim_config, where each value is from, and what is wrong.", "Set up"),
    Entry("migrate", "Bring AI_MANGER over: back up, apply, validate, roll back.", "Set up"),
    Entry("secrets", "Keep keys and passwords in a vault, and hand them to tools.", "Set up"),
)

EPILOG = "Every command takes --json (also --json-output, -j)."


@click.group(
    cls=LazyGroup,
    entries=COMMANDS,
    package="penstock.aim_cli.commands",
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="penstock", prog_name="aim", message="aim %(version)s")
def cli() -> None:
    """Know the AI tools of this machine: who does which work, and what was done, provably."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; nothing is raised but SystemExit's kin.

    `argv` is without the program's name; None takes the process's own.
    """
    return run_line(cli, "aim", argv)


def entry() -> None:
    """Run the console script and leave the process."""
    enter(cli, "aim")
