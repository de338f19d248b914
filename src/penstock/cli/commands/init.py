"""`penstock init`: prepare a repository, or say what it lacks."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from penstock.cli import output
from penstock.cli.options import json_option
from penstock.environment.api import InitReport
from penstock.errors import ExitCode
from penstock.wiring import open_workspace

WORDS = {"present": "is there", "created": "created", "missing": "MISSING"}


@click.command("init")
@click.option("--check", is_flag=True, help="Only report; exit 1 when something is missing.")
@json_option
def command(check: bool, as_json: bool) -> int:
    """Prepare this repository: workstreams/ with an example, config/pipeline.yaml, hidden folders.

    Hides penstock's own folders through .git/info/exclude; no tracked file is edited. Says which
    AI coding CLIs this machine has. Safe to repeat.
    """
    with open_workspace() as workspace:
        report = workspace.initialise(check=check)
    if as_json:
        output.emit_json(_document(report))
    else:
        _print(report, check=check)
    return int(ExitCode.FAILED if check and not report.ok else ExitCode.DONE)


def _document(report: InitReport) -> dict[str, Any]:
    return {"ok": report.ok, **msgspec.structs.asdict(report)}


def _print(report: InitReport, *, check: bool) -> None:
    output.emit(f"Repository {report.root}")
    rows = [(piece.path, piece.what, WORDS[piece.state]) for piece in report.pieces]
    output.table(("PATH", "WHAT", "STATE"), rows)
    output.emit()
    found = [cli for cli in report.clis if cli.path]
    output.emit("AI coding CLIs")
    output.table(
        ("TOOL", "VERSION", "INSTALL OR PLACE"),
        [(c.tool_id, _version(c.path, c.version), c.path or c.install) for c in report.clis],
    )
    output.emit()
    for problem in report.problems:
        output.emit(f"Problem: {problem}")
    if not found:
        output.emit("No AI coding CLI was found: install one of the above. The built-in tool")
        output.emit("`scripted` needs none: `penstock demo` shows the pipeline with it.")
    if not check and not report.problems:
        example = any(piece.what == "example bundle" for piece in report.pieces)
        ws_id = "ws-example" if example else "WS_ID"
        output.emit(f"Next: penstock validate, then penstock run {ws_id} --dry-run")


def _version(path: str | None, version: str | None) -> str:
    if path is None:
        return "missing"
    return version or "found"
