"""The journal on SQLite."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from penstock.errors import JournalError
from penstock.model.records import Event
from penstock.model.settings import Durability
from penstock.store.attempts import AttemptStore
from penstock.store.budgets import BudgetStore
from penstock.store.database import BUSY_TIMEOUT_S, Database, open_file, open_memory, translated
from penstock.store.facts import FactStore
from penstock.store.faults import HINT_INIT
from penstock.store.migrations import VERSION_KEY, require_current, upgrade
from penstock.store.migrations import schema_version as read_version
from penstock.store.requests import RequestStore
from penstock.store.retries import RetryStore
from penstock.store.runs import RunStore
from penstock.store.toolhealth import ToolHealthStore
from penstock.store.workstreams import WorkstreamStore


class SqliteJournal(
    RunStore,
    WorkstreamStore,
    RetryStore,
    AttemptStore,
    BudgetStore,
    FactStore,
    RequestStore,
    ToolHealthStore,
):
    """The journal in an SQLite database; see store.api for what each method promises.

    One connection with a lock: usable from several threads of the process that opened it, not
    across a fork.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the database back; a second time does nothing."""
        self._db.close()

    def table_counts(self) -> dict[str, int]:
        """Return the number of rows of each table, sorted by name."""
        names = [row["name"] for row in self._db.rows("database.tables")]
        return {name: self._db.count(name) for name in names}

    def schema_version(self) -> int:
        """Return the number of the last migration applied."""
        row = self._db.row("database.get_meta", key=VERSION_KEY)
        return 0 if row is None else int(row["value"])


def open_journal(
    path: Path | None,
    *,
    durability: Durability = Durability.FULL,
    clock: Callable[[], float] = time.time,
    on_event: Callable[[Event], None] | None = None,
    create: bool = True,
    read_only: bool = False,
    busy_timeout_s: float = BUSY_TIMEOUT_S,
) -> SqliteJournal:
    """Open the journal at `path` (None: in memory, gone with the object).

    `clock` gives seconds since the epoch. `on_event` hears of every event after its commit, in
    the thread that wrote it, and must not raise. Unless `read_only`, a missing journal is made
    (`create`) and an older one is migrated after a backup. Writers of other processes are waited
    for `busy_timeout_s` seconds. Raises JournalError, JournalSchemaError.
    """
    with ExitStack() as stack:
        if path is None:
            connection = open_memory()
        else:
            connection = open_file(
                path,
                durability=durability,
                create=create,
                read_only=read_only,
                busy_timeout_s=busy_timeout_s,
            )
        stack.callback(connection.close)
        name = str(path or "in memory")
        with translated(name):
            if read_only and path is not None:
                require_current(connection, name)
            elif create or read_version(connection, name):
                upgrade(connection, path)
            else:
                raise JournalError(f"{name} is empty", hint=HINT_INIT)
        stack.pop_all()
    database = Database(connection, name, path=path, read_only=read_only)
    return SqliteJournal(database, clock=clock, on_event=on_event)


def connect(path: Path) -> sqlite3.Connection:
    """Open the journal at `path` (made or migrated as need be) as a plain connection.

    For scripts that bring their own SQL: foreign keys on, rows by name, and each statement that
    writes begins an immediate transaction, which the caller commits. Neither the fence nor the
    state tables watch over it. Raises JournalError.
    """
    with ExitStack() as stack:
        connection = open_file(path, create=True)
        stack.callback(connection.close)
        with translated(str(path)):
            upgrade(connection, path)
        stack.pop_all()
    connection.isolation_level = "IMMEDIATE"
    return connection
