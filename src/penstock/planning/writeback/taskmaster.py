"""Setting statuses in a task-master file: single JSON values, and counters where there are any."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any, Final

from penstock.config.jsonedit import set_json
from penstock.config.jsontext import json_spans
from penstock.config.problems import Key
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
_COMPLETED: Final = frozenset({"done", "completed"})
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
            file = None if raw is None else _TasksFile(raw, batch.tag)
        except (ValueError, RecursionError) as error:
            notes.lose((report.item for report in reports), f"{name} cannot be read: {error}")
            continue
        if file is None:
            notes.lose((report.item for report in reports), f"{name} is not there any more")
            continue
        _set_in(file, name, reports, notes)
    return notes.written()


class _TasksFile:
    """The tasks of one tag, with the statuses that they are to get by the path of their object.

    Raises ValueError for what is not JSON or has no such tag.
    """

    def __init__(self, raw: bytes, tag: str | None) -> None:
        self._mark = codecs.BOM_UTF8 if raw.startswith(codecs.BOM_UTF8) else b""
        self.text = raw.removeprefix(self._mark).decode(errors="surrogateescape")
        self.value: Any = json.loads(self.text)
        self.home = _home(self.value, tag)
        self.wanted: dict[Key, str] = {}

    def raw(self, text: str) -> bytes:
        """Return the bytes of the file with another text."""
        return self._mark + text.encode(errors="surrogateescape")

    def at(self, path: Key) -> Any:
        """Return the value at a path, None where there is none."""
        value = self.value
        for part in path:
            inside = isinstance(value, dict) and part in value
            if not inside and not (isinstance(value, list) and isinstance(part, int)):
                return None
            value = value[part]
        return value

    def objects(self) -> Iterator[tuple[Key, str, dict[str, Any]]]:
        """Yield path, id and object of each task and subtask."""
        for path, task in _listed(self.at((*self.home, "tasks")), (*self.home, "tasks")):
            label = str(task.get("id"))
            yield path, label, task
            inner = (*path, "subtasks")
            for place, subtask in _listed(task.get("subtasks"), inner):
                own = str(subtask.get("id"))
                yield place, own if "." in own else f"{label}.{own}", subtask

    def status(self, path: Key) -> str:
        """Return the status that a task has or is to get, in lower case."""
        return self.wanted.get(path, str(self.at((*path, "status")) or "")).strip().lower()


def _home(value: Any, tag: str | None) -> Key:
    """Return where the object lies that holds the tasks of a tag."""
    if not isinstance(value, dict):
        raise ValueError("it is no object")
    if isinstance(value.get("tasks"), list):
        return ()
    found = [name for name, held in value.items() if isinstance(held, dict) and "tasks" in held]
    if tag in found:
        return (str(tag),)
    if tag is None and len(found) == 1:
        return (found[0],)
    raise ValueError(f"it has no tag {tag!r} any more" if tag else "it has several tags")


def _listed(value: Any, path: Key) -> Iterator[tuple[Key, dict[str, Any]]]:
    for index, held in enumerate(value if isinstance(value, list) else ()):
        if isinstance(held, dict):
            yield (*path, index), held


def _set_in(file: _TasksFile, name: str, reports: list[Report], notes: Notes) -> None:
    objects = list(file.objects())
    titles = (Spot(0, f"{label} {task.get('title') or ''}", at) for at, (_, label, task) in enumerate(objects))  # fmt: skip
    finder = Finder(titles, {label for _, label, _ in objects})
    labels: dict[Key, str] = {path: label for path, label, _ in objects}
    for report in reports:
        found = finder.find(report.item)
        if isinstance(found, NotThere):
            notes.lose([report.item], found.why)
        else:
            _want(file, objects[found.at][0], report, notes)
    parents = {path[:-2]: None for path in file.wanted if path[-2] == "subtasks"}
    for parent in parents:
        _raise_parent(file, parent)
    if file.wanted:
        _write(file, name, labels, notes)


def _want(file: _TasksFile, path: Key, report: Report, notes: Notes) -> None:
    """Note the status that a report gives; work that is done stays so."""
    now, wanted = file.status(path), STATUSES[report.standing]
    kept = _FINAL if report.standing is Standing.DONE else _STAYS
    if now in kept or now == wanted:
        notes.already.append(report.item)
    else:
        file.wanted[path] = wanted


def _raise_parent(file: _TasksFile, path: Key) -> None:
    """A task is done when all its subtasks are, and in progress when one of them is."""
    statuses = [file.status(p) for p, _ in _listed(file.at((*path, "subtasks")), (*path, "subtasks"))]  # fmt: skip
    now = file.status(path)
    if now in _STAYS:
        return
    if all(status in _FINAL for status in statuses):
        file.wanted[path] = DONE
    elif now in _UNBEGUN and any(status in _COMPLETED for status in statuses):
        file.wanted[path] = STATUSES[Standing.STARTED]


def _write(file: _TasksFile, name: str, labels: dict[Key, str], notes: Notes) -> None:
    values: dict[Key, Any] = {(*path, "status"): text for path, text in file.wanted.items()}
    counter = (*file.home, "metadata", "completedCount")
    counted = file.at(counter)
    if isinstance(counted, int) and not isinstance(counted, bool):
        tasks = _listed(file.at((*file.home, "tasks")), (*file.home, "tasks"))
        values[counter] = sum(file.status(path) in _COMPLETED for path, _ in tasks)
    spans = json_spans(file.text)
    text = file.text
    for path in sorted((p for p in values if p in spans), key=lambda p: -spans[p].start):
        start, end = spans[path].start, spans[path].end
        text = text[:start] + json.dumps(values[path]) + text[end:]
    for path in [p for p in values if p not in spans]:
        text = set_json(text, path, values[path])
    notes.files[name] = file.raw(text)
    for path, wanted in values.items():
        if file.at(path) != wanted:
            line = file.text.count("\n", 0, spans[path if path in spans else path[:-1]].start) + 1
            notes.edits.append(_edit(name, line, file.at(path), wanted, labels.get(path[:-1])))


def _edit(name: str, line: int, before: Any, after: Any, label: str | None) -> Edit:
    key = "completedCount" if label is None else "status"
    return Edit(
        file=name,
        line=line,
        before=f"{key}: {json.dumps(before)}",
        after=f"{key}: {json.dumps(after)}",
        label=label,
    )
