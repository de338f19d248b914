"""The `penstock` command: its table of commands, and the way in and out."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from penstock.cli.boundary import Boundary
from penstock.cli.lazy import Entry, LazyGroup

COMMANDS: tuple[Entry, ...] = (
    Entry("init", "Prepare this repository: workstreams/, config/pipeline.yaml, tools.", "Start"),
    Entry("demo", "Play the whole pipeline in a scratch repository, no key or network.", "Start"),
    Entry("validate", "Check workstream bundles and list every error at once.", "Work"),
    Entry("run", "Run workstreams: EDIT, STATIC, RUNTIME, with FIX turns in between.", "Work"),
    Entry("resume", "Go on with a run that was interrupted or killed.", "Work"),
    Entry("approve", "Let a run pass a gate that waits for approval.", "Work"),
    Entry("status", "List the runs, or the workstreams of one run.", "Look"),
    Entry("show", "Show the attempts of a run or workstream and why they ended so.", "Look"),
    Entry("logs", "Print what the tools and checks of a workstream said.", "Look"),
    Entry("events", "Print the events of a run.", "Look"),
    Entry("diff", "Print what a workstream changed.", "Look"),
    Entry("report", "Report on a run as text, Markdown, JSON or JUnit XML.", "Look"),
    Entry("db", "Create, inspect or migrate the journal's database.", "Care"),
    Entry("clean", "Remove old logs, prompts and merged worktrees of finished runs.", "Care"),
)

EPILOG = "RUN is a run id, an unambiguous beginning of one, or `latest`."


@click.group(
    cls=LazyGroup,
    entries=COMMANDS,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="penstock", message="penstock %(version)s")
def cli() -> None:
    """Turn workstream bundles into isolated, checked, merged code by driving AI coding CLIs."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; nothing is raised but SystemExit's kin.

    `argv` is without the program's name; None takes the process's own.
    """
    args = list(sys.argv[1:] if argv is None else argv)
    with Boundary(args) as boundary:
        boundary.code = _invoke(args)
    return boundary.code


def _invoke(args: list[str]) -> int:
    """Parse and run; a command returns its exit code or None for 0."""
    with cli.make_context("penstock", args) as context:
        outcome = cli.invoke(context)
    return outcome if isinstance(outcome, int) else 0


def _ensure_standard_streams() -> None:
    """Open /dev/null for each standard descriptor that the caller closed.

    Otherwise the journal's database could become descriptor 1 and be printed into.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _complete() -> int | None:
    """Answer a shell that asks for completions; None when none asks."""
    instruction = os.environ.get("_PENSTOCK_COMPLETE")
    if not instruction:
        return None
    from click.shell_completion import shell_complete

    return shell_complete(cli, {}, "penstock", "_PENSTOCK_COMPLETE", instruction)


def entry() -> None:
    """Run the console script and leave the process."""
    _ensure_standard_streams()
    code = _complete()
    sys.exit(main() if code is None else code)
