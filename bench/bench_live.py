"""What watching costs: the live view of 200 workstreams at four frames a second.

    python bench/bench_live.py [--workstreams 200] [--seconds 10] [--columns 120] [--lines 40]

Half of the workstreams are done, eight are at work and print twenty lines a second together, the
others wait. The view is drawn on a terminal that goes nowhere, from a journal on disk. Prints what a
look at the journal costs and the share of a core that watching takes, looks included; fails when
that is over the limit.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from penstock.cli.live import LiveWatcher
from penstock.engine.progress import ProgressReader
from penstock.model.records import NewAttempt
from penstock.model.settings import PipelineSettings
from penstock.model.states import AttemptState, RunState, WorkstreamState
from penstock.store.api import Journal
from penstock.store.sqlite import open_journal

LIMIT = 0.02
RUN = "run-live"
AT_WORK = 8
CHAIN = 10
STEPS = (
    (WorkstreamState.EDITING, "edit"),
    (WorkstreamState.STATIC_CHECK, "static"),
    (WorkstreamState.RUNTIME_TESTS, "runtime"),
)


def names(count: int) -> list[str]:
    """Return the ids of the workstreams."""
    return [f"ws-number-{number:04}" for number in range(count)]


def fill(journal: Journal, ws_ids: list[str]) -> None:
    """Enter a run in chains, half of it done."""
    journal.create_run(RUN)
    for number, ws_id in enumerate(ws_ids):
        before = ws_ids[number - CHAIN : number - CHAIN + 1] if number >= CHAIN else []
        journal.add_workstream(RUN, ws_id, metadata={"bundle": bundle(ws_id, before)})
    journal.move_run(RUN, RunState.RUNNING)
    half = len(ws_ids) // 2
    for ws_id in ws_ids[:half]:
        finish(journal, ws_id)
    for ws_id in ws_ids[half : half + AT_WORK]:
        journal.move_workstream(RUN, ws_id, WorkstreamState.STARTED)
        journal.move_workstream(RUN, ws_id, WorkstreamState.EDITING)
        attempt(journal, ws_id, "edit")


def bundle(ws_id: str, depends_on: list[str]) -> dict[str, object]:
    """Return a bundle of the usual size."""
    return {
        "id": ws_id,
        "openspec_change": "change",
        "ccpm_issue": 1,
        "gate": 1,
        "files_scope": [f"src/{ws_id}.py", f"tests/test_{ws_id}.py"],
        "tasks": ["Write what is needed and test it. " * 10],
        "tool": "scripted",
        "depends_on": depends_on,
    }


def attempt(journal: Journal, ws_id: str, step: str) -> int:
    """Begin an attempt and return its id."""
    intent = NewAttempt(run_id=RUN, ws_id=ws_id, step_name=step, attempt=1, tool_id="scripted")
    return journal.begin_attempt(intent).id


def finish(journal: Journal, ws_id: str) -> None:
    """Take a workstream through its steps."""
    journal.move_workstream(RUN, ws_id, WorkstreamState.STARTED)
    for state, step in STEPS:
        if state is WorkstreamState.STATIC_CHECK:
            journal.move_workstream(RUN, ws_id, WorkstreamState.READY_FOR_STATIC)
        journal.move_workstream(RUN, ws_id, state)
        result = {"tail": "a line of output\n" * 50}
        journal.finish_attempt(attempt(journal, ws_id, step), AttemptState.SUCCEEDED, result=result)
    journal.move_workstream(RUN, ws_id, WorkstreamState.DONE)


def watch(
    reader: ProgressReader, ws_ids: list[str], size: tuple[int, int], seconds: float
) -> float:
    """Watch for so many seconds while tools print; return the share of a core that it took."""
    console = Console(file=io.StringIO(), force_terminal=True, width=size[0], height=size[1])
    watcher = LiveWatcher(
        ws_ids, console=console, look=lambda _: reader.look(time.time()), run_id=RUN
    )
    busy = ws_ids[len(ws_ids) // 2 :][:AT_WORK]
    with watcher:
        begun, used, number = time.perf_counter(), time.process_time(), 0
        while time.perf_counter() - begun < seconds:
            time.sleep(0.05)
            number += 1
            watcher.output(busy[number % AT_WORK], "edit", f"line {number} of a tool at work")
        return (time.process_time() - used) / (time.perf_counter() - begun)


def main() -> int:
    """Measure, print, and return 1 when watching takes more than the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--workstreams", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--columns", type=int, default=120)
    parser.add_argument("--lines", type=int, default=40)
    wanted = parser.parse_args()
    ws_ids = names(wanted.workstreams)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_journal(Path(folder) / "pipeline.db") as journal,
    ):
        fill(journal, ws_ids)
        reader = ProgressReader(journal, RUN, PipelineSettings())
        reader.look(time.time())
        begun = time.process_time()
        reader.look(time.time())
        look_ms = 1000 * (time.process_time() - begun)
        share = watch(reader, ws_ids, (wanted.columns, wanted.lines), wanted.seconds)
    print(f"a look at {len(ws_ids)} workstreams: {look_ms:.1f} ms of CPU")
    print(f"watching: {100 * share:.2f} % of a core (limit {100 * LIMIT:.0f} %)")
    return 0 if share <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
