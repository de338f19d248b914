"""Luigi's side of `bench_overhead`: its own scheduler and worker in this process.

With durability "none" it is Luigi as it comes, which keeps nothing; with "history" its scheduler
writes the task history into SQLite, as `record_task_history` makes luigid do: a commit each for
pending, running and done.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from bench.overhead_meter import Answer, Task, measure_all, peer, read_task, tell, total

luigi = peer("luigi")
done: set[tuple[str, int]] = set()


class Factory:
    """Makes Luigi's local scheduler, with the task history when there is a file for it."""

    def __init__(self, history: Path | None) -> None:
        self.history = history
        if history is not None:
            settings = luigi.configuration.get_config()
            settings.set("task_history", "db_connection", f"sqlite:///{history}")

    def create_local_scheduler(self) -> Any:
        """Make the scheduler."""
        scheduler = peer("luigi.scheduler").Scheduler
        return scheduler(prune_on_get_work=True, record_task_history=self.history is not None)

    def create_worker(self, scheduler: Any, worker_processes: int, assistant: bool = False) -> Any:
        """Make the worker."""
        worker = peer("luigi.worker").Worker
        return worker(scheduler=scheduler, worker_processes=worker_processes, assistant=assistant)


def family(name: str, requires: Callable[[int], Sequence[int]]) -> Any:
    """Make a class of tasks numbered from 0 that do nothing."""
    members = {
        "n": luigi.IntParameter(),
        "requires": lambda self: [kind(n=n) for n in requires(self.n)],
        "complete": lambda self: (name, self.n) in done,
        "run": lambda self: done.add((name, self.n)),
    }
    kind: Any = type(name, (luigi.Task,), members)
    return kind


def sinks(parents: Sequence[Sequence[int]]) -> list[int]:
    """Name the nodes that nothing depends on."""
    above = {parent for one in parents for parent in one}
    return [n for n in range(len(parents)) if n not in above]


class Side:
    """Luigi with or without a history; every build has task families of its own."""

    def __init__(self, history: Path | None) -> None:
        self.factory = Factory(history)
        self.builds = 0

    def family(self, parents: Callable[[int], Sequence[int]]) -> Any:
        """Make the task family of one build."""
        self.builds += 1
        return family(f"Step{self.builds}", parents)

    def build(self, tasks: Sequence[Any]) -> None:
        """Build tasks and what they require."""
        ok = luigi.build(
            tasks,
            worker_scheduler_factory=self.factory,
            local_scheduler=True,
            log_level="CRITICAL",
        )
        assert ok, "Luigi says that a task failed"

    def independent(self, steps: int) -> None:
        """Build so many tasks."""
        kind = self.family(lambda _: ())
        self.build([kind(n=n) for n in range(steps)])

    def graph(self, parents: Sequence[Sequence[int]]) -> None:
        """Build a graph through one task that requires all its ends.

        Luigi walks through the requirements of every task that it is given, so to give it all the
        nodes, or all the ends, would cost it many times as much.
        """
        kind = self.family(parents.__getitem__)
        ends = [kind(n=n) for n in sinks(parents)]
        everything = type(f"All{self.builds}", (luigi.WrapperTask,), {"requires": lambda _: ends})
        self.build([everything()])

    def sequence(self, steps: int) -> None:
        """Build the last task of a chain."""
        kind = self.family(lambda n: (n - 1,) if n else ())
        self.build([kind(n=steps - 1)])

    def shapes(self, task: Task) -> Answer:
        """Do the shapes, and count what is on record."""
        samples = measure_all(task, self.independent, self.graph, self.sequence)
        if self.factory.history is None:
            assert len(done) == total(task), "Luigi left out a task"
            return Answer("", samples, 0, "nothing on disk")
        return Answer("", samples, *recorded(self.factory.history))


def recorded(history: Path) -> tuple[int, str]:
    """Count the tasks on record as done; say how SQLite keeps them."""
    with closing(sqlite3.connect(history)) as connection:
        query = (
            "SELECT count(*) FROM task_events JOIN tasks ON tasks.id = task_events.task_id"
            " WHERE event_name = 'DONE' AND tasks.name LIKE 'Step%'"
        )
        found = int(connection.execute(query).fetchone()[0])
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
        level = connection.execute("PRAGMA synchronous").fetchone()[0]
    return found, f"SQLite journal_mode {mode}, synchronous {level}"


def main() -> None:
    """Do the shapes once."""
    task = read_task()
    history = Path(task.folder) / "history.db" if task.durability == "history" else None
    tell([Side(history).shapes(task)])


if __name__ == "__main__":
    main()
