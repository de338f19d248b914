"""`aim version`: the versions of this machine's tools, beside those that they shall have."""

from __future__ import annotations

import click

from penstock.aim_cli import packages
from penstock.aim_cli.options import json_option
from penstock.cli import output
from penstock.errors import ExitCode
from penstock.wiring import open_workspace


@click.group("version")
def command() -> None:
    """Hold tools to the versions that aim_config pins."""


@command.command("check")
@packages.manager_option()
@json_option
def check(manager: str, as_json: bool) -> int:
    """Compare what is installed with the pins of aim_config.

    Reads the metadata of packages and starts only programs that have none. Exits 1 when a pinned tool
    has another version or is missing; what is not pinned, or not known, is shown and no failure.
    """
    with open_workspace() as workspace:
        report = workspace.version_report(packages.chosen(manager))
    if as_json:
        output.emit_json(packages.version_document(report))
    else:
        if report.tools:
            output.table(packages.VERSION_COLUMNS, packages.version_rows(report))
        for line in packages.version_lines(report):
            output.emit(line)
    return int(ExitCode.FAILED if report.has_drift else ExitCode.DONE)


@command.command("sync")
@packages.manager_option()
@click.option("--dry-run", is_flag=True, help="Print the commands and change nothing.")
@click.option("--force", "-f", is_flag=True, help="Reinstall what is as pinned already.")
@click.option("--undo", is_flag=True, help="Put back what a sync that was cut off has changed.")
@json_option
def sync(manager: str, dry_run: bool, force: bool, undo: bool, as_json: bool) -> int:
    """Install exactly what is pinned: all of it, or nothing.

    Managers work side by side. When one package fails, the versions from before are put back, which is
    shown. Exits 1 then, and when something is not as pinned in the end.
    """
    if undo and (force or dry_run or manager != "all"):
        raise click.UsageError("--undo takes no other option but --json.")
    say = packages.progress()
    with open_workspace() as workspace:
        if undo:
            report = workspace.undo_sync(say=say)
        else:
            report = packages.carried_out(
                lambda stop: workspace.sync(
                    packages.chosen(manager), force=force, dry_run=dry_run, say=say, stop=stop
                )
            )
    return packages.finish(report, as_json=as_json, dry_run=dry_run)


@command.command("pin")
@packages.manager_option()
@click.option("--output", "-o", "target", metavar="FILE", help="Write this file, not aim_config.")
@click.option("--dry-run", is_flag=True, help="Show the pins and write nothing.")
@json_option
def pin(manager: str, target: str | None, dry_run: bool, as_json: bool) -> None:
    """Pin what is installed, in aim_config.

    All else in the file stays as it is, comments too; pins of what is not installed stay as well. Of an
    environment of pip only what is pinned already is taken, or with `--manager pip` all that was
    asked for by name.
    """
    with open_workspace() as workspace:
        chosen = packages.chosen(manager)
        report = workspace.pin(chosen, output=target, dry_run=dry_run)
    if as_json:
        output.emit_json(report)
        return
    rows = [(name, m, v) for m, own in report.pins.items() for name, v in own.items()]
    if rows:
        output.table(("TOOL", "MANAGER", "VERSION"), rows)
    verb = "would be changed" if dry_run else "changed"
    output.emit(f"{report.changed} pins {verb} in {', '.join(report.files)}.")


@command.command("report")
@packages.manager_option()
@click.option(
    "--format", "-f", "form", type=click.Choice(["table", "json", "markdown"]), default="table",
    help="As a table, as JSON or as Markdown.",
)  # fmt: skip
@json_option
def report_(manager: str, form: str, as_json: bool) -> None:
    """Print how every tool stands, for people or for a page; exits 0 whatever it says."""
    with open_workspace() as workspace:
        report = workspace.version_report(packages.chosen(manager))
    if as_json or form == "json":
        output.emit_json(packages.version_document(report))
    elif form == "markdown":
        for line in packages.markdown(report):
            output.emit(line)
    else:
        output.table(packages.VERSION_COLUMNS, packages.version_rows(report))
        for line in packages.version_lines(report):
            output.emit(line)
