"""What is odd about single tasks and their files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from penstock.planning.drafting.tasks import Gathered, Task
from penstock.planning.scoping.api import Rung, Unresolved
from penstock.planning.sources.api import (
    Dialect,
    ItemState,
    Notice,
    Place,
    PlanSource,
    Severity,
)
from penstock.schedule.conflicts import claim_neighbours


def remarks(gathered: Gathered) -> Iterator[Notice]:
    """Yield what is to be said of tasks: without a file, naming what is not there or is there
    already, written twice, called parallel though they touch the same file."""
    for task in gathered.tasks:
        yield from _about_files(task)
    yield from _duplicates(gathered)
    yield from _parallel(gathered)
    for source in gathered.sources:
        yield from _finished(source)


def _about_files(task: Task) -> Iterator[Notice]:
    item = task.item
    for missing in task.scope.unresolved:
        yield _missing(task, missing)
    for there in task.scope.existing:
        yield Notice(
            code="exists-already",
            severity=Severity.WARNING,
            text=f"{task.name} is to create {there.path}, which exists already",
            place=there.place,
            hint="If that is done, tick it off; else say that it is to be changed.",
        )
    if not task.claims:
        text = f"{task.name} names no file that it could change"
        hint = "Name one, or supply one with --files-scope."
        yield Notice(
            code="needs-scope", severity=Severity.WARNING, text=text, place=item.place, hint=hint
        )
    elif all(guess.rung is Rung.SIBLING for guess in task.guesses):
        text = f"{task.name} names no file; it takes those of what it belongs to"
        yield Notice(code="no-file", severity=Severity.WARNING, text=text, place=item.place)


def _missing(task: Task, missing: Unresolved) -> Notice:
    near = f"; there is {', '.join(missing.near)}" if missing.near else ""
    return Notice(
        code="unresolved-path",
        severity=Severity.WARNING,
        text=f"{task.name} names {missing.path}, which does not exist and is not said to be new{near}",
        place=missing.place,
        hint="Correct the path, or write that it is to be created.",
    )


def _duplicates(gathered: Gathered) -> Iterator[Notice]:
    """Yield tasks of one unit that say the same."""
    seen: dict[tuple[int, str, str], Task] = {}
    for task in gathered.tasks:
        words = " ".join(task.item.text.split()).casefold()
        if not words:
            continue
        first = seen.setdefault((task.unit_at, words, task.item.details.strip()), task)
        if first is not task:
            yield Notice(
                code="duplicate-task",
                severity=Severity.WARNING,
                text=f"{task.name} says the same as {first.name} at {first.item.place}",
                place=task.item.place,
            )


def _finished(source: PlanSource) -> Iterator[Notice]:
    """Say that a source has nothing left to do."""
    items = source.items
    if items and not any(item.state is ItemState.OPEN for item in items):
        place = source.units[0].place if source.units else Place(source.path, 1)
        yield Notice(
            code="nothing-open",
            severity=Severity.INFO,
            text=f"nothing is open in {source.plan_id}: {len(items)} items are done or skipped",
            place=place,
        )


def _parallel(gathered: Gathered) -> Iterator[Notice]:
    """Yield paths that tasks share which their author calls parallel."""
    for run in _runs(gathered):
        users: dict[str, list[Task]] = {}
        for task in run:
            for path in dict.fromkeys(guess.path for guess in task.sure):
                users.setdefault(path, []).append(task)
        near = claim_neighbours(users)
        told: set[frozenset[int]] = set()
        for path, own in users.items():
            sharing = {t.at: t for other in near[path] for t in users[other]} | {
                t.at: t for t in own
            }
            key = frozenset(sharing)
            if len(sharing) > 1 and (key not in told):
                told.add(key)
                yield _collision(path, [sharing[at] for at in sorted(sharing)])


def _runs(gathered: Gathered) -> Iterator[list[Task]]:
    """Yield the tasks that claim to be parallel with each other: consecutive ones of a unit, and
    in an epic all of them."""
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


def _collision(path: str, tasks: Sequence[Task]) -> Notice:
    told = [f"{task.name} ({task.item.place})" for task in tasks[:5]]
    more = f" and {len(tasks) - 5} more" if len(tasks) > 5 else ""
    return Notice(
        code="parallel-overlap",
        severity=Severity.ERROR,
        text=f"called parallel, and all touch {path}: {', '.join(told)}{more}",
        place=tasks[0].item.place,
        hint="Take the mark off all but one of them; penstock plans them one after the other.",
    )
