"""One SQLite connection, shared by the threads of this process: opening it, and its transactions.

WAL with foreign keys on; every write is a `BEGIN IMMEDIATE` transaction, because a deferred one
that reads and then writes fails under load instead of waiting. The threads take turns at the
connection, and those that write at the same time share a commit (store.commits); other processes
are waited for by SQLite's busy timeout.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from penstock.errors import JournalError, UsageError
from penstock.model.settings import Durability
from penstock.store.codec import clean
from penstock.store.commits import Turns
from penstock.store.faults import (
    HINT_ACCESS,
    HINT_GONE,
    HINT_INIT,
    describe,
    primary_code,
)
from penstock.store.queries import query

BUSY_TIMEOUT_S = 10.0
MEMORY = ":memory:"
# The write-ahead log is cut back to this many bytes when it has been written back.
_LOG_LIMIT = 16 * 1024 * 1024
# what SQLite says where it may not make the lock file of the log
_NO_LOCK_FILE = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY})
_FULL = 2  # the value of PRAGMA synchronous
_EFFECTIVE = os.access in os.supports_effective_ids


def execute(
    connection: sqlite3.Connection, name: str, parameters: Mapping[str, Any]
) -> sqlite3.Cursor:
    """Run a named query with bound parameters."""
    try:
        return connection.execute(query(name), parameters)
    except UnicodeEncodeError:
        return connection.execute(query(name), {k: clean(v) for k, v in parameters.items()})


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn SQLite's errors into ours, for the journal called `name`."""
    try:
        yield
    except sqlite3.Error as error:
        raise describe(error, name) from error
    except OverflowError as error:
        raise UsageError(f"a number is too large for the journal: {error}") from error


@contextmanager
def immediate(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold the write lock for a block; commit at its end, roll back when it fails."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


class Database:
    """A connection, its lock and its name in messages.

    `path` is the file of one that may write: it and its log must stay where they are.
    """

    def __init__(
        self, connection: sqlite3.Connection, name: str, *, path: Path | None, read_only: bool
    ) -> None:
        self.name = name
        self.read_only = read_only
        self._connection = connection
        self._turns = Turns(connection)
        files = () if path is None or read_only else (path, log_of(path))
        self._files = tuple((str(file), _identity(str(file))) for file in files)
        level = 0 if read_only else connection.execute("PRAGMA synchronous").fetchone()[0]
        self._syncs = level >= _FULL

    def close(self) -> None:
        """Close the connection; a second time does nothing."""
        with translated(self.name), self._turns.reading() as connection:
            connection.close()

    @contextmanager
    def write(self, *, synced: bool = True) -> Iterator[sqlite3.Connection]:
        """Give the connection within one write transaction. Raises JournalError.

        One that is not `synced` may be lost in a power cut, though not in the death of a process; it
        does not wait for the disk.
        """
        if self.read_only:
            raise JournalError(f"the journal {self.name} was opened for reading only")
        turn = self._turns.writing() if synced or not self._syncs else self._unsynced()
        with translated(self.name), turn as connection:
            self._require_files()
            yield connection

    @contextmanager
    def _unsynced(self) -> Iterator[sqlite3.Connection]:
        """Give the connection within a write transaction that does not wait for the disk."""
        came = time.monotonic()
        with self._turns.reading() as connection:
            connection.execute("PRAGMA synchronous=NORMAL")
            try:
                with self._turns.patience(came), immediate(connection):
                    yield connection
            finally:
                connection.execute("PRAGMA synchronous=FULL")

    def _require_files(self) -> None:
        """Raise JournalError when the file or its log was moved, deleted or replaced meanwhile.

        SQLite would write on into a file that nobody can find any more. What was committed until
        now reaches the database when this connection is closed, if only the log is gone.
        """
        for file, identity in self._files:
            if identity is not None and _identity(file) != identity:
                raise JournalError(
                    f"{file} was deleted, moved or replaced while the journal was in use",
                    hint=HINT_GONE,
                )

    def rows(self, name: str, **parameters: Any) -> list[sqlite3.Row]:
        """Return all rows of a named query."""
        with translated(self.name), self._turns.reading() as connection:
            return execute(connection, name, parameters).fetchall()

    def row(self, name: str, **parameters: Any) -> sqlite3.Row | None:
        """Return the first row of a named query, or None."""
        rows = self.rows(name, **parameters)
        return rows[0] if rows else None

    def count(self, table: str) -> int:
        """Return the number of rows of a table that the database itself named."""
        quoted = '"' + table.replace('"', '""') + '"'
        with translated(self.name), self._turns.reading() as connection:
            # a table's name cannot be bound; this one comes from sqlite_master
            row = connection.execute(f"SELECT count(*) FROM {quoted}").fetchone()  # noqa: S608
        return int(row[0])


def log_of(path: Path) -> Path:
    """Return where the write-ahead log of a database lies while it is in use."""
    return path.with_name(path.name + "-wal")


def _identity(file: str) -> tuple[int, int] | None:
    """Return what tells a file from every other, None when there is none."""
    try:
        found = os.stat(file)  # noqa: PTH116 - before every write: a Path costs more than the call
    except OSError:
        return None
    return found.st_dev, found.st_ino


def open_memory() -> sqlite3.Connection:
    """Open a database that lives in memory, as long as its connection."""
    connection = _connect(MEMORY, BUSY_TIMEOUT_S, uri=False)
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


def open_file(
    path: Path,
    *,
    durability: Durability = Durability.FULL,
    create: bool = False,
    read_only: bool = False,
    busy_timeout_s: float = BUSY_TIMEOUT_S,
) -> sqlite3.Connection:
    """Open a database file; `create` makes a missing one (0600, its folder 0700).

    Raises JournalError when it is missing, is no file, cannot be opened, or cannot have a
    write-ahead log.
    """
    check_place(path, create=create and not read_only, read_only=read_only)
    if read_only:
        return _open_for_reading(path, busy_timeout_s)
    with translated(str(path)), ExitStack() as stack:
        connection = _connect(_uri(path, "mode=rw"), busy_timeout_s)
        stack.callback(connection.close)
        _use_log(connection, path, busy_timeout_s)
        connection.execute(f"PRAGMA synchronous={durability.name}")
        connection.execute(f"PRAGMA journal_size_limit={_LOG_LIMIT}")
        connection.execute("PRAGMA foreign_keys=ON")
        stack.pop_all()
    return connection


def check_place(path: Path, *, create: bool, read_only: bool) -> None:
    """See that a usable file lies at `path`, making it when told to. Raises JournalError."""
    try:
        if create and not os.path.lexists(path):
            _make_file(path)
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise JournalError(f"there is no journal at {path}", hint=HINT_INIT) from None
    except (OSError, ValueError) as error:
        raise JournalError(f"the journal {path} cannot be opened: {error}", hint=HINT_ACCESS) from (
            error
        )
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
        raise JournalError(
            f"the journal {path} is {what}", hint="name another place with `--db PATH`"
        )
    if not read_only and not os.access(path, os.W_OK, effective_ids=_EFFECTIVE):
        raise JournalError(f"the journal {path} cannot be written", hint=HINT_ACCESS)


def _make_file(path: Path) -> None:
    """Make an empty file that only its owner can read; folders that are missing likewise."""
    missing = [folder for folder in path.parents if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return  # another process was quicker, which is as good


def _uri(path: Path, parameters: str) -> str:
    """Render a file as the URI that SQLite opens."""
    return f"{path.absolute().as_uri()}?{parameters}"


def _connect(where: str, busy_timeout_s: float, *, uri: bool = True) -> sqlite3.Connection:
    """Connect in autocommit mode, usable from every thread (the lock is Database's)."""
    connection = sqlite3.connect(
        where,
        uri=uri,
        timeout=busy_timeout_s,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    connection.row_factory = sqlite3.Row
    return connection


def _use_log(connection: sqlite3.Connection, path: Path, busy_timeout_s: float) -> None:
    """Switch to the write-ahead log, once for the life of the file.

    The switch needs the file alone, and SQLite does not always wait for that by itself.
    """
    deadline = time.monotonic() + busy_timeout_s
    while _journal_mode(connection, "PRAGMA journal_mode") != "wal":
        try:
            mode = _journal_mode(connection, "PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
            continue
        if mode != "wal":
            raise JournalError(
                f"the file system of {path} cannot hold a write-ahead log (it stays in mode {mode})",
                hint="keep the journal on a local disk: `--db PATH` or `db` in config/pipeline.yaml",
            )


def _journal_mode(connection: sqlite3.Connection, pragma: str) -> str:
    """Run a journal_mode pragma and return the mode that holds afterwards."""
    return str(connection.execute(pragma).fetchone()[0]).lower()


def _open_for_reading(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """Open for reading; where no lock file can be made and no log lies, as a file at rest."""
    with translated(str(path)), ExitStack() as stack:
        connection = _connect(_uri(path, "mode=ro"), busy_timeout_s)
        stack.callback(connection.close)
        try:
            connection.execute("PRAGMA schema_version")
        except sqlite3.OperationalError as error:
            if primary_code(error) not in _NO_LOCK_FILE or _has_log(path):
                raise
        else:
            stack.pop_all()
            return connection
    with translated(str(path)):
        return _connect(_uri(path, "mode=ro&immutable=1"), busy_timeout_s)


def _has_log(path: Path) -> bool:
    """Tell whether a write-ahead log with content lies beside the file."""
    log = log_of(path)
    return log.exists() and log.stat().st_size > 0
