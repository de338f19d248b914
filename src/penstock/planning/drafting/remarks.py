"""What is odd about single tasks and their files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from penstock.planning.drafting.tasks import Gathered, Task
from penstock.planning.scoping.api import Refused, Rung, Unresolved
from penstock.planning.sources.api import (
    ItemState,
    Notice,
    Place,
    PlanSource,
    Severity,
)

_BORROWED = (Rung.SIBLING, Rung.HISTORY)


def remarks(gathered: Gathered) -> Iterator[Notice]:
    """Yield what is to be said of tasks: without a file, naming what is not there, is there already
    or is nobody's to touch, written twice; and of sources: given twice, with nothing left to do."""
    for task in gathered.tasks:
        yield from _about_files(task)
    yield from _duplicates(gathered)
    yield from _twice(gathered.sources)
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
    for refused in task.scope.refused:
        yield _refused(task, refused)
    if not task.claims:
        text = f"{task.name} names no file that it could change"
        hint = "Name one, or supply one with --files-scope."
        yield Notice(
            code="needs-scope", severity=Severity.WARNING, text=text, place=item.place, hint=hint
        )
    elif all(guess.rung in _BORROWED for guess in task.guesses):
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


def _refused(task: Task, refused: Refused) -> Notice:
    near = f"; meant may be {', '.join(refused.near)}" if refused.near else ""
    return Notice(
        code="refused-path",
        severity=Severity.WARNING,
        text=f"{task.name} is about {refused.path}, which no workstream may touch: {refused.why}{near}",
        place=refused.place,
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


def _twice(sources: Sequence[PlanSource]) -> Iterator[Notice]:
    """Yield sources that were given before: their items would be done twice."""
    first: dict[tuple[str, str, str, str], PlanSource] = {}
    for source in sources:
        key = (source.dialect, source.path, source.id, str(source.metadata.get("tag")))
        if first.setdefault(key, source) is not source:
            yield Notice(
                code="duplicate-source",
                severity=Severity.ERROR,
                text=f"{source.plan_id} is given twice, so that its items would be done twice",
                place=Place(source.path, 1),
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
