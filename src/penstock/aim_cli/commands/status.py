"""`aim status`: the registry, its tools, and who would do which work now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

from penstock.aim_cli import screens
from penstock.aim_cli.options import json_option
from penstock.cli import output
from penstock.environment.api import HealthReport
from penstock.errors import AIMRegistryNotFoundError, ExitCode
from penstock.routing.api import RouteDecision
from penstock.toolside import ToolSide, ToolStatus
from penstock.wiring import Workspace, open_workspace


@click.command("status")
@json_option
def command(as_json: bool) -> None:
    """Show the registry's tools, who is signed in or cooling down, and who would be chosen now.

    Exits 1 when the registry is missing.
    """
    with open_workspace() as workspace:
        try:
            side = workspace.tool_side()
        except AIMRegistryNotFoundError as error:
            error.exit_code = ExitCode.FAILED  # documented for this command
            raise
        tools = side.statuses()
        decisions = {name: side.decide(name) for name in sorted(side.registry.rules.capabilities)}
        health = workspace.health(quick=True)
        if as_json:
            _emit_document(workspace, side, tools, decisions, health)
        else:
            _show(workspace, side, tools, decisions, health)


def _emit_document(
    workspace: Workspace,
    side: ToolSide,
    tools: Sequence[ToolStatus],
    decisions: Mapping[str, RouteDecision],
    health: HealthReport,
) -> None:
    trail = str(workspace.audit_folder)
    settings = workspace.aim_settings
    document = screens.status_document(side.registry, settings, trail, tools, decisions)
    output.emit_json({**document, "health": screens.health_document(health)})


def _show(
    workspace: Workspace,
    side: ToolSide,
    tools: Sequence[ToolStatus],
    decisions: Mapping[str, RouteDecision],
    health: HealthReport,
) -> None:
    for line in screens.documented_screen(side.registry, tools):
        output.emit(line)
    output.emit()
    trail = str(workspace.audit_folder)
    for line in screens.settings_lines(side.registry, workspace.aim_settings, trail):
        output.emit(line)
    output.emit(screens.cooling_line(tools, side.now))
    for line in screens.health_lines(health):
        output.emit(line)
    rows = screens.tool_rows(tools, side.now)
    if rows:
        output.emit()
        output.table(screens.TOOL_COLUMNS, rows)
    _show_absent(side, tools)
    output.emit("\nChosen now:")
    for decision in decisions.values():
        output.emit(screens.decision_line(decision))
        for line in screens.rejected_lines(decision):
            output.emit(line)


def _show_absent(side: ToolSide, tools: Sequence[ToolStatus]) -> None:
    """Show how to get what is not there, and what nobody has proven."""
    absent = list(screens.absent_lines(tools, side.registry))
    if absent:
        output.emit("\nNot installed:")
        for line in absent:
            output.emit(line)
    unproven = screens.unproven_line(tools)
    if unproven is not None:
        output.emit(f"\n{unproven}")
