"""`aim tools`: the tools of this machine: installing them, and what penstock relies on in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

from penstock.aim_cli import installing, screens
from penstock.aim_cli.options import json_option
from penstock.cli import output
from penstock.errors import ExitCode
from penstock.trust import Standing, Vetted
from penstock.wiring import Workspace, open_workspace

CODE_COLUMNS = ("CODE OF OTHERS", "STATE", "SINCE", "FILE")
COLUMNS = ("TOOL", "VERSION", "MEASURED WITH", "CONTRACT")


@click.group("tools")
def command() -> None:
    """Install and look at the tools of this machine."""


for _command in installing.COMMANDS:
    command.add_command(_command)


@command.command("contract")
@click.argument("tool", required=False)
@click.option("--fresh", is_flag=True, help="Probe again what is known already.")
@click.option("--accept", is_flag=True, help="Take code of others as it is now, changed or not.")
@json_option
def contract(tool: str | None, fresh: bool, accept: bool, as_json: bool) -> int:
    """Hold the installed AI CLIs, or TOOL alone, against what their adapters rely on.

    Starts `--version` and `--help` of each and has its parser read a recorded stream; takes no key
    and makes no request. Results are kept until the tool changes. Then the code of others that may
    be started here (adapter programs, plugins, programs of tool profiles): whether others can change
    it, whether it is what it was, and what bandit and shellcheck find in it. Exits 1 on any
    mismatch, for code that is refused or has changed, and when TOOL is not installed.
    """
    with open_workspace() as workspace:
        side = workspace.tool_side()
        wanted = [tool] if tool is not None else side.with_contract()
        found = side.probe_contracts(wanted, fresh=fresh)
        codes = _code_of_others(workspace, accept=accept) if accept or tool is None else {}
    if as_json:
        told = {t: screens.contract_document(result) for t, result in found.items()}
        output.emit_json({**told, **({"code": screens.code_documents(codes)} if codes else {})})
    else:
        rows = [screens.contract_row(tool_id, result) for tool_id, result in found.items()]
        output.table(COLUMNS, rows)
        _show_code(codes)
    broken = any(result is not None and result.mismatches for result in found.values())
    missing = tool is not None and found[tool] is None
    doubtful = any(not vetted.ok for vetted in codes)
    return int(ExitCode.FAILED if broken or missing or doubtful else ExitCode.DONE)


def _code_of_others(workspace: Workspace, *, accept: bool) -> dict[Vetted, tuple[str, ...]]:
    """Return the code of others, each with what linters find in it."""
    codes = workspace.accept_code() if accept else workspace.vet()
    return {vetted: workspace.lint_code(vetted) for vetted in codes}


def _show_code(codes: Mapping[Vetted, Sequence[str]]) -> None:
    if not codes:
        return
    output.emit()
    output.table(CODE_COLUMNS, [screens.code_row(vetted) for vetted in codes])
    for vetted, lines in codes.items():
        for line in lines:
            output.emit(f"{vetted.name}: {output.displayed(line)}")
    if any(vetted.standing is Standing.CHANGED for vetted in codes):
        output.warn("Hint: look at what has changed; aim tools contract --accept takes it as it is")
