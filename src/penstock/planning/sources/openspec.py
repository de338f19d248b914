"""Reads a change of OpenSpec: groups of tasks, with its deltas as what they must fulfil."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from penstock.errors import UsageError
from penstock.planning.sources.api import (
    Dialect,
    Passage,
    PlanSource,
    StatedPath,
    Use,
)
from penstock.planning.sources.layouts import entries
from penstock.planning.sources.markdown import Heading, headings, passage, sections
from penstock.planning.sources.noting import Notes
from penstock.planning.sources.openspec_acceptance import with_acceptance
from penstock.planning.sources.openspec_folder import Change
from penstock.planning.sources.openspec_rules import judge, metadata_fault
from penstock.planning.sources.openspec_tasks import TaskReader
from penstock.planning.sources.recognise import Located
from penstock.planning.sources.text import SourceFile

_TITLE: Final = re.compile(
    r"(?:change(?:\s+proposal)?|proposal)\s*[:\u2013\u2014-]\s*", re.IGNORECASE
)
_STYLES: Final = {
    "why": "why",
    "what changes": "why",
    "intent": "intent",
    "approach": "intent",
}
_CAPABILITY: Final = re.compile(r"\s*[-*+]\s*`([^`]+)`")
_KNOWN: Final = frozenset(
    {"schema", "created", "goal", "affected_areas", "initiative", "skip_specs"}
    | {"retire_capabilities", "allowedEditRoots"}
)
_READ: Final = frozenset({"proposal.md", "design.md", "tasks.md", ".openspec.yaml", "specs"})


def read_openspec(located: Located, root: Path) -> PlanSource:
    """Read a change: its groups are units, its boxes items, its deltas acceptance.

    What the openspec program rejects a change for are error notices.
    Raises UsageError when the directory is not there.
    """
    if not located.path.is_dir():
        raise UsageError(f"{located.name} is no directory", hint="name a change by its id")
    notes = Notes()
    change = Change(located.path, root, notes)
    proposal = change.read(change.path / "proposal.md")
    design = change.read(change.path / "design.md")
    title = _title(proposal, change)
    deltas = judge(change)
    if change.archived:
        notes.info("archived", f"{change.name} is archived: nothing of it is to be done", None)
    tracked = metadata_fault(change) is None
    numbered = change.built_in and tracked
    reader = TaskReader(notes, tracked=tracked, numbered=numbered, archived=change.archived)
    units = reader.units(change.tasks, title)
    if not change.tasks:
        notes.warning("no-tasks", f"{change.name} has no tasks.md", None)
    accepted = with_acceptance(units, dict(change.specs), deltas)
    metadata = _metadata(change, proposal)
    if accepted.on_all:
        metadata["acceptance_on_all"] = list(accepted.on_all)
    return PlanSource(
        dialect=Dialect.OPENSPEC,
        id=change.id,
        plan_id=change.id,
        title=title,
        path=change.name,
        files=dict(sorted(change.files.items())),
        units=accepted.units,
        passages=(
            *_passages(proposal, "proposal"),
            *_passages(design, "design"),
            *accepted.passages,
        ),
        paths=tuple(_paths(change)),
        notices=notes.all(),
        metadata=metadata,
    )


def _title(proposal: SourceFile | None, change: Change) -> str:
    """Return the first heading of the proposal without "Change:", else the goal, else the id."""
    found = headings(proposal) if proposal else []
    first = next((each.text for each in found if each.level == 1 and each.text), "")
    goal = change.metadata[1].get("goal") if change.metadata else None
    generic = first.lower() in ("proposal", "change proposal", "why")
    title = "" if generic else _TITLE.sub("", first, count=1).strip()
    return title or (goal if isinstance(goal, str) else "") or change.id


def _passages(file: SourceFile | None, role: str) -> Iterator[Passage]:
    """Yield the parts of a file from one heading to the next, whatever their levels."""
    if file is None:
        return
    found = headings(file)
    starts = [1, *(heading.line for heading in found)]
    ends = [*(heading.line - 1 for heading in found), len(file.lines)]
    for first, last in zip(starts, ends, strict=True):
        text = passage(file, first, last).strip("\n")
        if text.strip():
            yield Passage(role=role, text=text, place=file.place(first))


def _paths(change: Change) -> Iterator[StatedPath]:
    """Yield what the metadata states: roots that may be edited, and areas that are folders."""
    if change.metadata is None:
        return
    file, values, _ = change.metadata
    for field in ("allowedEditRoots", "affected_areas"):
        listed = values.get(field)
        for path in listed if isinstance(listed, list) else ():
            if not isinstance(path, str) or not path.strip():
                continue
            if field == "allowedEditRoots" or change.is_folder(path.strip()):
                place = file.place(_line(file, path))
                yield StatedPath(path=path.strip(), use=Use.MODIFY, place=place, field=field)


def _line(file: SourceFile, text: str) -> int:
    return next((line.number for line in file.lines if text in line.text), 1)


# -- what is kept without a place of its own -------------------------------------------------------
def _metadata(change: Change, proposal: SourceFile | None) -> dict[str, Any]:
    """Return what else the change says: fields, capabilities, order, files that nobody reads."""
    kept: dict[str, Any] = {"schema": change.schema}
    if change.metadata:
        values = change.metadata[1]
        kept |= {key: values[key] for key in sorted(values) if key in _KNOWN}
        unknown = {key: values[key] for key in sorted(values) if key not in _KNOWN}
        kept |= {"unknown": unknown} if unknown else {}
    kept |= _proposed(change, proposal)
    notes = list(_order_notes(change))
    kept |= {"order_notes": notes} if notes else {}
    others = [entry.name for entry in entries(change.path) if entry.name not in _READ]
    kept |= {"other_files": others} if others else {}
    return kept


def _proposed(change: Change, proposal: SourceFile | None) -> dict[str, Any]:
    """Return the style of the proposal and the capabilities that it lists."""
    if proposal is None:
        change.notes.info("no-proposal", f"{change.name} has no proposal.md", None)
        return {}
    found = headings(proposal)
    styles = [_STYLES[h.text.lower()] for h in found if h.text.lower() in _STYLES]
    if not styles:
        change.notes.warning(
            "no-why",
            "neither Why and What Changes nor Intent and Approach are in the proposal",
            proposal.place(1),
        )
    kept: dict[str, Any] = {"proposal": styles[0]} if styles else {}
    for heading, last in sections(proposal, found):
        kind = heading.text.lower().removesuffix(" capabilities")
        if kind != heading.text.lower() and kind in ("new", "modified", "removed"):
            kept[f"{kind}_capabilities"] = _listed(proposal, heading, last)
    return kept


def _listed(file: SourceFile, heading: Heading, last: int) -> list[str]:
    found = (_CAPABILITY.match(line.text) for line in file.lines[heading.line : last])
    return [match[1] for match in found if match]


def _order_notes(change: Change) -> Iterator[str]:
    """Yield the lines of an order of changes, written in prose, that name this one."""
    name = re.compile(rf"(?<![\w-]){re.escape(change.id)}(?![\w-])")
    for path in _order_files(change.openspec / "changes"):
        file = change.read(path)
        for line in file.lines if file else ():
            if name.search(line.text):
                yield f"{change.named(path)}:{line.number}: {line.text.strip()}"


def _order_files(folder: Path) -> Sequence[Path]:
    if not folder.is_dir():
        return ()
    return sorted(p for p in folder.glob("*.md") if "order" in p.name.lower() and p.is_file())
