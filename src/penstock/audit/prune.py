"""Dropping whole days: their lines go, their checkpoints stay so that the rest still verifies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from penstock.audit import layout
from penstock.audit.api import PruneReport
from penstock.audit.seals import read_checkpoint


def days_before(folder: Path, today: str, keep: int) -> list[str]:
    """Return the days with lines that are older than the last `keep` days, today counted.

    Oldest first, up to the first day that has no checkpoint: that one is not closed.
    """
    oldest_kept = layout.day_at(layout.day_start(today) - (keep - 1) * layout.DAY_US)
    due: list[str] = []
    for day in layout.days_of(folder):
        if day >= oldest_kept:
            break
        if not layout.lines_file(folder, day).exists():
            continue
        if read_checkpoint(layout.checkpoint_file(folder, day)) is None:
            break
        due.append(day)
    return due


def report_on(folder: Path, days: list[str]) -> PruneReport:
    """Return what dropping the days comes to."""
    points = [read_checkpoint(layout.checkpoint_file(folder, day)) for day in days]
    return PruneReport(
        days=tuple(days),
        entries=sum(point.count for point in points if point is not None),
        size_bytes=sum(layout.lines_file(folder, day).stat().st_size for day in days),
    )


def drop(folder: Path, days: list[str], say: Callable[[str], None]) -> None:
    """Delete the lines of the days, oldest first, having said up to which before."""
    if not days:
        return
    say(days[-1])
    for day in days:
        layout.lines_file(folder, day).unlink()
