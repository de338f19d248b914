"""`aim route`: which tool would take a capability now, without starting anything."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from penstock.aim_cli import screens
from penstock.aim_cli.options import json_option
from penstock.cli import output
from penstock.errors import ExitCode, UsageError
from penstock.routing.api import RouteDecision
from penstock.wiring import open_workspace


@click.command("route")
@click.argument("capability")
@click.option(
    "--payload", metavar="JSON", help="The payload to judge, as JSON or as @FILE (- is stdin)."
)
@click.option("--explain", is_flag=True, help="Say why each candidate comes where it does.")
@json_option
def command(capability: str, payload: str | None, explain: bool, as_json: bool) -> int:
    """Decide which tool would take CAPABILITY now: candidates in order, rejected ones with reasons.

    Exits 1 when no tool is left, or when the payload breaks a security limit.
    """
    given = None if payload is None else read_payload(payload)
    with open_workspace() as workspace:
        side = workspace.tool_side()
        decision = side.decide(capability, given)
        refusal = None if given is None else workspace.check_payload(workspace.root, given)
    if as_json:
        output.emit_json({**screens.decision_document(decision), "refused": refusal})
    else:
        _show(decision, refusal, explain=explain)
    fine = refusal is None and decision.tool_id is not None
    return int(ExitCode.DONE if fine else ExitCode.FAILED)


def read_payload(text: str) -> dict[str, Any]:
    """Return the payload that `--payload` means. Raises UsageError when it is no JSON object."""
    try:
        value = json.loads(_payload_text(text))
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"--payload is no JSON: {error}", hint="""--payload '{"prompt": "..."}'"""
        ) from error
    if not isinstance(value, dict):
        raise UsageError("--payload must be a JSON object")
    return value


def _payload_text(text: str) -> str:
    if text == "-":
        return sys.stdin.read()
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--payload: {text[1:]}: {error.strerror}") from error


def _show(decision: RouteDecision, refusal: str | None, *, explain: bool) -> None:
    if refusal is not None:
        output.emit(f"refused: {refusal}")
    output.emit(screens.decision_line(decision))
    for number, tool_id in enumerate(decision.order, 1):
        output.emit(f"  {number}. {tool_id}")
    for line in screens.rejected_lines(decision):
        output.emit(line)
    if explain:
        output.emit(f"strategy: {decision.strategy.value}")
        if decision.delay_s > 0:
            output.emit(f"after a pause of {decision.delay_s:.1f} s")
