"""`aim setup`: bring the tools that aim_config names to this machine."""

from __future__ import annotations

from typing import Any

import click

from penstock.aim_cli import packages
from penstock.aim_cli.options import json_option
from penstock.cli import output
from penstock.environment.api import Health, HealthReport, SyncReport, Verdict
from penstock.errors import ExitCode
from penstock.wiring import Workspace, open_workspace


@click.command("setup")
@click.option("--all", "everything", is_flag=True, help="Tools, sync, and the health check.")
@click.option("--tools", "only_tools", is_flag=True, help="Install what is missing.")
@click.option("--sync", "only_sync", is_flag=True, help="Bring all tools to their pins.")
@click.option(
    "--manager", "-m", type=click.Choice([*packages.PACKAGE_MANAGERS, "all"]), default="all",
    help="One package manager alone.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Print the commands and change nothing.")
@json_option
def command(
    everything: bool, only_tools: bool, only_sync: bool, manager: str, dry_run: bool, as_json: bool
) -> int:
    """Install the tools that aim_config names and bring them to their pins.

    Both unless one is asked for. Each part is done as a whole or not at all. Exits 1 when a part
    failed, or with `--all` the machine is unhealthy.
    """
    neither = not only_tools and not only_sync
    wanted = {
        "tools": everything or only_tools or neither,
        "sync": everything or only_sync or neither,
    }
    parts: dict[str, SyncReport] = {}
    health: HealthReport | None = None
    with open_workspace() as workspace:
        for name, only_missing in (("tools", True), ("sync", False)):
            if wanted[name] and all(part.ok for part in parts.values()):
                parts[name] = _part(workspace, manager, only_missing=only_missing, dry_run=dry_run)
        if everything:
            health = workspace.health()
    return _finish(parts, health, dry_run=dry_run, as_json=as_json)


def _part(workspace: Workspace, manager: str, *, only_missing: bool, dry_run: bool) -> SyncReport:
    return packages.carried_out(
        lambda stop: workspace.sync(
            packages.chosen(manager),
            only_missing=only_missing,
            dry_run=dry_run,
            say=packages.progress(),
            stop=stop,
        )
    )


def _finish(
    parts: dict[str, SyncReport], health: HealthReport | None, *, dry_run: bool, as_json: bool
) -> int:
    if as_json:
        output.emit_json(_document(parts, health))
    else:
        _show(parts, health, dry_run=dry_run)
    unhealthy = health is not None and health.overall_status is Health.UNHEALTHY
    done = all(part.ok for part in parts.values()) and not unhealthy
    return int(ExitCode.DONE if done else ExitCode.FAILED)


def _document(parts: dict[str, SyncReport], health: HealthReport | None) -> dict[str, Any]:
    return {
        **{name: packages.change_document(part) for name, part in parts.items()},
        **({} if health is None else {"health": health}),
    }


def _show(parts: dict[str, SyncReport], health: HealthReport | None, *, dry_run: bool) -> None:
    titles = {"tools": "Missing tools:", "sync": "Pinned versions:"}
    for name, part in parts.items():
        output.emit(titles[name])
        packages.show_change(part, dry_run=dry_run)
    if health is not None:
        output.emit(f"Health: {health.overall_status.value}")
        for check in health.of(Verdict.FAIL):
            output.emit(f"  {check.name}: {check.message}")
            if check.hint:
                output.emit(f"    {check.hint}")
