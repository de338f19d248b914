"""Writing results back into plans, whatever their dialect."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from penstock.planning.sources.api import Dialect
from penstock.planning.writeback.api import Batch, Desk, Standing, Written

STANDARD_INPUT: Final = "-"


def write_back(batch: Batch, desk: Desk) -> Written:
    """Return what the files of a plan become. Nothing is written, and no other byte changes.

    A plan that came from standard input has no file: its items are `unmarked`.
    """
    if batch.path == STANDARD_INPUT:
        done = (report.item for report in batch.reports if report.standing is Standing.DONE)
        return Written(unmarked=tuple(done))
    return _WRITERS[batch.dialect](batch, desk)


def unified(name: str, before: bytes | None, after: bytes | None) -> str:
    """Return the unified diff of a file's two contents, None being no file."""
    old, new = ("/dev/null" if side is None else name for side in (before, after))
    lines = _lines(before or b""), _lines(after or b"")
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in difflib.unified_diff(lines[0], lines[1], fromfile=old, tofile=new)
    )


def _lines(content: bytes) -> list[str]:
    """Split at line feeds only, as git does."""
    parts = content.decode(errors="replace").split("\n")
    return [f"{part}\n" for part in parts[:-1]] + parts[-1:] * bool(parts[-1])


def _ccpm(batch: Batch, desk: Desk) -> Written:
    from penstock.planning.writeback.ccpm import close

    return close(batch, desk)


def _boxes(batch: Batch, desk: Desk) -> Written:
    from penstock.planning.writeback.boxes import tick

    return tick(batch, desk)


def _taskmaster(batch: Batch, desk: Desk) -> Written:
    from penstock.planning.writeback.taskmaster import set_statuses

    return set_statuses(batch, desk)


_WRITERS: Mapping[Dialect, Callable[[Batch, Desk], Written]] = MappingProxyType(
    {
        Dialect.OPENSPEC: _boxes,
        Dialect.SPEC_KIT: _boxes,
        Dialect.CHECKLIST: _boxes,
        Dialect.CCPM: _ccpm,
        Dialect.TASK_MASTER: _taskmaster,
    }
)
