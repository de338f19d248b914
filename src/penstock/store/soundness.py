"""Is the journal's file sound? What SQLite itself finds out, and the version of the schema."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec

from penstock.errors import JournalError
from penstock.store.database import BUSY_TIMEOUT_S, check_place, execute, open_file, translated
from penstock.store.migrations import latest_version, schema_version

MOST_PROBLEMS = 100
"""How many problems of one kind are listed."""
STEPS = 20_000
"""After so many of SQLite's instructions the time is looked at."""


class Soundness(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about a database file; it is sound when there is no problem.

    `schema_version` is None when it cannot be read, `latest` the version that this penstock writes.
    `complete` tells whether all of it was looked at.
    """

    path: str
    schema_version: int | None
    latest: int
    problems: tuple[str, ...]
    complete: bool = True

    @property
    def sound(self) -> bool:
        """Tell whether nothing was found."""
        return not self.problems

    @property
    def older(self) -> bool:
        """Tell whether `db migrate` has something to do."""
        return self.schema_version is not None and 0 < self.schema_version < self.latest


def check(path: Path, *, limit_s: float | None = None) -> Soundness:
    """Look through a whole database file without changing it.

    SQLite reads every page (`integrity_check`), every link between rows is followed
    (`foreign_key_check`), and the schema must be one that this penstock knows. After `limit_s` (s)
    it stops, and what was found until then counts. Raises JournalError when there is no file, or
    it may not be read.
    """
    check_place(path, create=False, read_only=True)
    version: int | None = None
    problems: list[str] = []
    complete = True
    patience = BUSY_TIMEOUT_S if limit_s is None else min(limit_s, BUSY_TIMEOUT_S)
    until = None if limit_s is None else time.monotonic() + limit_s
    try:
        with (
            closing(open_file(path, read_only=True, busy_timeout_s=patience)) as connection,
            translated(str(path)),
        ):
            complete = _until(connection, until, lambda: problems.extend(_broken_pages(connection)))
            version = schema_version(connection, str(path))
            problems += _wrong_version(version)
            links = _until(connection, until, lambda: problems.extend(_broken_links(connection)))
            complete = complete and links
    except JournalError as error:
        problems.append(str(error))
    return Soundness(
        path=str(path),
        schema_version=version,
        latest=latest_version(),
        problems=tuple(dict.fromkeys(problems)),
        complete=complete,
    )


def _until(connection: sqlite3.Connection, until: float | None, work: Callable[[], None]) -> bool:
    """Do some work on a connection; False when it was stopped at a moment of the monotonic clock."""
    if until is None:
        work()
        return True
    connection.set_progress_handler(lambda: time.monotonic() > until, STEPS)
    try:
        work()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return False
    finally:
        connection.set_progress_handler(None, STEPS)
    return True


def _broken_pages(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute(f"PRAGMA integrity_check({MOST_PROBLEMS})").fetchall()
    return [line for (text,) in rows for line in str(text).splitlines() if line != "ok"]


def _broken_links(connection: sqlite3.Connection) -> list[str]:
    """Return the tables with rows that point to rows which are not there."""
    faults = execute(connection, "database.foreign_key_faults", {}).fetchall()
    tables = [str(row[0]) for row in faults]
    return [f"{tables.count(t)} rows of {t} lack what they belong to" for t in sorted(set(tables))]


def _wrong_version(version: int) -> list[str]:
    if version == 0:
        return ["the database is empty: `penstock db init` makes a journal of it"]
    if version > latest_version():
        return [f"it has schema {version}, this penstock knows {latest_version()}"]
    return []
