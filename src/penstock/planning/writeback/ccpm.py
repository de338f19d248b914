"""Closing the tasks of a CCPM epic: `status` and `updated` of a task, `progress` of its epic."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from penstock.planning.files import UnreadableError
from penstock.planning.sources.api import TracedItem
from penstock.planning.sources.markdown import headings
from penstock.planning.sources.text import SourceFile, from_bytes
from penstock.planning.writeback.api import Batch, Desk, Edit, Report, Standing, Written
from penstock.planning.writeback.headvalues import head_value, set_values
from penstock.planning.writeback.matching import Finder, NotThere, Spot
from penstock.planning.writeback.notes import Notes

_ANALYSIS: Final = "-analysis.md"
_TASK_FILE: Final = re.compile(r"(?:\d+|bug-\d+-.*)\.md")
_STREAM: Final = re.compile(r"stream\s+([a-z0-9]+)\b", re.IGNORECASE)
_CLOSED: Final = frozenset({"closed", "completed", "done", "complete"})
_UNBEGUN: Final = frozenset({"", "open", "backlog", "todo", "pending"})
CLOSED: Final = "closed"
STARTED: Final = "in-progress"


class _Task(NamedTuple):
    """A task file with what became of it."""

    file: SourceFile
    reports: list[Report]


def close(batch: Batch, desk: Desk) -> Written:
    """Close the tasks that are done, and bring the progress of their epic up to date.

    A task with streams is closed when all of them are done, and in progress before.
    """
    notes = Notes()
    epic = _Epic(desk)
    tasks: dict[str, _Task] = {}
    for report in batch.reports:
        if report.standing is not Standing.DONE:
            continue
        found = epic.task_of(report.item)
        if isinstance(found, NotThere):
            notes.lose([report.item], found.why)
        else:
            tasks.setdefault(found.name, _Task(found, [])).reports.append(report)
    for task in tasks.values():
        _close_task(task, batch, epic, notes)
    for folder, moment in _latest(tasks).items():
        _update_epic(folder, moment, epic, notes)
    return notes.written()


def _latest(tasks: dict[str, _Task]) -> dict[str, str]:
    """Return the folders of epics with the latest moment that something of them was done."""
    moments: defaultdict[str, list[str]] = defaultdict(list)
    for name, task in tasks.items():
        moments[str(PurePosixPath(name).parent)] += [report.moment for report in task.reports]
    return {folder: max(found) for folder, found in moments.items()}


class _Epic:
    """The files of an epic, each read once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._files: dict[str, SourceFile | None] = {}

    def file(self, name: str) -> SourceFile | None:
        """Return a file, None for one that is not there or no text."""
        if name not in self._files:
            raw = self._desk.read(name)
            try:
                self._files[name] = None if raw is None else from_bytes(raw, name)
            except UnreadableError:
                self._files[name] = None
        return self._files[name]

    def tasks(self, folder: str) -> list[SourceFile]:
        """Return the task files that lie directly in a folder."""
        names = [PurePosixPath(name) for name in self._desk.names(folder)]
        mine = [n for n in names if str(n.parent) == folder and _TASK_FILE.fullmatch(n.name)]
        return [file for name in mine if (file := self.file(str(name))) is not None]

    def task_of(self, item: TracedItem) -> SourceFile | NotThere:
        """Return the file of the task that an item is, or is a stream of.

        Files are given the number of their issue in the course of time: then the name of the task
        finds it.
        """
        name = item.place.file.replace(_ANALYSIS, ".md")
        there = self.file(name)
        if there is not None:
            return there
        tasks = self.tasks(str(PurePosixPath(name).parent))
        spots = [Spot(1, title_of(file), at) for at, file in enumerate(tasks)]
        found = Finder(spots, ()).find(item)
        return found if isinstance(found, NotThere) else tasks[found.at]

    def streams(self, task: SourceFile) -> tuple[str, ...]:
        """Return the letters of a task's streams, in lower case."""
        file = self.file(task.name.removesuffix(".md") + _ANALYSIS)
        found = [] if file is None else [_STREAM.match(h.text) for h in headings(file)]
        return tuple(dict.fromkeys(match[1].lower() for match in found if match))


def title_of(file: SourceFile) -> str:
    """Return the `name` that the frontmatter of a task gives."""
    found = head_value(file, "name")
    return found.text if found else ""


def _close_task(task: _Task, batch: Batch, epic: _Epic, notes: Notes) -> None:
    file, items = task.file, [report.item for report in task.reports]
    status = head_value(file, "status")
    if status is None:
        notes.unmarked += items
        return
    whole = _is_whole(task, batch, epic)
    now, wanted = status.text.strip().lower(), CLOSED if whole else STARTED
    if now in _CLOSED or now == wanted or (not whole and now not in _UNBEGUN):
        notes.already += items
        return
    moment = max(report.moment for report in task.reports)
    _set(file, {"status": wanted, "updated": moment}, items[0].label, notes)


def _is_whole(task: _Task, batch: Batch, epic: _Epic) -> bool:
    """Tell whether a task is done altogether: it is an item itself, or all its streams are done."""
    streams = [r.item for r in task.reports if r.item.place.file.endswith(_ANALYSIS)]
    if len(streams) < len(task.reports):
        return True
    base = streams[0].key.rpartition("-")[0]
    done = {item.key for item in streams} | batch.elsewhere
    return all(f"{base}-{letter}" in done for letter in epic.streams(task.file))


def _set(file: SourceFile, values: dict[str, str], label: str | None, notes: Notes) -> None:
    """Change values of a file's frontmatter, those that it has."""
    notes.files[file.name] = set_values(file, values)
    for key, text in values.items():
        found = head_value(file, key)
        if found is not None and found.text != text:
            notes.edits.append(
                Edit(
                    file=file.name,
                    line=found.line.number,
                    before=f"{key}: {found.text}",
                    after=f"{key}: {text}",
                    label=label,
                )
            )


def _update_epic(folder: str, moment: str, epic: _Epic, notes: Notes) -> None:
    """Bring `progress` up to date: whole percents of the task files that are closed."""
    file = epic.file(f"{folder}/epic.md")
    found = None if file is None else head_value(file, "progress")
    tasks = epic.tasks(folder)
    if file is None or found is None or not tasks:
        return
    closed = sum(_is_closed(task, notes) for task in tasks)
    progress = f"{closed * 100 // len(tasks)}%"
    if found.text.strip() != progress:
        _set(file, {"progress": progress, "updated": moment}, None, notes)


def _is_closed(task: SourceFile, notes: Notes) -> bool:
    now = from_bytes(notes.files.get(task.name, task.raw), task.name)
    status = head_value(now, "status")
    return status is not None and status.text.strip().lower() in _CLOSED
