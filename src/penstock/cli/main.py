"""The `penstock` command: its table of commands, and the way in and out."""

from __future__ import annotations

from collections.abc import Sequence

import click

from penstock.cli.lazy import Entry, LazyGroup
from penstock.cli.program import enter, run_line

COMMANDS: tuple[Entry, ...] = (
    Entry("init", "Prepare this repository: workstreams/, config/pipeline.yaml, tools.", "Start"),
    Entry("demo", "Play the whole pipeline in a scratch repository, no key or network.", "Start"),
    Entry("plan", "Make bundles of a spec, an epic, tasks or a checklist.", "Work"),
    Entry("validate", "Check workstream bundles and list every error at once.", "Work"),
    Entry("spec", "List the tags of your documents, map them to code, check them.", "Work"),
    Entry("check", "Check files with every checker; what is unchanged is not run again.", "Work"),
    Entry("run", "Run workstreams: EDIT, STATIC, RUNTIME, with FIX turns in between.", "Work"),
    Entry("resume", "Go on with a run that was interrupted or killed.", "Work"),
    Entry("retry", "Try failed workstreams of a run again.", "Work"),
    Entry("pause", "Let a run begin nothing more until it is resumed.", "Work"),
    Entry("cancel", "End a run for good.", "Work"),
    Entry("quarantine", "Set a failed workstream, or a run, apart with its evidence.", "Work"),
    Entry("approve", "Let a run pass a gate that waits for approval.", "Work"),
    Entry("errors", "Mend files step by step: fixers, then one AI agent after another.", "Work"),
    Entry("hooks", "Check what is about to be committed, in a git hook.", "Work"),
    Entry("integrate", "Hand the result of a run over to a branch of yours.", "Work"),
    Entry("sync", "Write the results of RUN back into the plan that it came from.", "Work"),
    Entry("status", "List the runs, or the workstreams of one run.", "Look"),
    Entry("show", "Show the attempts of a run or workstream and why they ended so.", "Look"),
    Entry("logs", "Print what the tools and checks of a workstream said.", "Look"),
    Entry("events", "Print the events of a run.", "Look"),
    Entry("graph", "Show what may run side by side, what waits, and what that costs.", "Look"),
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
    return run_line(cli, "penstock", argv)


def entry() -> None:
    """Run the console script and leave the process."""
    enter(cli, "penstock")
