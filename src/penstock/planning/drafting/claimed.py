"""What is called parallel although it touches the same file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from penstock.planning.drafting.ordering import Ordered
from penstock.planning.drafting.tasks import Gathered, Task
from penstock.planning.sources.api import Dialect, Notice, Severity
from penstock.schedule.conflicts import claim_neighbours

SHOWN = 5
"""So many tasks are named; of more, the number is told."""
# Pairs are looked at for so many tasks of one path; that some collide is clear by then.
_COMPARED = 40


def contradictions(gathered: Gathered, ordered: Ordered) -> Iterator[Notice]:
    """Yield each path that several tasks touch of which the author says that they are parallel.

    A `[P]` speaks of the marked tasks around it, `parallel: true` in an epic of all other tasks. It
    is no contradiction between tasks of which one depends on the other or that are called
    conflicting. Only paths count that tasks name or state themselves.
    """
    precedence = _Precedence(gathered, ordered)
    for run in _runs(gathered):
        users: dict[str, list[Task]] = {}
        for task in run:
            for path in dict.fromkeys(guess.path for guess in task.sure):
                users.setdefault(path, []).append(task)
        near = claim_neighbours(users)
        told: set[tuple[int, ...]] = set()
        for path in users:
            sharing = {task.at: task for other in near[path] for task in users[other]}
            found = precedence.free([sharing[at] for at in sorted(sharing)])
            key = tuple(task.at for task in found)
            if found and key not in told:
                told.add(key)
                yield _notice(path, found)


def _runs(gathered: Gathered) -> Iterator[list[Task]]:
    """Yield the tasks that are called parallel with each other."""
    run: list[Task] = []
    for task in gathered.tasks:
        if run and not _goes_on(run[-1], task, gathered):
            yield run
            run = []
        if task.item.parallel:
            run.append(task)
    yield run


def _goes_on(last: Task, task: Task, gathered: Gathered) -> bool:
    if gathered.sources[task.source].dialect is Dialect.CCPM:
        return task.source == last.source
    return task.unit_at == last.unit_at and bool(task.item.parallel)


class _Precedence:
    """Which tasks the source puts one after the other."""

    def __init__(self, gathered: Gathered, ordered: Ordered) -> None:
        self._tasks = gathered.tasks
        self._ordered = ordered
        self._turn = {at: turn for turn, at in enumerate(ordered.sequence)}
        self._inside: list[list[int]] = [[] for _ in gathered.units]
        for task in gathered.tasks:
            self._inside[task.unit_at].append(task.at)

    def free(self, tasks: Sequence[Task]) -> list[Task]:
        """Return the tasks that could run beside another one of them, by what the source says."""
        found: set[int] = set()
        for a, b in combinations(tasks[:_COMPARED], 2):
            if not (a.at in found and b.at in found) and self._are_free(a, b):
                found |= {a.at, b.at}
        if found:
            found.update(task.at for task in tasks[_COMPARED:])
        return [task for task in tasks if task.at in found]

    def _are_free(self, a: Task, b: Task) -> bool:
        if b.unit.key in a.unit.conflicts_with or a.unit.key in b.unit.conflicts_with:
            return False
        first, second = sorted((a.at, b.at), key=self._turn.__getitem__)
        return not self._leads(first, second)

    def _leads(self, first: int, second: int) -> bool:
        """Tell whether one task waits for another, also through others."""
        stack, seen = [second], {second}
        while stack:
            at = stack.pop()
            for above in self._above(at):
                if above == first:
                    return True
                if above not in seen and self._turn[above] > self._turn[first]:
                    seen.add(above)
                    stack.append(above)
        return False

    def _above(self, at: int) -> Iterator[int]:
        yield from self._ordered.before[at]
        for unit in self._ordered.units_before[self._tasks[at].unit_at]:
            yield from self._inside[unit]


def _notice(path: str, tasks: Sequence[Task]) -> Notice:
    told = [f"{task.name} ({task.item.place})" for task in tasks[:SHOWN]]
    more = f" and {len(tasks) - SHOWN} more" if len(tasks) > SHOWN else ""
    return Notice(
        code="parallel-overlap",
        severity=Severity.ERROR,
        text=f"called parallel, and all touch {path}: {', '.join(told)}{more}",
        place=tasks[0].item.place,
        hint="Take the mark off all but one of them; they are not planned side by side.",
    )
