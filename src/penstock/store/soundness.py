"""Is the journal's file sound? What SQLite itself finds out, and the version of the schema."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from penstock.errors import JournalError
from penstock.store.database import check_place, execute, open_file, translated
from penstock.store.migrations import latest_version, schema_version

MOST_PROBLEMS = 100
"""How many problems of one kind are listed."""


class Soundness(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about a database file; it is sound when there is no problem.

    `schema_version` is None when it cannot be read, `latest` the version that this penstock writes.
    """

    path: str
    schema_version: int | None
    latest: int
    problems: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Tell whether nothing was found."""
        return not self.problems

    @property
    def older(self) -> bool:
        """Tell whether `db migrate` has something to do."""
        return self.schema_version is not None and 0 < self.schema_version < self.latest


def check(path: Path) -> Soundness:
    """Look through a whole database file without changing it.

    SQLite reads every page (`integrity_check`), every link between rows is followed
    (`foreign_key_check`), and the schema must be one that this penstock knows. Raises JournalError
    when there is no file, or it may not be read.
    """
    check_place(path, create=False, read_only=True)
    version: int | None = None
    problems: list[str] = []
    try:
        with closing(open_file(path, read_only=True)) as connection, translated(str(path)):
            problems += _broken_pages(connection)
            version = schema_version(connection, str(path))
            problems += _wrong_version(version)
            problems += _broken_links(connection)
    except JournalError as error:
        problems.append(str(error))
    return Soundness(
        path=str(path),
        schema_version=version,
        latest=latest_version(),
        problems=tuple(dict.fromkeys(problems)),
    )


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
