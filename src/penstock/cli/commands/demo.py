"""`penstock demo`: the main job in a scratch repository, without a key or a network."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from penstock.cli import output
from penstock.cli.documents import run_document
from penstock.cli.live import make_watcher
from penstock.cli.looking import looker
from penstock.cli.options import json_option
from penstock.cli.render import SUMMARY_COLUMNS, summary_rows, totals
from penstock.cli.signals import stop_on_signals
from penstock.demo.play import DemoResult, play, prepare
from penstock.errors import ExitCode
from penstock.process.api import Stop
from penstock.wiring import open_workspace


@click.command("demo")
@click.option(
    "--keep",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Put the repository there (an empty or missing folder) instead of a temporary one.",
)
@json_option
def command(keep: Path | None, as_json: bool) -> int:
    """Run workstreams of a small Python package with the built-in scripted tool, live.

    Some pass at once, some need a FIX turn, one is stopped by a breaker. Exits 0 when each ended as
    scripted.
    """
    folder = prepare(keep)
    output.warn(f"A scratch repository was made in {folder}")
    with open_workspace(folder) as workspace:
        watched = make_watcher(look=looker(workspace))
        with watched as watcher, stop_on_signals(Stop()) as stop:
            result = play(folder, observer=watcher, stop=stop)
    if as_json:
        document = {"repo": result.repo, "run_id": result.run_id, "as_scripted": result.as_scripted}
        output.emit_json({**document, "result": run_document(result.result)})
    else:
        _show(result)
    return int(ExitCode.DONE if result.as_scripted else ExitCode.FAILED)


def _show(demo: DemoResult) -> None:
    result = demo.result
    output.emit(f"{totals(result.workstreams)}.")
    output.table(SUMMARY_COLUMNS, summary_rows(result))
    output.emit()
    failed = [w.ws_id for w in result.workstreams if w.final_status == "failed"]
    if demo.as_scripted:
        output.emit(f"Each ended as scripted; {', '.join(failed)} was to be stopped by a breaker.")
    else:
        output.emit("This is not how the demonstration should end.")
    output.emit("What to look at, in the repository that was made:")
    output.emit(f"  cd {demo.repo}")
    output.emit(f"  git log --oneline --graph integration/{demo.run_id}")
    penstock = _program()
    for ws_id in failed[:1]:
        output.emit(f"  {penstock} show latest {ws_id}    # why it was stopped")
    output.emit(f"  {penstock} report latest --format md    # the whole run")
    output.emit(f"  {penstock} db inspect    # the journal, state/pipeline.db")


def _program() -> str:
    """Return how penstock is called from here: by name when it is on PATH."""
    beside = Path(sys.executable).with_name("penstock")
    return "penstock" if shutil.which("penstock") or not beside.exists() else str(beside)
