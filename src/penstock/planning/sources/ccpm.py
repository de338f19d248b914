"""Reads an epic of CCPM: its task files, and the analyses that part them into streams."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from penstock.errors import UsageError
from penstock.planning.files import UnreadableError, reason
from penstock.planning.sources.api import (
    Dialect,
    Item,
    ItemState,
    Passage,
    Place,
    PlanSource,
    Unit,
)
from penstock.planning.sources.ccpm_files import is_closed, looks_like_task, task_file
from penstock.planning.sources.ccpm_ids import Mapping, Resolver, issue_number
from penstock.planning.sources.ccpm_streams import Analysis, analysis
from penstock.planning.sources.ccpm_units import Task, UnitMaker
from penstock.planning.sources.frontmatter import frontmatter
from penstock.planning.sources.layouts import folders
from penstock.planning.sources.markdown import bullets
from penstock.planning.sources.noting import Notes, one_line, plain_id, shown, slug
from penstock.planning.sources.recognise import Located
from penstock.planning.sources.text import SourceFile, read_file

_EPIC: Final = "epic.md"
_MAPPING: Final = "github-mapping.md"
_KNOWN: Final = frozenset({_EPIC, _MAPPING, "execution-status.md"})
_TASK: Final = re.compile(r"(\d+)\.md$")
_BUG: Final = re.compile(r"(bug-\d+(?:-.*)?)\.md$")
_ANALYSIS: Final = re.compile(r"(\d+|bug-\d+.*)-analysis\.md$")
_UPDATE: Final = re.compile(r"stream-([A-Za-z0-9])\.md$")
_ARCHIVES: Final = frozenset({"archived", "archive"})
_TASK_LINE: Final = re.compile(r"(?<![\w./-])(?:\d+|bug-\d+[\w-]*)\.md\b")
_LISTED: Final = re.compile(r"(?:\[[ xX]?\]\s*)?(?:\[)?#?(\d+)(\.md)?\b")


def read_ccpm(located: Located, root: Path) -> PlanSource:
    """Read the epic in the directory of `located`.

    Raises UsageError when the directory cannot be listed.
    """
    return _Reader(located, root).source()


class _Reader:
    """Reads one epic."""

    def __init__(self, located: Located, root: Path) -> None:
        path = located.path
        self._folder = path if path.is_dir() else path.parent
        self._name = located.name if path.is_dir() else located.name.rpartition("/")[0]
        self._within = root if self._folder.is_relative_to(root) else self._folder
        self._id = self._folder.resolve().name
        self._notes = Notes()
        self._files: dict[str, str] = {}
        self._lost: dict[str, str] = {}
        self._names = self._listed(self._folder)

    def source(self) -> PlanSource:
        """Return the plan."""
        epic = self._epic()
        fields = frontmatter(epic)[0] if epic else {}
        tasks = list(self._tasks())
        resolver = self._resolver(tasks)
        maker = UnitMaker(tasks, resolver, self._others(), self._notes, tuple(self._lost))
        lost = (self._unread(maker.key(stem), name) for stem, name in self._lost.items())
        units = (*maker.units(), *lost)
        if epic is not None:
            self._note_missing(epic, resolver)
        if not units:
            self._notes.warning("no-tasks", f"the epic {self._id} has no task files", None)
        return PlanSource(
            dialect=Dialect.CCPM,
            id=self._id,
            plan_id=f"epic/{self._id}",
            title=_title(fields, self._id),
            path=self._name,
            files=self._files,
            units=self._still_open(units, fields, epic),
            passages=_about(epic),
            notices=self._notes.all(),
            metadata={"epic": fields} if fields else {},
        )

    # -- files -------------------------------------------------------------------------------------
    def _listed(self, folder: Path) -> list[str]:
        """Return the names of the Markdown files in a folder, numbers in their order."""
        try:
            names = [path.name for path in folder.iterdir() if path.suffix == ".md"]
        except OSError as error:
            raise UsageError(f"{self._name}: cannot be listed: {reason(error)}") from error
        return sorted((n for n in names if not n.startswith(".")), key=_order)

    def _read(self, name: str) -> SourceFile | None:
        """Return a file of the epic; one that cannot be read is noted."""
        said = f"{self._name}/{name}"
        try:
            file = read_file(self._folder / name, said, within=self._within)
        except UnreadableError as error:
            self._notes.error("unreadable-file", f"{said} is not read: {error}", None)
            return None
        self._files[file.name] = file.sha256
        self._notes.extend(file.notices)
        return file

    def _epic(self) -> SourceFile | None:
        if _EPIC in self._names:
            return self._read(_EPIC)
        self._notes.warning("missing-epic", f"{self._name} has no {_EPIC}", None)
        return None

    def _tasks(self) -> Iterator[Task]:
        """Yield the tasks, with what else there is of each; the rest of the files is noted."""
        analyses = self._analyses()
        for name in self._names:
            stem = self._stem(name)
            if stem is None:
                continue
            file = self._read(name)
            if file is None:
                self._lost[stem] = name
                continue
            if not (_TASK.match(name) or _BUG.match(name)) and not self._odd_task(name, file):
                continue
            yield Task(
                file=task_file(stem, file, self._notes),
                key=slug(stem) or stem,
                bug=bool(_BUG.match(name)),
                analysis=analyses.pop(plain_id(stem), None),
                over=frozenset(self._over(stem)),
            )
        for left in analyses.values():
            self._notes.warning(
                "orphan-analysis", "there is no task for this analysis", left.file.place(1)
            )

    def _stem(self, name: str) -> str | None:
        """Return the stem of what may be a task."""
        if name in _KNOWN or _ANALYSIS.match(name):
            return None
        return name.removesuffix(".md")

    def _odd_task(self, name: str, file: SourceFile) -> bool:
        """Whether a file is a task though its name is not that of one."""
        if looks_like_task(file):
            self._notes.warning(
                "unusual-name",
                f"{name} is read as a task, by its frontmatter",
                file.place(1),
                "task files are called 12.md",
            )
            return True
        self._notes.info("unread-file", f"{name} is no task: it is not read", file.place(1))
        return False

    def _unread(self, key: str, name: str) -> Unit:
        """Return a unit that counts a task nobody can read, and leaves it alone."""
        stem, place = name.removesuffix(".md"), Place(f"{self._name}/{name}", 1)
        item = Item(
            key=key,
            label=stem,
            text=stem,
            state=ItemState.SKIPPED,
            raw_state="unreadable",
            place=place,
        )
        return Unit(key=key, kind="task", title=stem, place=place, items=(item,), issue=stem)

    def _analyses(self) -> dict[str, Analysis]:
        """Return the analyses by the plain id of their task."""
        made: dict[str, Analysis] = {}
        for name in self._names:
            named = _ANALYSIS.match(name)
            file = self._read(name) if named else None
            if named and file:
                made[plain_id(named[1])] = analysis(file)
        return made

    def _over(self, stem: str) -> Iterator[str]:
        """Yield the letters of the streams whose updates say that they are completed."""
        folder = self._folder / "updates" / stem
        for name in self._listed(folder) if folder.is_dir() else ():
            named = _UPDATE.match(name)
            file = self._read(f"updates/{stem}/{name}") if named else None
            if named and file and is_closed(frontmatter(file)[0].get("status")):
                yield named[1].lower()

    # -- ids ---------------------------------------------------------------------------------------
    def _resolver(self, tasks: list[Task]) -> Resolver:
        """Return what finds tasks by their ids: stems first, then the numbers of their issues."""
        resolver = Resolver(Mapping(self._read(_MAPPING) if _MAPPING in self._names else None))
        for stem in (*(task.file.stem for task in tasks), *self._lost):
            resolver.ids.add(stem, stem)
        for task in tasks:
            number = issue_number(task.file.fields.get("github"))
            if number is not None:
                resolver.ids.add(str(number), task.file.stem)
        return resolver

    def _others(self) -> dict[str, str]:
        """Return the tasks of the other epics beside this one, by stem, with the epic's name."""
        epics = self._folder.parent
        found: dict[str, str] = {}
        for folder in folders(epics) if epics.name == "epics" else ():
            for path in sorted(folder.glob("*.md")):
                if _TASK.match(path.name) and not path.stem.startswith("0"):
                    found.setdefault(path.stem, folder.name)
        return found

    def _note_missing(self, epic: SourceFile, resolver: Resolver) -> None:
        """Note tasks that the epic lists as files and that are not there."""
        for bullet in bullets(epic):
            named = _LISTED.match(bullet.text)
            if named and named[2] and resolver.find(named[1]) is None:
                self._notes.warning(
                    "missing-file",
                    f"the epic lists {named[1]}.md, and there is no such task",
                    epic.place(bullet.line),
                )

    # -- the whole epic ----------------------------------------------------------------------------
    def _still_open(
        self, units: tuple[Unit, ...], fields: dict[str, Any], epic: SourceFile | None
    ) -> tuple[Unit, ...]:
        """Return the units; of an epic that is over what is open is skipped."""
        archived = self._folder.resolve().parent.name in _ARCHIVES
        if not archived and not is_closed(fields.get("status")):
            return units
        said = "archived" if archived else one_line(str(fields.get("status")))
        self._notes.info(
            "closed-epic",
            f"the epic {self._id} is {shown(said)}: what is open in it is skipped",
            epic.place(1) if epic else None,
        )
        return tuple(map(_skipped, units))


def _order(name: str) -> tuple[bool, int, str]:
    """The key that puts numbers first, in their order."""
    number = re.match(r"\d{1,18}", name)
    return number is None, int(number[0]) if number else 0, name


def _skipped(unit: Unit) -> Unit:
    """Return a unit in which nothing is open any more."""
    items = [
        msgspec.structs.replace(item, state=ItemState.SKIPPED)
        if item.state is ItemState.OPEN
        else item
        for item in unit.items
    ]
    return msgspec.structs.replace(unit, items=tuple(items))


def _title(fields: dict[str, Any], name: str) -> str:
    said = fields.get("name")
    return one_line(said) if isinstance(said, str) and said.strip() else name


def _about(epic: SourceFile | None) -> tuple[Passage, ...]:
    """Return what the epic says about all of its tasks; the files that these are in are no scope."""
    if epic is None:
        return ()
    lines = ("" if _TASK_LINE.search(line.text) else line.text for line in epic.lines)
    return (Passage(role="plan", text="\n".join(lines), place=epic.place(1)),)
