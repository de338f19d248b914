"""Compares changes as they were read with what the openspec program says of them.

Our reading stands; where the program sees something else, a notice says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from penstock.planning.sources.api import Dialect, ItemState, Notice, PlanSource, Severity
from penstock.typed import typed_json

Run = Callable[[Sequence[str]], tuple[int, str] | None]
"""Starts the program in the repository: exit code and standard output, None without an answer."""

LIST: Final = ("list", "--json")
VALIDATE: Final = ("validate", "--changes", "--json", "--no-interactive")
_MAX_REASONS: Final = 5


class Listed(msgspec.Struct, frozen=True, rename="camel"):
    """A change as `openspec list` counts it."""

    name: str
    completed_tasks: int
    total_tasks: int


class Issue(msgspec.Struct, frozen=True):
    """What `openspec validate` says of a change; `level` is ERROR, WARNING or INFO."""

    level: str
    message: str
    path: str = ""
    line: int | None = None


class Judged(msgspec.Struct, frozen=True):
    """A change as `openspec validate` judges it."""

    id: str
    valid: bool
    issues: tuple[Issue, ...] = ()


class _List(msgspec.Struct, frozen=True):
    changes: tuple[Listed, ...]


class _Validated(msgspec.Struct, frozen=True):
    items: tuple[Judged, ...]


def listed(run: Run) -> dict[str, Listed] | None:
    """Return the changes that the program lists by id, None when it gives no answer."""
    answer = run(LIST)
    if answer is None:
        return None
    try:
        return {each.name: each for each in typed_json(answer[1], _List).changes}
    except msgspec.DecodeError:
        return None


def judged(run: Run) -> dict[str, Judged] | None:
    """Return how the program judges all changes by id, None when it gives no answer."""
    answer = run(VALIDATE)
    if answer is None:
        return None
    try:
        return {each.id: each for each in typed_json(answer[1], _Validated).items}
    except msgspec.DecodeError:
        return None


def cross_check(sources: Sequence[PlanSource], run: Run) -> tuple[Notice, ...]:
    """Return a notice for each change of a repository that the program sees in another way.

    Without changes it is not started; nothing is said when it is not installed, answers in a way
    that is not known, or does not know a change (it lies elsewhere, or is archived).
    """
    ours = [each for each in sources if _is_current(each)]
    if not ours:
        return ()
    counts, verdicts = listed(run), judged(run)
    return tuple(
        notice
        for source in ours
        for notice in (*_counted(source, counts or {}), *_judged(source, verdicts or {}))
    )


def _is_current(source: PlanSource) -> bool:
    """Whether a source is a change where the program looks for them."""
    return source.dialect is Dialect.OPENSPEC and source.path == f"openspec/changes/{source.id}"


def _counted(source: PlanSource, counts: Mapping[str, Listed]) -> Iterator[Notice]:
    """Yield what is odd when the program counts other tasks."""
    theirs = counts.get(source.id)
    if theirs is None:
        return
    done = sum(item.state is ItemState.DONE for item in source.items)
    ours, others = (done, len(source.items)), (theirs.completed_tasks, theirs.total_tasks)
    if ours != others:
        yield _notice(
            f"{source.path}: the openspec program counts {others[0]} of {others[1]} tasks as done, "
            f"penstock {ours[0]} of {ours[1]}"
        )


def _judged(source: PlanSource, verdicts: Mapping[str, Judged]) -> Iterator[Notice]:
    """Yield what is odd when the program rejects what penstock does not, or the other way round."""
    theirs = verdicts.get(source.id)
    if theirs is None:
        return
    reasons = [notice for notice in source.notices if notice.severity is Severity.ERROR]
    if theirs.valid and reasons:
        yield _notice(f"{source.path}: the openspec program finds no error in it")
    if not theirs.valid and not reasons:
        errors = [issue for issue in theirs.issues if issue.level == "ERROR"]
        for issue in errors[:_MAX_REASONS]:
            where = f"{issue.path}: " if issue.path else ""
            yield _notice(f"{source.path}: the openspec program rejects it: {where}{issue.message}")


def _notice(text: str) -> Notice:
    return Notice(code="openspec-differs", severity=Severity.WARNING, text=text)
