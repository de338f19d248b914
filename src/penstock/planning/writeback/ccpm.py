"""Closing the tasks of a CCPM epic: `status` and `updated` of a task, `progress` of its epic."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import PurePosixPath
from typing import Final

from penstock.planning.files import UnreadableError
from penstock.planning.sources.api import TracedItem
from penstock.planning.sources.ccpm_files import is_closed, looks_like_task, status_of, task_file
from penstock.planning.sources.ccpm_streams import analysis
from penstock.planning.sources.noting import Notes as Ignored
from penstock.planning.sources.noting import plain_id
from penstock.planning.sources.text import SourceFile, from_bytes
from penstock.planning.writeback.api import Batch, Desk, Edit, Report, Standing, Written
from penstock.planning.writeback.headvalues import head_value, set_values
from penstock.planning.writeback.matching import NotThere, plain
from penstock.planning.writeback.notes import Notes

_ANALYSIS: Final = "-analysis.md"
_NO_TASKS: Final = frozenset({"epic.md", "github-mapping.md", "execution-status.md"})
_TASK: Final = re.compile(r"(?:\d+|bug-\d+(?:-.*)?)\.md")
_UNBEGUN: Final = frozenset({"", "open", "backlog"})
CLOSED: Final = "closed"
COMPLETED: Final = "completed"
STARTED: Final = "in-progress"


def close(batch: Batch, desk: Desk) -> Written:
    """Close the tasks that are done, and bring the progress of their epic up to date.

    A task with streams is closed when all of them are done, and in progress before; the update
    files of its streams, where there are any, are completed.
    """
    notes = Notes()
    epic = _Epic(desk, notes)
    tasks: dict[str, list[Report]] = {}
    for report in batch.reports:
        if report.standing is not Standing.DONE:
            continue
        found = epic.task_of(report.item)
        if isinstance(found, NotThere):
            notes.lose([report.item], found.why)
        else:
            tasks.setdefault(found.name, []).append(report)
    for name, reports in tasks.items():
        _close_task(name, reports, batch, epic)
    for folder, moment in _latest(tasks).items():
        _update_epic(folder, moment, epic)
    return notes.written()


def _latest(tasks: dict[str, list[Report]]) -> dict[str, str]:
    """Return the folders of epics with the latest moment that something of them was done."""
    moments: defaultdict[str, list[str]] = defaultdict(list)
    for name, reports in tasks.items():
        moments[str(PurePosixPath(name).parent)] += [report.moment for report in reports]
    return {folder: max(found) for folder, found in moments.items()}


def letter_of(item: TracedItem) -> str | None:
    """Return the letter of the stream that an item is, None for a whole task."""
    if not item.place.file.endswith(_ANALYSIS):
        return None
    return (item.label or item.key).rpartition("-")[2]


class _Epic:
    """The files of an epic as they are to become."""

    def __init__(self, desk: Desk, notes: Notes) -> None:
        self._desk = desk
        self.notes = notes

    def file(self, name: str) -> SourceFile | None:
        """Return a file as it is to become, None for one that is not there or no text."""
        raw = self.notes.files.get(name, self._desk.read(name))
        try:
            return None if raw is None else from_bytes(raw, name)
        except UnreadableError:
            return None

    def _beside(self, folder: str) -> list[str]:
        """Return the names of the Markdown files that lie directly in a folder."""
        return [
            name
            for name in self._desk.names(folder)
            if str(PurePosixPath(name).parent) == folder and name.endswith(".md")
        ]

    def tasks(self, folder: str) -> list[SourceFile]:
        """Return the task files that lie directly in a folder."""
        names = [PurePosixPath(name) for name in self._beside(folder)]
        mine = [n for n in names if n.name not in _NO_TASKS and not n.name.endswith(_ANALYSIS)]
        files = ((name, self.file(str(name))) for name in mine)
        return [
            file
            for name, file in files
            if file is not None and (_TASK.fullmatch(name.name) or looks_like_task(file))
        ]

    def task_of(self, item: TracedItem) -> SourceFile | NotThere:
        """Return the file of the task that an item is, or is a stream of.

        Files are given the number of their issue in the course of time: then the name of the task
        finds it.
        """
        folder = str(PurePosixPath(item.place.file).parent)
        name = item.place.file
        if letter_of(item) is not None:
            name = f"{folder}/{(item.label or item.key).rpartition('-')[0]}.md"
        there = self.file(name)
        if there is not None:
            return there
        titles = [(plain(title_of(file)), file) for file in self.tasks(folder)]
        text = plain(item.text)
        found = [f for title, f in titles if text == title or text.startswith(f"{title}: ")]
        if len(found) == 1:
            return found[0]
        return NotThere(
            f"{name} is not in the repository (any more), nor one other task of that name"
        )

    def streams(self, task: SourceFile) -> dict[str, SourceFile | None]:
        """Return the letters of a task's streams, each with the file that tells how far it is."""
        path = PurePosixPath(task.name)
        for name in self._beside(str(path.parent)):
            stem = PurePosixPath(name).name.removesuffix(_ANALYSIS)
            file = self.file(name) if name.endswith(_ANALYSIS) else None
            if file is not None and plain_id(stem) == plain_id(path.stem):
                letters = [stream.letter for stream in analysis(file).streams]
                return {letter: self._update(path, letter) for letter in letters}
        return {}

    def _update(self, task: PurePosixPath, letter: str) -> SourceFile | None:
        folder = task.parent / "updates" / task.stem
        both = (folder / f"stream-{sign}.md" for sign in (letter.upper(), letter))
        return next((file for name in both if (file := self.file(str(name))) is not None), None)

    def set(self, file: SourceFile, values: dict[str, str], label: str | None) -> None:
        """Change values of a file's frontmatter, those that it has."""
        for key, text in values.items():
            found = head_value(file, key)
            if found is not None and found.text != text:
                self.notes.edits.append(
                    Edit(
                        file=file.name,
                        line=found.line.number,
                        before=f"{key}: {found.text}",
                        after=f"{key}: {text}",
                        label=label,
                    )
                )
        self.notes.files[file.name] = set_values(file, values)


def title_of(file: SourceFile) -> str:
    """Return the name of a task as the reader of plans does."""
    return task_file(PurePosixPath(file.name).stem, file, Ignored()).name


def _close_task(name: str, reports: list[Report], batch: Batch, epic: _Epic) -> None:
    file, items = epic.file(name), [report.item for report in reports]
    status = None if file is None else head_value(file, "status")
    if file is None or status is None:
        epic.notes.unmarked += items
        return
    now, moment = status_of(status.text), max(report.moment for report in reports)
    if is_closed(now):
        epic.notes.already += items
        return
    is_news = _complete_streams(file, reports, epic)
    whole = _is_whole(file, items, batch, epic)
    if whole or now in _UNBEGUN:
        wanted = {"status": CLOSED if whole else STARTED, "updated": moment}
        epic.set(file, wanted, items[0].label)
    elif not is_news:
        epic.notes.already += items


def _complete_streams(task: SourceFile, reports: list[Report], epic: _Epic) -> bool:
    """Complete the update files of streams; tell whether one of them was not."""
    updates = epic.streams(task)
    is_news = False
    for report in reports:
        file = updates.get(letter_of(report.item) or "")
        status = None if file is None else head_value(file, "status")
        if file is not None and status is not None and not is_closed(status.text):
            wanted = {"status": COMPLETED, "updated": report.moment}
            epic.set(file, wanted, report.item.label)
            is_news = True
    return is_news


def _is_whole(task: SourceFile, items: list[TracedItem], batch: Batch, epic: _Epic) -> bool:
    """Tell whether a task is done altogether: it is an item itself, or all its streams are done."""
    done = {letter_of(item) for item in items}
    if None in done:
        return True
    key = items[0].key.rpartition("-")[0]
    return all(
        letter in done or f"{key}-{letter}" in batch.elsewhere or _is_over(update)
        for letter, update in epic.streams(task).items()
    )


def _is_over(file: SourceFile | None) -> bool:
    """Tell whether a file with a status in its frontmatter says that its subject is over."""
    status = None if file is None else head_value(file, "status")
    return status is not None and is_closed(status.text)


def _update_epic(folder: str, moment: str, epic: _Epic) -> None:
    """Bring `progress` up to date: whole percents of the task files that are closed."""
    file = epic.file(f"{folder}/epic.md")
    found = None if file is None else head_value(file, "progress")
    tasks = epic.tasks(folder)
    if file is None or found is None or not tasks:
        return
    progress = f"{sum(map(_is_over, tasks)) * 100 // len(tasks)}%"
    if found.text.strip() != progress:
        epic.set(file, {"progress": progress, "updated": moment}, None)
