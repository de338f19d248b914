"""The tasks of an OpenSpec change: groups, and the boxes that the openspec program counts."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from penstock.planning.sources.api import Item, ItemState, Place, Unit
from penstock.planning.sources.labels import item_key, slug, split_label
from penstock.planning.sources.markdown import (
    Box,
    Heading,
    Layer,
    boxes,
    bullets,
    headings,
    layers,
    near_boxes,
)
from penstock.planning.sources.noting import Keys, Notes, shown
from penstock.planning.sources.text import SourceFile

_ID: Final = re.compile(r"([0-9]+(?:\.[0-9]+)+[A-Za-z]*)(?=\s|$)")
_NUMBERED: Final = re.compile(r"([0-9]+)\.(?:[ \t]|$)")
_LEVEL_TWO: Final = re.compile(r" {0,3}##(?!#)(?:[ \t]|$)")
_NUMBERED_GROUP: Final = re.compile(r" {0,3}##[ \t]+([0-9]+)\.(?:[ \t]|$)")
_GROUP_LEVEL: Final = 2
_CODE: Final = 4
_BMP: Final = 0xFFFF


class _Group(NamedTuple):
    """A group of boxes under one heading; None: above the first."""

    file: SourceFile
    heading: Heading | None
    boxes: tuple[Box, ...]


class TaskReader:
    """Reads the files with tasks; keys and gates go on from file to file.

    `tracked` says that the program knows which files they are, `numbered` that it looks at numbers.
    """

    def __init__(self, notes: Notes, *, tracked: bool, numbered: bool, archived: bool) -> None:
        self._notes = notes
        self._tracked = tracked
        self._numbered = numbered
        self._archived = archived
        self._units = Keys()
        self._items = Keys()
        self._gate = 0
        self._first: dict[str, Place] = {}

    def units(self, files: Sequence[SourceFile], title: str) -> tuple[Unit, ...]:
        """Return a unit for each group that holds boxes; `title` is for those above the groups."""
        units = tuple(self._unit(group, title) for file in files for group in self._groups(file))
        if files and not units:
            self._note_no_boxes(files)
        return units

    # -- groups and items --------------------------------------------------------------------------
    def _groups(self, file: SourceFile) -> Iterator[_Group]:
        """Yield the groups of a file: what stands under one heading of level 2 at a time."""
        made = layers(file)
        titles = headings(file, made)
        open_layers = [Layer.PLAIN if each is Layer.FRONTMATTER else each for each in made]
        counted = [box for box in boxes(file, open_layers) if self._counts(box, file)]
        for line in near_boxes(file, made):
            self._note_uncounted(file, line)
        if self._numbered:
            self._check_numbers(file, counted)
        level = _group_level(titles)
        starts: list[Heading | None] = [None, *(each for each in titles if each.level <= level)]
        lines = [each.line if each else 0 for each in starts] + [len(file.lines) + 1]
        cuts = [bisect_left(counted, line, key=lambda box: box.line) for line in lines]
        for heading, first, last in zip(starts, cuts, cuts[1:], strict=False):
            if first < last:
                yield _Group(file, heading, tuple(counted[first:last]))

    def _counts(self, box: Box, file: SourceFile) -> bool:
        """Whether the program counts a box: it has the marker of a list, and a plain mark."""
        if box.marker and all(ord(sign) <= _BMP for sign in box.mark) and len(box.mark) <= 1:
            return True
        self._note_uncounted(file, box.line)
        return False

    def _unit(self, group: _Group, title: str) -> Unit:
        file, heading = group.file, group.heading
        name = heading.text if heading else title
        number = _NUMBERED.match(name) if heading else None
        wanted = f"g{_plain(number[1])}" if number else f"g-{slug(name)}" if heading else "g0"
        key = self._units.take(wanted)
        self._gate += 1
        return Unit(
            key=key,
            kind="group",
            title=name[number.end() :].strip() or name if number else name,
            place=file.place(heading.line if heading else 1),
            items=tuple(self._item(box, file) for box in group.boxes),
            issue=key,
            gate=self._gate,
        )

    def _item(self, box: Box, file: SourceFile) -> Item:
        label, text = _split(box.text)
        place = file.place(box.line)
        if box.fenced or box.commented:
            where = "a fence" if box.fenced else "a comment"
            text_ = f"a box in {where} counts: the openspec program counts it too"
            self._notes.info("hidden-box", text_, place)
        if box.mark not in ("", "x", "X"):
            self._notes.info("unknown-mark", f"the mark [{box.mark}] counts as open", place)
        state = ItemState.DONE if box.ticked else ItemState.OPEN
        if self._archived and not box.ticked:
            state = ItemState.SKIPPED
        return Item(
            key=self._items.take(item_key(label, text)),
            label=label,
            text=text,
            state=state,
            raw_state=box.mark,
            place=place,
            details=box.details,
        )

    # -- notices -----------------------------------------------------------------------------------
    def _check_numbers(self, file: SourceFile, counted: Sequence[Box]) -> None:
        """Warn of an id that belongs to another group or is given twice, as the program does: it
        takes headings in fences too, and looks at numbered groups only."""
        starts = [line for line in file.lines if _LEVEL_TWO.match(line.text)]
        numbers = [_NUMBERED_GROUP.match(line.text) for line in starts]
        for box in counted:
            at = bisect_left(starts, box.line, key=lambda line: line.number) - 1
            group, label = numbers[at] if at >= 0 else None, _ID.match(box.text)
            if group and label:
                self._check_number(label[1], _plain(group[1]), file.place(box.line))

    def _check_number(self, label: str, group: str, place: Place) -> None:
        if _plain(label.split(".")[0]) != group:
            text = f"the task {label} stands in group {group}"
            self._notes.warning("task-numbering", text, place)
        first = self._first.setdefault(label, place)
        if first != place:
            text = f"the id {label} is given twice, first at {first}"
            self._notes.warning("duplicate-id", text, place)

    def _note_uncounted(self, file: SourceFile, line: int) -> None:
        text = shown(file.lines[line - 1].text)
        self._notes.warning(
            "unread-box",
            f"this looks like a box, and the openspec program counts none: {text}",
            file.place(line),
            hint="write it as `- [ ] 1.1 text` to have it counted",
        )

    def _note_no_boxes(self, files: Sequence[SourceFile]) -> None:
        hint = "write each task as `- [ ] 1.1 text`"
        for file in files:
            listed = [bullet for bullet in bullets(file) if bullet.indent < _CODE]
            if listed and self._tracked:
                text, place = "lists without boxes are no tasks", file.place(listed[0].line)
                self._notes.warning("no-boxes", text, place, hint)
            else:
                self._notes.warning("no-tasks", "there is no task in it", file.place(1), hint)


def _group_level(titles: Sequence[Heading]) -> int:
    """Return the level whose headings make groups: 2, or what is used in its place."""
    levels = {heading.level for heading in titles}
    if _GROUP_LEVEL in levels:
        return _GROUP_LEVEL
    return min((level for level in levels if level > 1), default=1)


def _plain(number: str) -> str:
    """Return digits without the zeros before them; they may be too many for a number."""
    return number.lstrip("0") or "0"


def _split(text: str) -> tuple[str | None, str]:
    """Return the id of a task and the rest of its text."""
    found = _ID.match(text)
    if found:
        return found[1], text[found.end() :].strip() or text
    return split_label(text)
