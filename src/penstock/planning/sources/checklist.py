"""Reads a checklist: any Markdown or text with boxes, bullets or, without both, paragraphs."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from textwrap import dedent
from typing import Final, NamedTuple

from msgspec.structs import replace

from penstock.planning.sources.api import (
    Dialect,
    Item,
    ItemState,
    Passage,
    PlanSource,
    Unit,
)
from penstock.planning.sources.frontmatter import MISSING, frontmatter
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
    passage,
)
from penstock.planning.sources.noting import Keys, Notes, References, once, shown
from penstock.planning.sources.references import stated_dependencies
from penstock.planning.sources.text import SourceFile

STANDARD_INPUT: Final = "-"
_ORDERED: Final = re.compile(
    r"(?:phase|step|stage|milestone|part|sprint|iteration|week|day)\s*#?[0-9]"
    r"|[0-9]+(?:[.):](?:\s|$)|\s|、)"
    r"|第\s*[0-9一二三四五六七八九十]+",
    re.IGNORECASE,
)
_ISSUE: Final = re.compile(r"(?<![\w/&])#([0-9]{1,9})\b")


class _Entry(NamedTuple):
    """A line that is an item, before it has a key: `skipped` ones stand in fences or comments."""

    line: int
    mark: str | None
    text: str
    details: str
    last: int
    skipped: bool = False


class _Section(NamedTuple):
    """A heading (none: the top of the file) up to the next one of any level: what is to do in it,
    its prose, its gate, and the headings that it stands under, outermost first."""

    heading: Heading | None
    entries: tuple[_Entry, ...]
    prose: tuple[Passage, ...]
    gate: int
    above: tuple[_Section, ...]


def read_checklist(file: SourceFile) -> PlanSource:
    """Read any text: each heading with items is a unit, each box an item.

    Without any box the items of lists are, without any list the paragraphs. Boxes in fences and
    comments are examples and skipped, unless there are no others. Headings that are numbered or
    called phases have an order, others have none.
    """
    return _Reader(file).source()


class _Reader:
    """Reads one file; every item goes into one unit."""

    def __init__(self, file: SourceFile) -> None:
        self._file = file
        self._layers = layers(file)
        self._headings = headings(file, self._layers)
        self._notes = Notes()
        self._notes.extend(file.notices)
        self._units = Keys()
        self._items = Keys()

    def source(self) -> PlanSource:
        """Return the plan."""
        file, notes = self._file, self._notes
        front, odd, _ = frontmatter(file)
        notes.extend(notice for notice in odd if notice.code != MISSING)
        entries = self._entries()
        if not entries:
            notes.warning("no-items", "there is nothing to do in it", file.place(1))
        sections = self._sections(entries)
        units = linked([self._unit(section) for section in sections if section.entries], notes)
        name = "text" if file.name == STANDARD_INPUT else PurePosixPath(file.name).stem
        first = next((h.text for h in self._headings if h.level == 1 and h.text), name)
        return PlanSource(
            dialect=Dialect.CHECKLIST,
            id=name,
            plan_id=f"checklist/{name}",
            title=str(front.get("title") or front.get("name") or first),
            path=file.name,
            files={file.name: file.sha256},
            units=units,
            passages=self._common(sections),
            notices=notes.all(),
            metadata={"frontmatter": front} if front else {},
        )

    # -- items -------------------------------------------------------------------------------------
    def _entries(self) -> list[_Entry]:
        found = boxes(self._file, self._layers)
        if found:
            self._note_near()
            return self._boxed(found)
        listed = bullets(self._file, self._layers)
        if listed:
            starts = [(bullet.line, bullet.text) for bullet in listed]
            return self._plain(starts, "bullet")
        return self._plain(list(self._paragraphs()), "paragraph")

    def _boxed(self, found: Sequence[Box]) -> list[_Entry]:
        """Return the boxes as entries; examples are skipped and told."""
        hidden = not all(box.fenced or box.commented for box in found)
        return [self._entry(box, skip=hidden and (box.fenced or box.commented)) for box in found]

    def _entry(self, box: Box, *, skip: bool) -> _Entry:
        place = self._file.place(box.line)
        if skip:
            where = "a fence" if box.fenced else "a comment"
            self._notes.info("hidden-box", f"a box in {where} is an example: skipped", place)
        elif box.mark not in ("", "x", "X"):
            self._notes.info("unknown-mark", f"the mark [{box.mark}] counts as open", place)
        return _Entry(box.line, box.mark, box.text, box.details, box.last, skip)

    def _plain(self, starts: Sequence[tuple[int, str]], what: str) -> list[_Entry]:
        """Return entries that begin at lines and go on to the next one, heading or gap."""
        place = self._file.place(starts[0][0] if starts else 1)
        if starts:
            text = f"there is no box [ ]: each {what} is taken for a task"
            self._notes.info("no-boxes", text, place)
        stops = {line for line, _ in starts} | {heading.line for heading in self._headings}
        made = []
        for line, text in starts:
            last = self._reach(line, stops)
            details = dedent(passage(self._file, line + 1, last)).strip("\n")
            made.append(_Entry(line, None, text, details, last))
        return made

    def _reach(self, line: int, stops: set[int]) -> int:
        """Return the last line that goes on what begins at a line: none of `stops`, no gap."""
        last = line
        while last < len(self._file.lines) and last + 1 not in stops:
            following = self._file.lines[last]
            if not following.text.strip():
                break
            last += 1
        return last

    def _paragraphs(self) -> Iterator[tuple[int, str]]:
        """Yield the first line of every paragraph outside of fences and comments."""
        titles = {heading.line for heading in self._headings}
        gap = True
        for line, layer in zip(self._file.lines, self._layers, strict=True):
            text = line.text.strip()
            ruled = bool(text) and not text.strip("-=*_ ")
            if gap and text and not ruled and layer is Layer.PLAIN and line.number not in titles:
                yield line.number, text
            gap = not text or line.number in titles or layer is not Layer.PLAIN or ruled

    def _note_near(self) -> None:
        for line in near_boxes(self._file, self._layers):
            text = shown(self._file.lines[line - 1].text)
            self._notes.warning(
                "unread-box",
                f"this looks like a box and is none: {text}",
                self._file.place(line),
                hint="write it as `- [ ] text` to have it counted",
            )

    # -- units -------------------------------------------------------------------------------------
    def _sections(self, entries: Sequence[_Entry]) -> list[_Section]:
        """Return all parts of the file in order, with what is in them."""
        starts: list[Heading | None] = [None, *self._headings]
        ends = [heading.line - 1 for heading in self._headings] + [len(self._file.lines)]
        gates = _gates(self._headings)
        waiting = deque(entries)
        made: list[_Section] = []
        for heading, end, gate in zip(starts, ends, gates, strict=True):
            inside = []
            while waiting and waiting[0].line <= end:
                inside.append(waiting.popleft())
            first = heading.line + 1 if heading else 1
            prose = tuple(self._prose(first, end, inside))
            made.append(_Section(heading, tuple(inside), prose, gate, _above(made, heading)))
        return made

    def _prose(self, first: int, last: int, entries: Sequence[_Entry]) -> Iterator[Passage]:
        """Yield the runs of lines that belong to no item and are not hidden."""
        at = first
        for start, end in [*((entry.line, entry.last) for entry in entries), (last + 1, last)]:
            while at < start and self._empty(at):
                at += 1
            if at < start:
                text = passage(self._file, at, start - 1).rstrip()
                yield Passage(role="plan", text=text, place=self._file.place(at))
            at = max(at, end + 1)

    def _empty(self, line: int) -> bool:
        """Whether a line says nothing: blank, a comment, frontmatter or the rule under a title."""
        text = self._file.lines[line - 1].text
        return not text.strip("-=* \t") or self._layers[line - 1] in (
            Layer.COMMENT,
            Layer.FRONTMATTER,
        )

    def _unit(self, section: _Section) -> Unit:
        title = section.heading.text if section.heading else ""
        name = title or PurePosixPath(self._file.name).stem.strip("-") or "text"
        key = self._units.take(slug(name))
        number = _ISSUE.search(title)
        return Unit(
            key=key,
            kind="section",
            title=name,
            place=self._file.place(section.heading.line if section.heading else 1),
            items=tuple(self._item(entry) for entry in section.entries),
            issue=int(number[1]) if number else key,
            gate=section.gate,
            passages=(*(p for outer in section.above for p in outer.prose), *section.prose),
        )

    def _item(self, entry: _Entry) -> Item:
        label, text = split_label(entry.text)
        state = ItemState.DONE if entry.mark in ("x", "X") else ItemState.OPEN
        return Item(
            key=self._items.take(item_key(label, text)),
            label=label,
            text=text,
            state=ItemState.SKIPPED if entry.skipped else state,
            raw_state=entry.mark or "",
            place=self._file.place(entry.line),
            details=entry.details,
        )

    def _common(self, sections: Sequence[_Section]) -> tuple[Passage, ...]:
        """Return the prose that belongs to no unit, nor stands above one."""
        used = {id(outer) for each in sections if each.entries for outer in (each, *each.above)}
        return tuple(p for section in sections if id(section) not in used for p in section.prose)


def _above(made: Sequence[_Section], heading: Heading | None) -> tuple[_Section, ...]:
    """Return the sections that a heading stands under, without the title of the whole file."""
    if heading is None or not made:
        return ()
    before = made[-1]
    chain = (*before.above, before)
    return tuple(s for s in chain if s.heading and 1 < s.heading.level < heading.level)


def _gates(found: Sequence[Heading]) -> list[int]:
    """Return the gate of the top and of each heading: numbered ones and phases come one by one."""
    ordered = [heading.level for heading in found if _ORDERED.match(heading.text)]
    level, gate, begun = min(ordered, default=0), 1, False
    gates = [gate]
    for heading in found:
        begins = level > 0 and heading.level <= level
        numbered = begins and (begun or bool(_ORDERED.match(heading.text)))
        gate += begun and numbered
        begun = begun or numbered
        gates.append(gate)
    return gates


def linked(units: Sequence[Unit], notes: Notes) -> tuple[Unit, ...]:
    """Return units with items that wait for those that their texts name; unknown ones are told."""
    labels: References[Item] = References()
    for item in (item for unit in units for item in unit.items):
        if item.label and not labels.add(item.label, item):
            notes.warning("duplicate-id", f"the id {item.label} is given twice", item.place)
    return tuple(
        replace(unit, items=tuple(_depending(item, labels, notes) for item in unit.items))
        for unit in units
    )


def _depending(item: Item, labels: References[Item], notes: Notes) -> Item:
    found = []
    for label in stated_dependencies(f"{item.text}\n{item.details}"):
        other = labels.get(label)
        if other is None:
            text = f"{item.label or shown(item.text)} depends on {label}, which is not in this plan"
            notes.error("unknown-dependency", text, item.place)
        elif other.key != item.key:
            found.append(other.key)
    return replace(item, depends_on=once(found)) if found else item
