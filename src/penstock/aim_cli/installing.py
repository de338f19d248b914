"""`aim tools install`, `install-all`, `uninstall`, `list` and `verify`."""

from __future__ import annotations

import click

from penstock.aim_cli import packages
from penstock.aim_cli.options import json_option
from penstock.cli import output
from penstock.environment.api import Manager
from penstock.errors import ExitCode
from penstock.wiring import open_workspace


@click.command("install")
@click.argument("package")
@packages.manager_option(required=True, programs=False)
@click.option("--version", "-v", "wanted", metavar="VERSION", help="One version, or a range.")
@click.option("--force", "-f", is_flag=True, help="Install it again when it is there already.")
@json_option
def install(package: str, manager: str, wanted: str | None, force: bool, as_json: bool) -> int:
    """Install PACKAGE: in the version that is asked for, else as it is pinned, else the newest.

    When that fails, what was there before is put back.
    """
    with open_workspace() as workspace:
        report = packages.carried_out(
            lambda stop: workspace.install(
                package,
                Manager(manager),
                version=wanted,
                force=force,
                say=packages.progress(),
                stop=stop,
            )
        )
    return packages.finish(report, as_json=as_json)


@click.command("install-all")
@packages.manager_option(programs=False)
@click.option(
    "--rollback/--no-rollback", default=True, help="On a failure, put all back (default)."
)
@click.option("--parallel/--sequential", default=True, help="Managers side by side (default).")
@click.option("--dry-run", is_flag=True, help="Print the commands and change nothing.")
@json_option
def install_all(manager: str, rollback: bool, parallel: bool, dry_run: bool, as_json: bool) -> int:
    """Install every tool that aim_config names and that is missing.

    What is there in another version than pinned stays: `aim version sync` is for that.
    """
    with open_workspace() as workspace:
        report = packages.carried_out(
            lambda stop: workspace.sync(
                packages.chosen(manager),
                only_missing=True,
                dry_run=dry_run,
                rollback=rollback,
                parallel=parallel,
                say=packages.progress(),
                stop=stop,
            )
        )
    return packages.finish(report, as_json=as_json, dry_run=dry_run)


@click.command("uninstall")
@click.argument("package")
@packages.manager_option(required=True, programs=False)
@json_option
def uninstall(package: str, manager: str, as_json: bool) -> int:
    """Remove PACKAGE. Exits 2 when the manager has no such package."""
    with open_workspace() as workspace:
        report = packages.carried_out(
            lambda stop: workspace.uninstall(
                package, Manager(manager), say=packages.progress(), stop=stop
            )
        )
    return packages.finish(report, as_json=as_json)


@click.command("list")
@packages.manager_option()
@json_option
def list_(manager: str, as_json: bool) -> None:
    """Show what package managers have installed, and what of it is pinned."""
    with open_workspace() as workspace:
        report = workspace.version_report(packages.chosen(manager))
    there = [tool for tool in report.tools if tool.installed is not None]
    if as_json:
        output.emit_json(there)
    elif there:
        rows = [(t.tool, t.manager.value, t.installed or "-", t.pinned or "-") for t in there]
        output.table(("TOOL", "MANAGER", "VERSION", "PINNED"), rows)
    else:
        output.emit("No package manager has installed anything.")


@click.command("verify")
@packages.manager_option()
@json_option
def verify(manager: str, as_json: bool) -> int:
    """Look whether each tool is there, as pinned, and can be started: its programs lie on PATH, and
    their interpreters are there. Nothing is started. Exits 1 when something is wrong."""
    with open_workspace() as workspace:
        found = workspace.verify_tools(packages.chosen(manager))
    sound = all(tool.ok for tool in found)
    if as_json:
        output.emit_json({"ok": sound, "tools": found})
    else:
        rows = [(t.tool, t.manager.value, t.version or "-", t.trouble or "ok") for t in found]
        if rows:
            output.table(("TOOL", "MANAGER", "VERSION", "VERDICT"), rows)
        output.emit("All tools are sound." if sound else MENDING)
    return int(ExitCode.DONE if sound else ExitCode.FAILED)


MENDING = "Mend them: aim version sync, or aim tools install NAME --manager MANAGER --force"

COMMANDS: tuple[click.Command, ...] = (install, install_all, uninstall, list_, verify)
