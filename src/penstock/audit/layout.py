"""Where a trail lies, and what is in its folder: one folder a UTC day, and the head."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

LINES = "audit.jsonl"
CHECKPOINT = "checkpoint.json"
PRUNED = "pruned.json"
HEAD = ".head"
"""The lock that writers take, holding where the trail ends."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
DAY_US = 86_400_000_000


def day_at(microseconds: int) -> str:
    """Return the UTC day of a moment as `2026-01-31`."""
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).strftime("%Y-%m-%d")


def day_start(day: str) -> int:
    """Return the beginning of a UTC day in microseconds since the epoch."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1_000_000


def days_of(folder: Path) -> list[str]:
    """Return the days that have a folder in the trail, oldest first; none for no trail."""
    try:
        with os.scandir(folder) as entries:
            return sorted(e.name for e in entries if _DAY.fullmatch(e.name) and e.is_dir())
    except FileNotFoundError:
        return []


def lines_file(folder: Path, day: str) -> Path:
    """Return the file of a day's lines."""
    return folder / day / LINES


def checkpoint_file(folder: Path, day: str) -> Path:
    """Return the file of a closed day's checkpoint."""
    return folder / day / CHECKPOINT


def is_in_day(name: str) -> bool:
    """Tell whether a name, relative to the trail, is that of a file in a day's folder."""
    day, _, file = name.partition("/")
    return bool(file and _DAY.fullmatch(day))
