"""Setting statuses in a task-master file: single JSON values, and counters where there are any."""

from __future__ import annotations

import bisect
import codecs
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from penstock.config.jsonedit import set_json
from penstock.config.jsontext import Span, json_spans
from penstock.config.problems import Key
from penstock.planning.sources.noting import one_line
from penstock.planning.sources.taskmaster import DEFAULT_TAG
from penstock.planning.sources.taskmaster_tree import plain_status, text_of
from penstock.planning.writeback.api import Batch, Desk, Edit, Report, Standing, Written
from penstock.planning.writeback.matching import Finder, NotThere, Spot
from penstock.planning.writeback.notes import Notes

DONE: Final = "done"
STATUSES: Final = {
    Standing.DONE: DONE,
    Standing.STARTED: "in-progress",
    Standing.REVIEW: "review",
    Standing.BLOCKED: "blocked",
}
_TITLES: Final = ("name", "description", "details")
_MAX_LENGTH: Final = 20
"""How long a path to a task may be: deeper ones are not read either."""
_COMPLETED: Final = frozenset({"done", "completed", "complete"})
_FINAL: Final = _COMPLETED | {"cancelled", "canceled"}
_UNBEGUN: Final = frozenset({"", "pending", "todo", "open"})
_STAYS: Final = _FINAL | {"deferred"}
"""What only finished work may replace; what is final nothing does."""


def set_statuses(batch: Batch, desk: Desk) -> Written:
    """Set the statuses of tasks and subtasks, of the tasks that those belong to, and the counters."""
    notes = Notes()
    for name in dict.fromkeys(report.item.place.file for report in batch.reports):
        reports = [report for report in batch.reports if report.item.place.file == name]
        raw = desk.read(name)
        try:
            file = None if raw is None else _TasksFile(raw, batch.tag or batch.id)
        except (ValueError, RecursionError) as error:
            notes.lose((report.item for report in reports), f"{name} cannot be read: {error}")
            continue
        if file is None:
            notes.lose(
                (report.item for report in reports), f"{name} is not in the repository (any more)"
            )
            continue
        _set_in(file, name, reports, notes)
    return notes.written()


class _Task(NamedTuple):
    """A task or subtask: where its object stands, the id that items have of it, and its title."""

    path: Key
    label: str
    title: str


class _TasksFile:
    """The tasks of one tag, with the statuses that they are to get by the path of their object.

    Raises ValueError for what is not JSON or has no such tag.
    """

    def __init__(self, raw: bytes, tag: str) -> None:
        self._mark = codecs.BOM_UTF8 if raw.startswith(codecs.BOM_UTF8) else b""
        self.text = raw.removeprefix(self._mark).decode(errors="surrogateescape")
        self.value: Any = json.loads(self.text)
        self.top = _top(self.value, tag)
        self.tasks = tuple(self._listed(self.top, None))
        self.wanted: dict[Key, str] = {}

    def raw(self, text: str) -> bytes:
        """Return the bytes of the file with another text."""
        return self._mark + text.encode(errors="surrogateescape")

    def at(self, path: Key) -> Any:
        """Return the value at a path, None where there is none."""
        value: Any = self.value
        for part in path:
            try:
                value = None if isinstance(value, str) else value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def inner(self, path: Key) -> Iterator[Key]:
        """Yield where the objects of a list stand."""
        held = self.at(path)
        for index, value in enumerate(held if isinstance(held, list) else ()):
            if isinstance(value, dict):
                yield (*path, index)

    def _listed(self, path: Key, parent: str | None) -> Iterator[_Task]:
        """Yield the tasks of a list with all below them; ids are read as the reader of plans does."""
        for place in self.inner(path):
            own = one_line(text_of(self.at((*place, "id"))))
            whole = parent is None or own.startswith(f"{parent}.")
            label = own if whole else f"{parent}.{own}"
            yield _Task(place, label, self._title(place))
            if len(place) <= _MAX_LENGTH:
                yield from self._listed((*place, "subtasks"), label)

    def _title(self, path: Key) -> str:
        """Return what the reader of plans takes for the title."""
        title = text_of(self.at((*path, "title")))
        others = (text_of(self.at((*path, name))) for name in _TITLES)
        return one_line(title or next((text.splitlines()[0] for text in others if text), ""))

    def status(self, path: Key) -> str:
        """Return the status that a task has or is to get, as it is compared."""
        return plain_status(self.wanted.get(path, text_of(self.at((*path, "status")))))


def _top(value: Any, tag: str) -> Key:
    """Return where the list of the tasks of a tag stands."""
    if isinstance(value, list):
        return ()
    held = value.get(tag) if isinstance(value, dict) else None
    if isinstance(held, dict) and isinstance(held.get("tasks"), list):
        return (tag, "tasks")
    if tag == DEFAULT_TAG and isinstance(value, dict) and isinstance(value.get("tasks"), list):
        return ("tasks",)
    raise ValueError(f"it has no tag {tag} any more")


def _set_in(file: _TasksFile, name: str, reports: list[Report], notes: Notes) -> None:
    spots = (Spot(0, task.title, at, task.label) for at, task in enumerate(file.tasks))
    finder = Finder(spots, ())
    for report in reports:
        found = finder.find(report.item)
        if isinstance(found, NotThere):
            notes.lose([report.item], found.why)
        else:
            _want(file, file.tasks[found.at].path, report, notes)
    for path in [path for path in file.wanted if len(path) > len(file.top) + 1]:
        _raise_parents(file, path)
    if file.wanted:
        _write(file, name, notes)


def _want(file: _TasksFile, path: Key, report: Report, notes: Notes) -> None:
    """Note the status that a report gives; work that is done stays so."""
    now, wanted = file.status(path), STATUSES[report.standing]
    kept = _FINAL if report.standing is Standing.DONE else _STAYS
    if now in kept or now == wanted:
        notes.already.append(report.item)
    else:
        file.wanted[path] = wanted


def _raise_parents(file: _TasksFile, path: Key) -> None:
    """A task is done when all its subtasks are, and in progress when one of them is."""
    while len(path) > len(file.top) + 1:
        path = path[:-2]
        statuses = [file.status(inner) for inner in file.inner((*path, "subtasks"))]
        now = file.status(path)
        if now in _STAYS:
            return
        if all(status in _FINAL for status in statuses):
            file.wanted[path] = DONE
        elif now in _UNBEGUN and any(status in _COMPLETED for status in statuses):
            file.wanted[path] = STATUSES[Standing.STARTED]


def _write(file: _TasksFile, name: str, notes: Notes) -> None:
    values: dict[Key, Any] = {(*path, "status"): text for path, text in file.wanted.items()}
    counter = (*file.top[:-1], "metadata", "completedCount")
    counted = file.at(counter)
    if isinstance(counted, int) and not isinstance(counted, bool):
        values[counter] = sum(file.status(path) in _COMPLETED for path in file.inner(file.top))
    changed = {path: value for path, value in values.items() if file.at(path) != value}
    spans = json_spans(file.text)
    notes.files[name] = file.raw(_replaced(file.text, changed, spans))
    labels = {task.path: task.label for task in file.tasks}
    starts = [found.end() for found in re.finditer("\n", file.text)]
    for path, after in changed.items():
        at = spans[path if path in spans else path[:-1]].start
        line = bisect.bisect_right(starts, at) + 1
        notes.edits.append(_edit(name, line, file.at(path), after, labels.get(path[:-1])))


def _replaced(text: str, changed: Mapping[Key, Any], spans: Mapping[Key, Span]) -> str:
    """Return the text with these values in place of those that are there, and the others added."""
    parts, at = [], 0
    for path in sorted((path for path in changed if path in spans), key=lambda p: spans[p].start):
        parts += [text[at : spans[path].start], json.dumps(changed[path])]
        at = spans[path].end
    text = "".join((*parts, text[at:]))
    for path in changed:
        text = text if path in spans else set_json(text, path, changed[path])
    return text


def _edit(name: str, line: int, before: Any, after: Any, label: str | None) -> Edit:
    key = "completedCount" if label is None else "status"
    return Edit(
        file=name,
        line=line,
        before=f"{key}: {json.dumps(before)}",
        after=f"{key}: {json.dumps(after)}",
        label=label,
    )
