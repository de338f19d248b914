"""Running and resuming: watch it, let the user stop it, print what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from penstock.cli import output
from penstock.cli.documents import run_document
from penstock.cli.live import make_watcher
from penstock.cli.looking import Look
from penstock.cli.render import SUMMARY_COLUMNS, summary_rows, totals
from penstock.cli.signals import stop_on_signals
from penstock.cli.words import one_line
from penstock.engine.ports import Observer, PlannedWorkstream
from penstock.errors import ExitCode, Interrupted
from penstock.model.results import RunResult
from penstock.process.api import Stop
from penstock.schedule.readiness import Reason

Work = Callable[[Observer, Stop], RunResult]


def run_and_report(
    work: Work,
    ws_ids: Sequence[str] = (),
    *,
    as_json: bool,
    verbose: bool,
    look: Look | None = None,
) -> int:
    """Do the work while the user watches, print its result and return the exit code."""
    watched = make_watcher(ws_ids, verbose=verbose, look=look)
    with watched as watcher, stop_on_signals(Stop()) as stop:
        try:
            result = work(watcher, stop)
        except Interrupted as stopped:
            stopped.hint = stopped.hint or f"penstock resume {watcher.run_id or 'RUN'}"
            raise
    if as_json:
        output.emit_json(run_document(result))
    else:
        show_result(result)
    return int(ExitCode.DONE if result.status == "succeeded" else ExitCode.FAILED)


NARROW = 80
"""Columns of a terminal that nobody has made wider."""


def show_result(result: RunResult) -> None:
    """Print the summary of a run and the commands that come next."""
    head, sums = f"Run {result.run_id}: {result.status}.", f"{totals(result.workstreams)}."
    output.emit(f"{head} {sums}" if len(head) + len(sums) < NARROW else f"{head}\n{sums}")
    output.table(SUMMARY_COLUMNS, summary_rows(result))
    output.emit()
    for line in next_steps(result):
        output.emit(line)


def next_steps(result: RunResult) -> list[str]:
    """Return what the user may want to do now, a command a line."""
    run_id = result.run_id
    if result.status == "running":
        return _what_it_waits_for(result)
    lines = []
    failed = [w.ws_id for w in result.workstreams if w.final_status == "failed"]
    if failed:
        lines.append(f"Why:    penstock show {run_id} {failed[0]}")
    if failed and result.status == "failed":  # a canceled run has ended for good
        lines.append(f"Again:  penstock retry {run_id} --failed")
    if any(w.final_status == "done" for w in result.workstreams):
        lines.append(f"Result: git log --oneline --graph integration/{run_id}")
        partly = "" if result.status == "succeeded" else " --partial"
        lines.append(f"Take:   penstock integrate {run_id} --into BRANCH{partly}")
    lines.append(f"Report: penstock report {run_id}")
    return lines


def _what_it_waits_for(result: RunResult) -> list[str]:
    run_id = result.run_id
    if any(workstream.reason == Reason.BUDGET for workstream in result.workstreams):
        return [
            f"It waits for your word on its budget; what is in the way: penstock status {run_id}",
            f"With more:           penstock resume {run_id} --max-cost-usd USD",
            f"With other settings: edit config/pipeline.yaml, then penstock resume {run_id}",
        ]
    if any((w.reason or "").startswith(Reason.APPROVAL) for w in result.workstreams):
        return [
            f"It waits to be approved: penstock approve {run_id}, then penstock resume {run_id}"
        ]
    return [f"It waits. Go on with: penstock resume {run_id}"]


def show_plan(plan: Sequence[PlannedWorkstream], result: RunResult, *, as_json: bool) -> int:
    """Print what a dry run would do; nothing was started or written."""
    if as_json:
        output.emit_json(run_document(result, tuple(plan)))
        return int(ExitCode.DONE)
    output.emit("Dry run: nothing is started and nothing is written.")
    for number, workstream in enumerate(plan, 1):
        _show_workstream(number, workstream)
    return int(ExitCode.DONE)


def _show_workstream(number: int, workstream: PlannedWorkstream) -> None:
    after = f", after {', '.join(workstream.depends_on)}" if workstream.depends_on else ""
    output.emit()
    output.emit(f"{number}. {workstream.ws_id} with {workstream.tool}{after}")
    output.emit(f"   branch: {workstream.branch}")
    for step in workstream.steps:
        command = shell_words(step.argv)
        named = "" if step.what == command else f"{step.what}: "
        output.emit(f"   {step.step}: {named}{command}")
    for note in workstream.notes:
        output.emit(f"   note: {one_line(note)}")
    output.emit("   prompt:")
    for line in workstream.prompt.splitlines():
        output.emit(f"   | {output.displayed(line)}".rstrip())


def shell_words(argv: Sequence[str]) -> str:
    """Return a command line as one would type it, in one line."""
    import shlex

    return one_line(shlex.join(argv))
