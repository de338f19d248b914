"""What is called parallel although it touches the same file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from penstock.planning.drafting.ordering import Ordered
from penstock.planning.drafting.tasks import Gathered, Task
from penstock.planning.sources.api import Dialect, Notice, Severity
from penstock.schedule.conflicts import claim_neighbours
from penstock.schedule.scope import Claim

SHOWN = 5
"""So many tasks are named; of more, the number is told."""
COMPARED = 40
"""So many tasks of one path are compared: that they clash is clear by then."""


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
        told: set[tuple[int, int]] = set()
        # Files come before what may stand for many, so that a clash is told of by its file.
        for path in sorted(users, key=_is_wide):
            sharing = {task.at: task for other in near[path] for task in users[other]}
            pairs = [
                pair
                for pair in _pairs(users[path], [sharing[at] for at in sorted(sharing)])
                if pair not in told and precedence.are_free(*pair)
            ]
            if pairs:
                told.update(pairs)
                clashing = sorted({at for pair in pairs for at in pair})
                yield _notice(path, [sharing[at] for at in clashing])


def _is_wide(path: str) -> bool:
    return not Claim(path).names_file or not Claim(path).is_plain


def _pairs(own: Sequence[Task], sharing: Sequence[Task]) -> Iterator[tuple[int, int]]:
    """Yield each task of a path with each that shares it, once, in order; of many the first."""
    mine = {task.at for task in own[:COMPARED]}
    for a, b in combinations([task.at for task in sharing[:COMPARED]], 2):
        if a in mine or b in mine:
            yield a, b


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

    def are_free(self, first: int, second: int) -> bool:
        """Tell whether nothing in the source keeps two tasks from running side by side."""
        a, b = self._tasks[first].unit, self._tasks[second].unit
        if b.key in a.conflicts_with or a.key in b.conflicts_with:
            return False
        before, after = sorted((first, second), key=self._turn.__getitem__)
        return not self._leads(before, after)

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
