"""`aim tools`: the tools of this machine: installing them, and what penstock relies on in them."""

from __future__ import annotations

import click

from penstock.aim_cli import installing, screens
from penstock.aim_cli.options import json_option
from penstock.cli import output
from penstock.errors import ExitCode
from penstock.wiring import open_workspace

COLUMNS = ("TOOL", "VERSION", "MEASURED WITH", "CONTRACT")


@click.group("tools")
def command() -> None:
    """Install and look at the tools of this machine."""


for _command in installing.COMMANDS:
    command.add_command(_command)


@command.command("contract")
@click.argument("tool", required=False)
@click.option("--fresh", is_flag=True, help="Probe again what is known already.")
@json_option
def contract(tool: str | None, fresh: bool, as_json: bool) -> int:
    """Hold the installed AI CLIs, or TOOL alone, against what their adapters rely on.

    Starts `--version` and `--help` of each and has its parser read a recorded stream; takes no key
    and makes no request. Results are kept until the tool changes. Exits 1 on any mismatch, and when
    TOOL is not installed.
    """
    with open_workspace() as workspace:
        side = workspace.tool_side()
        wanted = [tool] if tool is not None else side.with_contract()
        found = side.probe_contracts(wanted, fresh=fresh)
    if as_json:
        output.emit_json({t: screens.contract_document(result) for t, result in found.items()})
    else:
        rows = [screens.contract_row(tool_id, result) for tool_id, result in found.items()]
        output.table(COLUMNS, rows)
    broken = any(result is not None and result.mismatches for result in found.values())
    missing = tool is not None and found[tool] is None
    return int(ExitCode.FAILED if broken or missing else ExitCode.DONE)
