"""penstock's side of `bench_overhead`: the journal and the scheduler that real runs use.

A step is `begin_attempt` and `finish_attempt` of a claimed run: a transaction each, with its events.
Independent steps are done by a pool of threads, as a run does its workstreams; those in sequence by
one thread. The graph is scheduled by the Frontier and done by the same pool; its workstreams are
added to the journal within the measured time.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from queue import SimpleQueue

from bench.overhead_meter import Answer, Sample, Task, measure_all, read_task, tell
from penstock.model.bundle import Bundle
from penstock.model.records import NewAttempt, NewWorkstream
from penstock.model.settings import Durability
from penstock.model.states import AttemptState, WorkstreamState
from penstock.schedule.frontier import Capacity, Frontier
from penstock.store.sqlite import SqliteJournal, open_journal

RUN, ONE = "run-1", "ws-one"
SLOTS = 8


def bundles_of(parents: Sequence[Sequence[int]]) -> list[Bundle]:
    """Make a workstream of each node, with files of its own."""
    return [
        Bundle(
            id=f"ws-{number}",
            openspec_change="overhead",
            ccpm_issue=number,
            gate=1,
            files_scope=(f"src/part_{number}.py",),
            tasks=("nothing",),
            tool="scripted",
            depends_on=tuple(f"ws-{parent}" for parent in above),
        )
        for number, above in enumerate(parents)
    ]


class Side:
    """A claimed run in a journal, and the three shapes on it."""

    def __init__(self, journal: SqliteJournal) -> None:
        self.journal = journal
        self.numbers = count(1)
        journal.create_run(RUN)
        journal.claim_run(RUN, {"pid": 1})
        journal.add_workstream(RUN, ONE)

    def step(self, ws_id: str, number: int) -> None:
        """Record the intent and the outcome of one step."""
        intent = NewAttempt(
            run_id=RUN,
            ws_id=ws_id,
            step_name="edit",
            attempt=number,
            tool_id="scripted",
            marker="m" * 26,
        )
        begun = self.journal.begin_attempt(intent)
        self.journal.finish_attempt(begun.id, AttemptState.SUCCEEDED, exit_code=0)

    def independent(self, steps: int) -> None:
        """Do so many steps in a pool of threads."""
        numbers = [next(self.numbers) for _ in range(steps)]
        with ThreadPoolExecutor(SLOTS) as pool:
            for _ in pool.map(self.step, [ONE] * steps, numbers):
                pass

    def sequence(self, steps: int) -> None:
        """Do so many steps one after the other in this thread."""
        for _ in range(steps):
            self.step(ONE, next(self.numbers))

    def graph(self, parents: Sequence[Sequence[int]]) -> None:
        """Schedule a graph of workstreams of one step each."""
        bundles = bundles_of(parents)
        entered = (NewWorkstream(ws_id=b.id, depends_on=b.depends_on) for b in bundles)
        self.journal.add_workstreams(RUN, entered)
        frontier = Frontier(bundles, capacity=Capacity(total=SLOTS))
        ended: SimpleQueue[str] = SimpleQueue()
        with ThreadPoolExecutor(SLOTS) as pool:
            running = self._start(frontier, pool, ended)
            while running:
                ws_id = ended.get()
                frontier.stop(ws_id)
                frontier.record(ws_id, WorkstreamState.DONE)
                running += self._start(frontier, pool, ended) - 1

    def _start(self, frontier: Frontier, pool: ThreadPoolExecutor, ended: SimpleQueue[str]) -> int:
        """Start all that may start now; return how many."""
        started = 0
        while (ws_id := frontier.next(time.time())) is not None:
            frontier.start(ws_id)
            pool.submit(self._work, ws_id, ended)
            started += 1
        return started

    def _work(self, ws_id: str, ended: SimpleQueue[str]) -> None:
        """Do the step of a node in a thread of the pool, and say that it is over."""
        try:
            self.step(ws_id, 1)
        finally:
            ended.put(ws_id)

    def shapes(self, task: Task) -> tuple[dict[str, Sample], int]:
        """Do the shapes, and count the outcomes in the journal."""
        samples = measure_all(task, self.independent, self.graph, self.sequence)
        attempts = self.journal.list_attempts(RUN)
        return samples, sum(1 for a in attempts if a.status is AttemptState.SUCCEEDED)


def main() -> None:
    """Do the shapes once in a journal of the durability asked for."""
    task = read_task()
    path = Path(task.folder) / "journal.db"
    with open_journal(path, durability=Durability[task.durability]) as journal:
        samples, recorded = Side(journal).shapes(task)
    tell([Answer("", samples, recorded, f"SQLite journal_mode wal, synchronous {task.durability}")])


if __name__ == "__main__":
    main()
