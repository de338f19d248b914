"""What goes back into a plan, and what came of putting it there."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from penstock.planning.sources.api import Dialect, TracedItem


class Standing(StrEnum):
    """How far an item has come, as far as the gates say so.

    `done` is integrated work; `started` waits for a person or for its other parts. Only task-master
    and CCPM can say more than done.
    """

    DONE = "done"
    STARTED = "started"
    REVIEW = "review"
    BLOCKED = "blocked"


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one item of a plan; `moment` (ISO-8601, UTC) is when."""

    item: TracedItem
    standing: Standing
    moment: str


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What became of items of one plan.

    `path` is that of the plan, as in a `Trace`. `unchanged` are the names of its files that are as
    they were when the plan was read: there, the lines of items are still right. `elsewhere` are
    keys of items that other runs have done.
    """

    dialect: Dialect
    id: str
    path: str
    tag: str | None = None
    unchanged: frozenset[str] = frozenset()
    reports: tuple[Report, ...] = ()
    elsewhere: frozenset[str] = frozenset()


class Desk(Protocol):
    """Where the files of plans are read, as they are now."""

    def read(self, name: str) -> bytes | None:
        """Return what a file holds, byte for byte; None when there is none."""
        ...

    def names(self, folder: str) -> Sequence[str]:
        """Return the names of the files in and below a folder, sorted."""
        ...


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """One place that is changed: `before` and `after` are the line, or the value, with its name."""

    file: str
    line: int
    before: str
    after: str
    label: str | None = None


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """An item that is not to be found any more, and why not."""

    item: TracedItem
    why: str


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan's files become: `files` are whole contents of those that change.

    `already` are the labels or texts of items that stood so before, `unmarked` those that their
    dialect has no mark for (a bullet without a box), `lost` those of a plan that changed meanwhile.
    """

    files: dict[str, bytes] = {}
    edits: tuple[Edit, ...] = ()
    already: tuple[TracedItem, ...] = ()
    unmarked: tuple[TracedItem, ...] = ()
    lost: tuple[Lost, ...] = ()


class SyncRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What `penstock sync` was asked for.

    `partial` writes what is still to be found of a plan that has changed meanwhile, `in_place` writes
    to the files of the checkout instead of committing, `archive` lets the openspec program archive
    the changes that are wholly done.
    """

    run_id: str
    dry_run: bool = False
    partial: bool = False
    in_place: bool = False
    archive: bool = False


class SyncedSource(msgspec.Struct, frozen=True, kw_only=True):
    """What was written back into one plan, or would be; see `Written`."""

    dialect: Dialect
    id: str
    path: str
    edits: tuple[Edit, ...] = ()
    already: tuple[TracedItem, ...] = ()
    unmarked: tuple[TracedItem, ...] = ()
    lost: tuple[Lost, ...] = ()
    archived: bool = False


class SyncResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of writing the results of a run back.

    `commit` is the one that was made on `branch`, None for none; `committed` are its files and
    `in_place` those that were written in the checkout, because git does not track them or it was
    asked for. With `refused` nothing was written: a plan has changed so that items are lost.
    `diff` is what was or would be written, `drift` how the plans have changed since they were read.
    `unfinished` are the workstreams of plans whose work is not integrated, with their states.
    """

    run_id: str
    branch: str
    sources: tuple[SyncedSource, ...]
    commit: str | None = None
    committed: tuple[str, ...] = ()
    in_place: tuple[str, ...] = ()
    refused: bool = False
    dry_run: bool = False
    diff: str = ""
    drift: str = ""
    unfinished: dict[str, str] = {}
    notes: tuple[str, ...] = ()
