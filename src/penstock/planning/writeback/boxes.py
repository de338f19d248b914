"""Ticking boxes: one mark for each item, and no other byte."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from penstock.planning.files import UnreadableError
from penstock.planning.sources.api import TracedItem
from penstock.planning.sources.markdown import Box, boxes
from penstock.planning.sources.text import SourceFile, from_bytes
from penstock.planning.writeback.api import Batch, Desk, Edit, Standing, Written
from penstock.planning.writeback.matching import Finder, NotThere, Spot
from penstock.planning.writeback.notes import Notes

MARK: Final = b"x"
_CHANGE: Final = re.compile(r"(?P<changes>(?:.+/)?openspec/changes)/(?P<rest>(?!archive/)[^/]+/.+)")


def tick(batch: Batch, desk: Desk) -> Written:
    """Tick the boxes of what is done; whatever else became of an item leaves its box as it is."""
    notes = Notes()
    done = [report.item for report in batch.reports if report.standing is Standing.DONE]
    for name in dict.fromkeys(item.place.file for item in done):
        mine = [item for item in done if item.place.file == name]
        place = name if desk.read(name) is not None else _archived(name, desk)
        raw = desk.read(place)
        if raw is None:
            notes.lose(mine, f"{name} is not in the repository (any more)")
            continue
        try:
            file = from_bytes(raw, place)
        except UnreadableError as error:
            notes.lose(mine, f"{name} cannot be read: {error}")
            continue
        _tick_file(file, mine, notes, unchanged=name in batch.unchanged)
    return notes.written()


def _archived(name: str, desk: Desk) -> str:
    """Return the name that a file of an OpenSpec change has once that is archived; else its own."""
    found = _CHANGE.fullmatch(name)
    if found is None:
        return name
    folder = f"{found['changes']}/archive"
    dated = re.compile(rf"{re.escape(folder)}/\d{{4}}-\d\d-\d\d-{re.escape(found['rest'])}")
    names = [there for there in desk.names(folder) if dated.fullmatch(there)]
    return names[-1] if names else name


def _tick_file(
    file: SourceFile, items: Sequence[TracedItem], notes: Notes, *, unchanged: bool
) -> None:
    found = boxes(file)
    labels = {item.label for item in items if item.label}
    finder = Finder((Spot(box.line, box.text, at) for at, box in enumerate(found)), labels)
    chosen: dict[int, TracedItem] = {}
    for item in items:
        spot = finder.on_line(item.place.line) if unchanged else finder.find(item)
        if spot is None:
            notes.unmarked.append(item)
        elif isinstance(spot, NotThere):
            _miss(file, item, spot.why, notes)
        elif found[spot.at].ticked:
            notes.already.append(item)
        elif _becomes_link(file, found[spot.at]):
            notes.unmarked.append(item)
        else:
            chosen[spot.at] = item
    if chosen:
        _change(file, [(found[index], chosen[index]) for index in sorted(chosen)], notes)


def _change(file: SourceFile, chosen: list[tuple[Box, TracedItem]], notes: Notes) -> None:
    notes.files[file.name] = ticked(file.raw, [box for box, _ in chosen])
    notes.edits += [_edit(file, box, item) for box, item in chosen]


def _becomes_link(file: SourceFile, box: Box) -> bool:
    """Tell whether a box would be no box with a mark in it: `[ ](a)` is one, `[x](a)` a link."""
    behind = box.mark_offset + box.mark_length + 1
    return file.raw[behind : behind + 1] in (b"(", b"[")


def _miss(file: SourceFile, item: TracedItem, why: str, notes: Notes) -> None:
    """Tell an item that is there without a box from one that is lost."""
    stripped = (Spot(line.number, line.text.lstrip(" \t-*+\u2022"), 0) for line in file.lines)
    if isinstance(Finder(stripped, {item.label or ""}).find(item), NotThere):
        notes.lose([item], why)
    else:
        notes.unmarked.append(item)


def ticked(raw: bytes, chosen: Iterable[Box]) -> bytes:
    """Return a file with these boxes (in the order of the file) ticked, other bytes as they are."""
    parts, at = [], 0
    for box in chosen:
        parts += [raw[at : box.mark_offset], MARK]
        at = box.mark_offset + box.mark_length
    return b"".join((*parts, raw[at:]))


def _edit(file: SourceFile, box: Box, item: TracedItem) -> Edit:
    line = file.lines[box.line - 1]
    end = file.lines[box.line].offset if box.line < len(file.lines) else len(file.raw)
    whole = file.raw[line.offset : end].rstrip(b"\r\n")
    at = box.mark_offset - line.offset
    after = whole[:at] + MARK + whole[at + box.mark_length :]
    return Edit(
        file=file.name,
        line=box.line,
        before=line.text,
        after=after.decode(errors="replace"),
        label=item.label,
    )
