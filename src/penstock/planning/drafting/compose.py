"""From a cell to the bundle that it is: fields, trace, evidence, and why it is as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

import msgspec

from penstock.model.bundle import Bundle, Priority
from penstock.planning.drafting.api import PlanOptions
from penstock.planning.drafting.grouping import Cell
from penstock.planning.drafting.limits import Amount
from penstock.planning.drafting.links import Link
from penstock.planning.drafting.reading import Reading
from penstock.planning.drafting.tasks import Gathered, Task
from penstock.planning.scoping.api import Guess
from penstock.planning.sources.api import (
    Item,
    ItemState,
    PlanSource,
    Trace,
    TracedItem,
    Unit,
    Use,
)

_QUOTED = re.compile(r"(?:[Rr]un:?\s+)?(`+)\s*([^`\n]+?)\s*\1\.?")
_WORD = re.compile(r"[a-z][a-z0-9_.+-]*(?=\s|$|[|&;<>()])")


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle is made of. `waits` are links by id, `unmet` what it depends on unplanned.

    `whole` are the units of which this is the last workstream, `fresh` those of which it is the
    first.
    """

    ws_id: str
    cell: Cell
    tasks: tuple[Task, ...]
    amount: Amount
    waits: Mapping[str, Link]
    group: str | None
    whole: tuple[Unit, ...]
    fresh: tuple[Unit, ...]
    unmet: tuple[Task, ...]
    reading: Reading


def make_bundle(piece: Piece, gathered: Gathered, options: PlanOptions, tool: str) -> Bundle:
    """Return the bundle of a cell."""
    source = gathered.sources[piece.cell.source]
    units = _units(piece.tasks)
    modify, create = scope_fields(piece.tasks)
    return Bundle(
        id=piece.ws_id,
        openspec_change=source.plan_id,
        ccpm_issue=_issue(units, source),
        gate=piece.cell.gate,
        files_scope=modify or create,
        files_create=create,
        tasks=tuple(task_text(task.item) for task in piece.tasks),
        tool=tool,
        capability=options.capability,
        acceptance_tests=acceptance(piece.whole),
        depends_on=tuple(sorted(piece.waits)),
        parallel_ok=all(unit.parallel_ok for unit in units),
        conflict_group=piece.group,
        priority=_priority(units),
        estimated_context_tokens=piece.amount.tokens,
        metadata=_metadata(piece, source, units),
    )


def _units(tasks: Iterable[Task]) -> list[Unit]:
    return list({task.unit_at: task.unit for task in tasks}.values())


def _issue(units: Sequence[Unit], source: PlanSource) -> int | str:
    """The issue of all units, else what the plan is called."""
    issues = {str(unit.issue) for unit in units}
    return units[0].issue if len(issues) == 1 else source.id


def _priority(units: Iterable[Unit]) -> Priority:
    """Background only when nothing else is in it."""
    background = all(unit.priority is Priority.BACKGROUND for unit in units)
    return Priority.BACKGROUND if background else Priority.FOREGROUND


def scope_fields(tasks: Sequence[Task]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what is to be changed and what is to be made, each path once and in one of the two."""
    create = tuple(dict.fromkeys(p for task in tasks for p in task.paths(Use.CREATE)))
    modify = dict.fromkeys(p for task in tasks for p in task.paths(Use.MODIFY))
    return tuple(path for path in modify if path not in create), create


def task_text(item: Item) -> str:
    """Return a task as a tool is told it: label, text, and the lines below indented."""
    head = " ".join(part for part in (item.label, item.text) if part) or item.key
    body = [f"  {line}" if line.strip() else "" for line in item.details.strip("\n").splitlines()]
    return "\n".join((head, *body)).rstrip()


def acceptance(units: Iterable[Unit]) -> tuple[str, ...]:
    """Return criteria as entries of acceptance_tests, each once.

    A line that is nothing but a command in backticks becomes that command. Prose that begins with a
    lower-case word gets a capital letter, or `go to the settings` would be run as a command.
    """
    entries = (_entry(text.strip()) for unit in units for text in unit.acceptance)
    return tuple(dict.fromkeys(entry for entry in entries if entry))


def _entry(text: str) -> str:
    if (command := _QUOTED.fullmatch(text)) is not None:
        return command[2]
    text = text.removeprefix("$ ")
    return text[0].upper() + text[1:] if _WORD.match(text) else text


def traced(item: Item) -> TracedItem:
    """Return what a bundle remembers of an item."""
    return TracedItem(
        key=item.key, label=item.label, text=item.text, place=item.place, raw_state=item.raw_state
    )


def _trace(piece: Piece, source: PlanSource, units: Sequence[Unit]) -> Trace:
    done = (item for unit in piece.fresh for item in unit.items if item.state is ItemState.DONE)
    tag = source.metadata.get("tag")
    return Trace(
        dialect=source.dialect,
        id=source.id,
        path=source.path,
        tag=tag if isinstance(tag, str) else None,
        files=piece.reading.files(units),
        version=piece.reading.version,
        units=tuple(unit.key for unit in units),
        items=tuple(traced(task.item) for task in piece.tasks),
        done=tuple(map(traced, done)),
    )


def _metadata(piece: Piece, source: PlanSource, units: Sequence[Unit]) -> dict[str, Any]:
    """All that a bundle has no field for; what is empty is left out."""
    tasks = piece.tasks
    found: dict[str, Any] = {
        "plan": msgspec.to_builtins(_trace(piece, source, units)),
        "title": "; ".join(unit.title for unit in units if unit.title),
        "evidence": [_evidence(guess) for guess in evidence(tasks)],
        "derived": [
            {"id": ws, "why": link.why}
            for ws, link in sorted(piece.waits.items())
            if not link.stated
        ],
        "read": list(dict.fromkeys(p for task in tasks for p in task.paths(Use.READ))),
        "forbidden": list(dict.fromkeys(s.path for unit in units for s in unit.forbidden)),
        "parallel": [task.item.label or task.item.key for task in tasks if task.item.parallel],
        "unmet": [f"{task.name} ({task.item.place})" for task in piece.unmet],
        "order_notes": source.metadata.get("order_notes"),
        "units": {unit.key: plain(unit.metadata) for unit in units if unit.metadata},
        "source": plain({k: v for k, v in source.metadata.items() if k not in _LIFTED}),
    }
    return {key: value for key, value in found.items() if value not in (None, "", [], {})}


_LIFTED = ("tag", "order_notes")


def evidence(tasks: Iterable[Task]) -> tuple[Guess, ...]:
    """Return all guesses of some tasks, the surest for each path and use."""
    best: dict[tuple[str, Use], Guess] = {}
    for task in tasks:
        for guess in task.guesses:
            known = best.get((guess.path, guess.use))
            if known is None or guess.confidence > known.confidence:
                best[guess.path, guess.use] = guess
    return tuple(best.values())


def _evidence(guess: Guess) -> dict[str, Any]:
    made: dict[str, Any] = {
        "path": guess.path,
        "use": str(guess.use),
        "rung": str(guess.rung),
        "confidence": round(guess.confidence, 2),
        "evidence": guess.evidence,
    }
    if guess.place is not None:
        made["place"] = str(guess.place)
    return made


def plain(value: Any) -> Any:
    """Return a value as JSON has it: keys as text, sets sorted, dates as text."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((plain(inner) for inner in value), key=str)
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, float) and not isfinite(value):
        return None
    return value if isinstance(value, str | int | float | None) else str(value)
