"""Putting what was written back into words: commit message, event, diffs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from penstock.planning.writeback.api import SyncedSource, SyncResult
from penstock.planning.writeback.writing import unified
from penstock.syncing.desk import PlanDesk


def message(result: SyncResult) -> str:
    """Return the message of the commit: the run, and a line for each file."""
    counts: dict[str, int] = {}
    for source in result.sources:
        for edit in source.edits:
            counts[edit.file] = counts.get(edit.file, 0) + 1
    lines = [f"- {name}: {count}" for name, count in counts.items() if name in result.committed]
    return "\n\n".join([f"Write results of run {result.run_id} back", "\n".join(lines)])


def payload(result: SyncResult) -> dict[str, Any]:
    """Return what the event says."""
    return {
        "branch": result.branch,
        "commit": result.commit,
        "committed": list(result.committed),
        "in_place": list(result.in_place),
        "edits": sum(len(source.edits) for source in result.sources),
        "lost": sum(len(source.lost) for source in result.sources),
    }


def whole_diff(desk: PlanDesk) -> str:
    """Return the unified diff of all that is to be written."""
    return "".join(
        unified(name, desk.original(name), raw) for name, raw in sorted(desk.changed.items())
    )


def drift(sources: Iterable[SyncedSource], desk: PlanDesk, as_read: Mapping[str, bytes]) -> str:
    """Return how the files of lost items have changed: a diff where git has what was read, else the
    lines that are missed."""
    lost = sorted((one.item for source in sources for one in source.lost), key=lambda i: i.place)
    missed: dict[str, list[str]] = {}
    for item in lost:
        label = f"{item.label} " if item.label else ""
        line = f"-{item.place.line}: {label}{item.text}\n"
        missed.setdefault(item.place.file, []).append(line)
    return "".join(_drift_of(name, lines, desk, as_read) for name, lines in sorted(missed.items()))


def _drift_of(name: str, lines: list[str], desk: PlanDesk, as_read: Mapping[str, bytes]) -> str:
    now = desk.original(name)
    if name in as_read and as_read[name] != now:
        return unified(name, as_read[name], now)
    return "".join((f"--- {name} (as planned)\n", *lines))
