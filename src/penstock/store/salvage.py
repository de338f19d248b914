"""Copying what can still be read of a damaged journal into a fresh one.

Every table is read in the order of its row numbers. Where a page cannot be read, the first row behind
it that can is looked for, by steps that double and then by halves: one search costs some eighty
reads, whatever the size of the hole. Rows that hold what they cannot hold, and rows whose run or
workstream is lost, are left out: the fresh journal is whole, if poorer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import msgspec

from penstock.errors import JournalError, PenstockError
from penstock.model.records import (
    Attempt,
    Cost,
    ErrorContext,
    ErrorRecord,
    Event,
    Request,
    Run,
    Workstream,
)
from penstock.store.codec import from_row
from penstock.store.database import check_place, execute, immediate, open_file, translated
from penstock.store.migrations import upgrade

_RECORDS: Mapping[str, type[Any]] = {
    "runs": Run,
    "workstreams": Workstream,
    "step_attempts": Attempt,
    "events": Event,
    "errors": ErrorRecord,
    "error_pipeline_contexts": ErrorContext,
    "cost_tracking": Cost,
    "run_requests": Request,
}
_OWN = frozenset({"schema_meta", "cost_totals"})  # the fresh journal has its own
_FACTS = frozenset({"events", "errors"})  # these outlive what they belong to
_LAST_ROW = 2**62


class Salvaged(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one table: rows copied, stretches that could not be read, rows left out."""

    table: str
    copied: int
    unreadable: int
    dropped: int


def salvage(path: Path, output: Path) -> tuple[Salvaged, ...]:
    """Copy what can be read of the journal at `path` into a fresh one at `output`; the old one is
    not changed.

    Raises JournalError when there is no file at `path`, nothing of it can be read, or `output`
    exists.
    """
    check_place(path, create=False, read_only=True)
    if output.exists():
        raise JournalError(f"{output} is there already", hint="name another file with `--output`")
    with ExitStack() as stack:
        source = stack.enter_context(closing(open_file(path, read_only=True)))
        source.text_factory = _text
        with translated(str(path)):
            names = [row["name"] for row in execute(source, "database.tables", {})]
        if "runs" not in names:
            raise JournalError(f"nothing of a journal can be read in {path}")
        unfinished = stack.enter_context(ExitStack())
        target = stack.enter_context(closing(open_file(output, create=True)))
        unfinished.callback(output.unlink)  # once it is closed, and its log gone with that
        with translated(str(output)):
            upgrade(target, output)
            tables = _fill(source, target, names)
        unfinished.pop_all()
        return tables


def _fill(
    source: sqlite3.Connection, target: sqlite3.Connection, names: list[str]
) -> tuple[Salvaged, ...]:
    """Copy all tables that both have, then leave out what belongs to nothing any more."""
    tables = [row["name"] for row in execute(target, "database.tables", {})]
    wanted = [table for table in tables if table in names and table not in _OWN]
    target.execute("PRAGMA foreign_keys=OFF")
    with immediate(target):
        copied = [_copy(source, target, table) for table in wanted]
        orphans = _drop_orphans(target)
    return tuple(
        msgspec.structs.replace(
            each,
            copied=each.copied - orphans.get(each.table, 0),
            dropped=each.dropped + orphans.get(each.table, 0),
        )
        for each in copied
    )


def _copy(source: sqlite3.Connection, target: sqlite3.Connection, table: str) -> Salvaged:
    """Copy the readable rows of one table."""
    columns = _shared_columns(source, target, table)
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    insert = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - our names
    copied = dropped = unreadable = 0
    for row in _rows(source, table):
        if row is None:
            unreadable += 1
            continue
        fits = _fits(table, row) and target.execute(insert, [row[c] for c in columns]).rowcount == 1
        copied, dropped = copied + fits, dropped + (not fits)
    return Salvaged(table=table, copied=copied, unreadable=unreadable, dropped=dropped)


def _shared_columns(
    source: sqlite3.Connection, target: sqlite3.Connection, table: str
) -> list[str]:
    """Return the columns of ours that the damaged journal has too."""
    sides = [
        [row[1] for row in side.execute(f"PRAGMA table_info({table})")] for side in (source, target)
    ]
    return [name for name in sides[1] if name in sides[0]]


def _rows(source: sqlite3.Connection, table: str) -> Iterator[sqlite3.Row | None]:
    """Yield the rows that can be read, in their order, and None for each hole."""
    # the table's name is one of ours
    select = f"SELECT rowid AS salvaged_row, * FROM {table} WHERE rowid > ? ORDER BY rowid"  # noqa: S608
    after = -1
    while True:
        with suppress(sqlite3.DatabaseError):
            for row in source.execute(select, (after,)):
                after = row["salvaged_row"]
                yield row
            return
        yield None
        found = _behind_the_hole(source, f"{select} LIMIT 1", after)
        if found is None:
            return
        after = found


def _behind_the_hole(source: sqlite3.Connection, select: str, after: int) -> int | None:
    """Return the smallest row number from which reading works again, None when there is none."""
    step = 1
    while not _readable(source, select, after + step):
        step *= 2
        if after + step > _LAST_ROW:
            return None
    bad, good = after + step // 2, after + step
    while good - bad > 1:
        middle = (bad + good) // 2
        bad, good = (bad, middle) if _readable(source, select, middle) else (middle, good)
    return good


def _readable(source: sqlite3.Connection, select: str, after: int) -> bool:
    """Tell whether the first row after a row number can be read, or there is none."""
    try:
        source.execute(select, (after,)).fetchone()
    except sqlite3.DatabaseError:
        return False
    return True


def _fits(table: str, row: sqlite3.Row) -> bool:
    """Tell whether a row holds what a row of its table can hold."""
    record = _RECORDS.get(table)
    if record is None:
        return True
    try:
        from_row(record, row)
    except PenstockError:
        return False
    return True


def _drop_orphans(target: sqlite3.Connection) -> dict[str, int]:
    """Leave out rows whose run, workstream or attempt was lost; facts only lose the link.

    Returns how many rows of each table went. What belonged to those goes in the next round.
    """
    dropped: dict[str, int] = {}
    while faults := target.execute("PRAGMA foreign_key_check").fetchall():
        for table, row in {(fault[0], fault[1]) for fault in faults}:
            if table in _FACTS:
                target.execute(
                    f"UPDATE {table} SET ws_id = NULL, run_id ="  # noqa: S608 - our names
                    f" (SELECT runs.run_id FROM runs WHERE runs.run_id = {table}.run_id)"
                    " WHERE rowid = ?",
                    (row,),
                )
                continue
            target.execute(f"DELETE FROM {table} WHERE rowid = ?", (row,))  # noqa: S608
            dropped[table] = dropped.get(table, 0) + 1
    return dropped


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
