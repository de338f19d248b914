"""The file of a cache: opening it whatever lies there, and setting aside what is no cache of ours.

Whoever uses the file holds a shared lock on `<file>.lock`; who sets it aside holds it alone. So no
file is moved away under a process that writes to it: SQLite would then delete, by name, the log of
the file that has taken its place (https://www.sqlite.org/howtocorrupt.html, section 4.3).
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from penstock.errors import EnvironmentProblem
from penstock.store.database import immediate
from penstock.store.faults import primary_code
from penstock.store.queries import query

APPLICATION_ID = 0x50534B43  # "PSKC", so that no other program's database is taken for ours
VERSION = 1
BUSY_TIMEOUT_S = 5.0
_PATIENCE_S = 2.0
_PAUSE_S = 0.005
_TRIES = 3
_SMALLEST = 512  # bytes of a database; less is something else, though SQLite takes a byte for none
_CLOSE_ON_EXEC = getattr(os, "O_CLOEXEC", 0)  # not on Windows
_EFFECTIVE = os.access in os.supports_effective_ids
_LOG_LIMIT = 16 * 1024 * 1024
_TABLES = (
    "make_results",
    "make_results_by_use",
    "make_results_by_path",
    "make_results_by_end",
    "make_facts",
)
# the file is spoiled: damaged, or no database, or one with other tables
SPOILED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
_FAULTS = {
    sqlite3.SQLITE_BUSY: "is locked by another process",
    sqlite3.SQLITE_LOCKED: "is locked by another process",
    sqlite3.SQLITE_PROTOCOL: "is locked by another process",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full",
    sqlite3.SQLITE_IOERR: "cannot be read or written",
    sqlite3.SQLITE_READONLY: "cannot be written",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
    sqlite3.SQLITE_CORRUPT: "is damaged",
    sqlite3.SQLITE_NOTADB: "is not a database",
}


class _SpoiledError(Exception):
    """What lies there is no cache of ours, or not any more; the text says what it is."""


class CacheFile:
    """An open cache: its `connection` (autocommit, usable from every thread), its `path`, which
    file that is, and the lock that keeps others from moving it. `notes` says what was found
    instead of it."""

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        lock: int,
        identity: tuple[int, int],
        notes: Sequence[str],
    ) -> None:
        self.path = path
        self.connection = connection
        self.identity = identity
        self.notes = tuple(notes)
        self._lock: int | None = lock

    def close(self) -> None:
        """Close the file and let others move it; a second time does nothing."""
        with suppress(sqlite3.Error):
            self.connection.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def fault(error: sqlite3.Error) -> str:
    """Say what an SQLite error means for a cache, as the end of a sentence."""
    return _FAULTS.get(primary_code(error) or 0, f"cannot be used ({error})")


def is_spoiled(error: sqlite3.Error) -> bool:
    """Tell whether the file itself is what is wrong."""
    return isinstance(error, sqlite3.DatabaseError) and primary_code(error) in SPOILED


def open_cache_file(path: Path) -> CacheFile:
    """Open the cache at `path`, making it (0600, its folder 0700) when there is none.

    What is no cache of ours is set aside. Raises EnvironmentProblem, whose text says what is in
    the way, when there can be none: no right to write, a newer penstock's, locked.
    """
    notes: list[str] = []
    for _ in range(_TRIES):
        with ExitStack() as stack:
            lock = _hold(path)
            stack.callback(os.close, lock)
            identity = _see_place(path)
            try:
                connection = _open(path)
            except _SpoiledError as spoiled:
                why = str(spoiled)
            else:
                stack.pop_all()
                return CacheFile(path, connection, lock, identity, notes)
        notes += set_aside(path, why, identity)
    raise EnvironmentProblem(f"{path} {why}, each time anew")


def _hold(path: Path) -> int:
    """Return the descriptor of a shared lock on the cache. Raises EnvironmentProblem."""
    lock = _lock_file(path)
    if not _locked(lock, alone=False):
        os.close(lock)
        raise EnvironmentProblem(f"{path} is locked by another process")
    return lock


def _lock_file(path: Path) -> int:
    """Open the file whose lock is that of the cache. Raises EnvironmentProblem."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | _CLOSE_ON_EXEC, 0o600)
    except (OSError, ValueError) as error:
        raise EnvironmentProblem(f"{path} cannot be made: {error}") from error


def _locked(lock: int, *, alone: bool, unless: Callable[[], bool] = lambda: False) -> bool:
    """Lock the file, waiting a little `unless` there is no need; tell whether it is locked."""
    try:
        import fcntl
    except ImportError:  # Windows, where an open file cannot be moved anyway
        return True
    kind = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(lock, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if unless() or time.monotonic() > deadline:
                return False
            time.sleep(_PAUSE_S)
        except OSError:  # a file system without locks
            return not alone
        else:
            return True


def _open(path: Path) -> sqlite3.Connection:
    """Open the file and see that it is ours. Raises _SpoiledError, EnvironmentProblem."""
    try:
        with ExitStack() as stack:
            connection = sqlite3.connect(
                path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            stack.callback(connection.close)
            _prepare(connection, path)
            stack.pop_all()
            return connection
    except sqlite3.Error as error:
        if is_spoiled(error):
            raise _SpoiledError(fault(error)) from error
        raise EnvironmentProblem(f"{path} {fault(error)}") from error


def _see_place(path: Path) -> tuple[int, int]:
    """See that a writable file lies there, or make an empty one; return which file it is."""
    try:
        if not os.path.lexists(path):
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        status = path.stat()
    except (OSError, ValueError) as error:
        raise EnvironmentProblem(f"{path} cannot be opened: {error}") from error
    if not stat.S_ISREG(status.st_mode):
        what = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        raise EnvironmentProblem(f"{path} is {what}")
    if not os.access(path, os.W_OK, effective_ids=_EFFECTIVE):
        raise EnvironmentProblem(f"{path} cannot be written")
    return status.st_dev, status.st_ino


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables of an empty file; see that those of another are ours."""
    if 0 < path.stat().st_size < _SMALLEST:
        raise _SpoiledError("is not a database")
    connection.execute("PRAGMA cell_size_check=ON")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(f"PRAGMA journal_size_limit={_LOG_LIMIT}")
    if _pragma(connection, "application_id") == 0 and _pragma(connection, "schema_version") == 0:
        _make(connection)
    if _pragma(connection, "application_id") != APPLICATION_ID:
        raise _SpoiledError("is the database of something else")
    version = _pragma(connection, "user_version")
    if version > VERSION:
        raise EnvironmentProblem(f"{path} was made by a newer penstock")
    if version < VERSION:
        raise _SpoiledError("was made by an older penstock")
    connection.execute(query("checkcache.shape"))


def _make(connection: sqlite3.Connection) -> None:
    """Make the tables, unless another process was quicker."""
    connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    with suppress(sqlite3.OperationalError):  # busy: another process is switching, to the same
        connection.execute("PRAGMA journal_mode=WAL")
    with immediate(connection):
        if _pragma(connection, "schema_version") == 0:
            for name in _TABLES:
                connection.execute(query(f"checkcache.{name}"))
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={VERSION}")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def set_aside(path: Path, why: str, identity: tuple[int, int]) -> tuple[str, ...]:
    """Move a spoiled cache and its log away, if that very file still lies there.

    Returns a note, or nothing when another process was quicker. Raises EnvironmentProblem while
    another process uses it.
    """
    lock = _lock_file(path)
    try:
        alone = _locked(lock, alone=True, unless=lambda: _identity(path) != identity)
        if _identity(path) != identity:
            return ()
        if not alone:
            raise EnvironmentProblem(f"{path} {why}, and is in use by another process")
        place = _free_name(path)
        for end in ("-wal", "-shm", ""):  # the log first: it must not meet a fresh file
            with suppress(FileNotFoundError):
                Path(f"{path}{end}").replace(f"{place}{end}")
    except OSError as error:
        raise EnvironmentProblem(f"{path} {why} and cannot be set aside: {error}") from error
    finally:
        os.close(lock)
    return (f"the check cache {path} {why}; it was set aside as {place.name}",)


def _identity(path: Path) -> tuple[int, int] | None:
    """Return which file lies at a path, None when there is none. Raises OSError."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _free_name(path: Path) -> Path:
    """Return the first name beside the file that is free."""
    number = 1
    while os.path.lexists(place := path.with_name(f"{path.name}.set-aside-{number}")):
        number += 1
    return place
