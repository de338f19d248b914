"""DBOS's side of `bench_overhead`, in the two ways in which it can record a step.

"step": one workflow that calls a step each time. DBOS writes one row when the step is over and
none before it: an outcome without an intent. "workflow": a workflow each time, whose row is written
as PENDING before and as SUCCESS after it: an intent and an outcome.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from bench.overhead_meter import WARM_UP, Answer, Task, measure_all, peer, read_task, tell, waves_of

DBOS: Any = peer("dbos").DBOS


def _nothing() -> None:
    """Do nothing."""


def _many(steps: int) -> None:
    """Call the step so many times; a graph in the order of its numbers keeps to its edges."""
    for _ in range(steps):
        step()


step = DBOS.step(name="step")(_nothing)
steps_of_one = DBOS.workflow(name="steps_of_one")(_many)
workflow = DBOS.workflow(name="workflow")(_nothing)


def one_each(steps: int) -> None:
    """Start so many workflows, which DBOS runs in threads, and wait for all of them."""
    for handle in [DBOS.start_workflow(workflow) for _ in range(steps)]:
        handle.get_result()


def by_waves(parents: Sequence[Sequence[int]]) -> None:
    """Start the workflows of each wave when the one before is over."""
    for wave in waves_of(parents):
        one_each(len(wave))


def one_by_one(steps: int) -> None:
    """Call one workflow after the other."""
    for _ in range(steps):
        workflow()


def count(url: str) -> tuple[int, int, str]:
    """Count the rows of steps and of finished workflows; ask how commits are kept."""
    with peer("psycopg").connect(url.replace("+psycopg", "")) as connection:
        steps = connection.execute("SELECT count(*) FROM dbos.operation_outputs").fetchone()[0]
        done = connection.execute(
            "SELECT count(*) FROM dbos.workflow_status WHERE status = 'SUCCESS'"
        ).fetchone()[0]
        kept = connection.execute("SHOW synchronous_commit").fetchone()[0]
    return steps, done, f"synchronous_commit {kept}"


def run(task: Task) -> list[Answer]:
    """Do the shapes in both ways, and count the rows of each."""
    before = count(task.address)
    by_step = measure_all(task, steps_of_one, lambda nodes: steps_of_one(len(nodes)), steps_of_one)
    between = count(task.address)
    by_workflow = measure_all(task, one_each, by_waves, one_by_one)
    after = count(task.address)
    return [
        Answer("step", by_step, between[0] - before[0], after[2]),
        Answer("workflow", by_workflow, after[1] - between[1], after[2]),
    ]


def main() -> None:
    """Launch DBOS on the database given, measure, and leave at once."""
    task = read_task()
    quiet = {"log_level": "CRITICAL", "console_log_level": "CRITICAL"}
    DBOS(config={"name": "overhead", "system_database_url": task.address, **quiet})
    DBOS.launch()
    one_each(WARM_UP)
    tell(run(task))
    DBOS.destroy()


if __name__ == "__main__":
    main()
    os._exit(0)
