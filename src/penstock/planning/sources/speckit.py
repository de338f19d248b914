"""Reads a feature of spec-kit: the boxes of its tasks.md by phase and story."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from penstock.errors import UsageError
from penstock.planning.files import UnreadableError
from penstock.planning.sources.api import Dialect, Item, ItemState, Passage, PlanSource, Unit
from penstock.planning.sources.labels import item_key
from penstock.planning.sources.markdown import Box, Layer, boxes, headings, layers
from penstock.planning.sources.mentions import leading_id
from penstock.planning.sources.noting import Keys, Notes, once, one_line, plain_id
from penstock.planning.sources.recognise import Located
from penstock.planning.sources.speckit_phases import STORY, Phase, phases, stretches
from penstock.planning.sources.speckit_spec import (
    Story,
    order_prose,
    other_features,
    sayings,
    stories,
)
from penstock.planning.sources.speckit_tasks import Task, ordered, tasks
from penstock.planning.sources.text import SourceFile, read_file

_TASKS: Final = "tasks.md"
_TITLE: Final = re.compile(
    r"(?:tasks?|feature specification|implementation plan|任务|任務|タスク)\s*[:\uFF1A]\s*",
    re.IGNORECASE,
)
_UNBOXED: Final = re.compile(r"[ \t]*(?:[-*+]|[0-9]+[.)])[ \t]+[*_`]*(T-?[0-9]{2,}[a-z]?)(?![\w-])")
# Files of a feature besides its tasks that may name paths, and what they are.
_AROUND: Final = (("plan.md", "plan"), ("data-model.md", "design"), ("quickstart.md", "design"))


def read_speckit(located: Located, root: Path) -> PlanSource:
    """Read the feature in the directory of `located`: tasks.md, and around it spec.md and plan.md.

    Raises UsageError when tasks.md cannot be read.
    """
    return _Reader(located, root).source()


class _Reader:
    """Reads one feature."""

    def __init__(self, located: Located, root: Path) -> None:
        path = located.path
        self._folder = path if path.is_dir() else path.parent
        self._name = located.name if path.is_dir() else located.name.rpartition("/")[0]
        self._within = root if self._folder.is_relative_to(root) else self._folder
        self._notes = Notes()
        self._files: dict[str, str] = {}
        self._file = self._required()
        self._layers = layers(self._file)
        self._headings = headings(self._file, self._layers)
        self._order = order_prose(self._file, self._headings)
        self._id = self._folder.resolve().name

    def source(self) -> PlanSource:
        """Return the plan."""
        spec = self._optional("spec.md")
        units = self._units(stories(spec) if spec else {})
        passages = tuple(self._passages())
        if not units:
            self._notes.warning("no-tasks", "there is no box in it", self._file.place(1))
        return PlanSource(
            dialect=Dialect.SPEC_KIT,
            id=self._id,
            plan_id=f"specs/{self._id}",
            title=self._title(spec),
            path=self._name,
            files=self._files,
            units=units,
            passages=passages,
            notices=self._notes.all(),
            metadata=self._metadata(spec),
        )

    # -- files -------------------------------------------------------------------------------------
    def _required(self) -> SourceFile:
        try:
            return self._read(_TASKS)
        except UnreadableError as error:
            raise UsageError(
                f"{self._name}/{_TASKS}: {error}",
                hint="spec-kit writes it from spec.md and plan.md with /speckit.tasks",
            ) from error

    def _optional(self, name: str) -> SourceFile | None:
        """Return a file that need not be there."""
        if not (self._folder / name).exists():
            return None
        try:
            return self._read(name)
        except UnreadableError as error:
            said = f"{self._name}/{name}"
            self._notes.warning("unreadable-file", f"{said} is not read: {error}", None)
            return None

    def _read(self, name: str) -> SourceFile:
        file = read_file(self._folder / name, f"{self._name}/{name}", within=self._within)
        self._files[file.name] = file.sha256
        self._notes.extend(file.notices)
        return file

    def _passages(self) -> Iterator[Passage]:
        """Yield the texts that concern all of the feature."""
        for name, role in _AROUND:
            file = self._optional(name)
            if file is not None:
                yield Passage(role=role, text=file.text, place=file.place(1))

    # -- phases ------------------------------------------------------------------------------------
    def _units(self, told: dict[int, Story]) -> tuple[Unit, ...]:
        """Return a unit of each phase; phases of one story are one unit."""
        work, samples = self._work(boxes(self._file, self._layers))
        listed = ordered(tasks(work, self._file, self._notes), self._order_lines(), self._notes)
        parts = [
            (part, [task for task in listed if part[1] <= task.box.line <= part[2]])
            for part in stretches(self._headings, len(self._file.lines))
        ]
        parts = [(part, inside) for part, inside in parts if inside]
        gated = phases([part for part, _ in parts], [_only_story(inside) for _, inside in parts])
        members = [(phase, inside) for phase, (_, inside) in zip(gated, parts, strict=True)]
        self._note_unboxed(listed, gated)
        return tuple(_Units(members, samples, told, self._file, self._notes).units())

    def _work(self, found: Sequence[Box]) -> tuple[list[Box], list[Box]]:
        """Return the boxes that are tasks, and those that are samples, in fences and comments.

        When there are no others these are the tasks.
        """
        plain = [box for box in found if not (box.fenced or box.commented)]
        samples = [box for box in found if box.fenced or box.commented]
        if samples:
            what = "are read as tasks: there are no others" if not plain else "are skipped"
            self._notes.info(
                "fenced-box",
                f"{len(samples)} boxes in fences or comments {what}",
                self._file.place(samples[0].line),
            )
        return (plain, samples) if plain else (samples, [])

    def _order_lines(self) -> list[tuple[Any, str]]:
        """Return the lines about order with their places."""
        return [
            (self._file.place(line.number), line.text.strip().lstrip("-*+ "))
            for first, last in self._order
            for line in self._file.lines[first - 1 : last]
        ]

    def _note_unboxed(self, listed: Sequence[Task], gated: Sequence[Phase]) -> None:
        """Note lines of phases that begin with the id of a task and have no box."""
        known = {plain_id(task.label) for task in listed if task.label}
        boxed = {task.box.line for task in listed}
        for line, layer in zip(self._file.lines, self._layers, strict=True):
            bullet = _UNBOXED.match(line.text) if layer is Layer.PLAIN else None
            if bullet is None or line.number in boxed or plain_id(bullet[1]) in known:
                continue
            if any(phase.first <= line.number <= phase.last for phase in gated):
                self._notes.warning(
                    "unboxed-task",
                    f"{bullet[1]} has no box, so it is not read as a task",
                    self._file.place(line.number),
                    f"write - [ ] {bullet[1]} ...",
                )

    # -- the rest ----------------------------------------------------------------------------------
    def _title(self, spec: SourceFile | None) -> str:
        for found in (self._headings, headings(spec) if spec else []):
            top = next((h.text for h in found if h.level == 1), None)
            named = _TITLE.sub("", top, count=1).strip() if top else ""
            if named:
                return named
        return self._id

    def _metadata(self, spec: SourceFile | None) -> dict[str, Any]:
        """Return the prose on order: within the feature, and between features."""
        notes = [
            "\n".join(line.text for line in self._file.lines[first - 1 : last]).strip()
            for first, last in self._order
        ]
        notes += [said for file in (self._file, spec) if file for said in other_features(file)]
        return {"order_notes": list(once(notes))} if notes else {}


def _only_story(inside: Sequence[Task]) -> int | None:
    """Return the story that all tasks of a phase name, None when they do not agree."""
    named = {task.stories for task in inside}
    only = next(iter(named)) if len(named) == 1 else ()
    return only[0] if len(only) == 1 else None


class _Units:
    """Makes units of phases with their tasks."""

    def __init__(
        self,
        members: Sequence[tuple[Phase, list[Task]]],
        samples: Sequence[Box],
        told: dict[int, Story],
        file: SourceFile,
        notes: Notes,
    ) -> None:
        self._told = told
        self._file = file
        self._notes = notes
        self._phases: dict[str, list[Phase]] = {}
        self._tasks: dict[str, list[Task]] = {}
        for phase, inside in members:
            self._phases.setdefault(phase.key, []).append(phase)
            self._tasks.setdefault(phase.key, []).extend(inside)
        self._samples = _samples(members, samples, file)

    def units(self) -> Iterator[Unit]:
        """Yield the units in the order of the file."""
        for key, same in self._phases.items():
            items = [self._item(task, key) for task in self._tasks[key]]
            yield self._unit(same, [*items, *self._samples.get(key, ())])

    def _item(self, task: Task, home: str) -> Item:
        """Return a task as an item."""
        self._note_story(task, self._phases[home][0])
        return task.item()

    def _note_story(self, task: Task, phase: Phase) -> None:
        """Note a task that names another story than the one it stands in."""
        if phase.story is not None and task.stories and phase.story not in task.stories:
            self._notes.warning(
                "story-mismatch",
                f"{task.label or task.text} names US{task.stories[0]} and stands in the phase of "
                f"US{phase.story}, where it is left",
                task.place,
            )

    def _unit(self, same: Sequence[Phase], items: Sequence[Item]) -> Unit:
        """Return the unit of the phases that share a key."""
        phase = same[0]
        said = [sayings(self._file.lines[p.first - 1 : p.last]) for p in same]
        story = self._told.get(phase.story) if phase.story is not None else None
        goal = next((each.goal for each in said if each.goal), None)
        told = {
            "goal": goal,
            "priority": phase.priority,
            "stories": _stories(self._tasks[phase.key]),
        }
        return Unit(
            key=phase.key,
            kind=phase.kind,
            title=phase.title,
            place=self._file.place(phase.first),
            items=tuple(items),
            issue=phase.key,
            gate=phase.gate,
            acceptance=once(
                [
                    *(line for each in said for line in each.acceptance),
                    *(story.scenarios if story else ()),
                ]
            ),
            passages=(story.passage,) if story and phase.kind == STORY else (),
            metadata={key: value for key, value in told.items() if value},
        )


def _samples(
    members: Sequence[tuple[Phase, list[Task]]], found: Sequence[Box], file: SourceFile
) -> dict[str, list[Item]]:
    """Return boxes that are samples as skipped items of the phase they stand in or behind."""
    keys = Keys()
    for _, inside in members:
        for task in inside:
            keys.take(task.key)
    made: dict[str, list[Item]] = {}
    for box in found:
        before = [phase.key for phase, _ in members if phase.first <= box.line]
        label, text = leading_id(box.text)
        item = Item(
            key=keys.take(item_key(label, box.text)),
            label=label,
            text=one_line(text) or "(no text)",
            state=ItemState.SKIPPED,
            raw_state=box.mark,
            place=file.place(box.line),
        )
        made.setdefault(before[-1] if before else members[0][0].key, []).append(item)
    return made


def _stories(inside: Sequence[Task]) -> list[str]:
    """Return the stories that tasks name."""
    return sorted({f"US{number}" for task in inside for number in task.stories})
