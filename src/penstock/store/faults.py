"""From SQLite's errors to ours: what happened to the journal, and what the user can do."""

from __future__ import annotations

import sqlite3
from typing import Final

from penstock.errors import JournalError, NotFoundError, PenstockError, UsageError

HINT_INIT: Final = "make one with `penstock db init`"
HINT_SPACE: Final = "free some disk space (or raise the quota), then go on with `penstock resume`"
HINT_LOCKED: Final = "wait until the other process is done, or end it, then try again"
HINT_DAMAGED: Final = (
    "look with `penstock db check`, copy what can be read with `penstock db salvage --output FILE`,"
    " or restore a backup (`*.bak` beside it)"
)
HINT_OTHER: Final = (
    "move the file away and restore a backup (`*.bak` beside it), or make a fresh one with"
    " `penstock db init`"
)
HINT_GONE: Final = "put it back where it was, or end what uses it; then `penstock db check`"
HINT_ACCESS: Final = "check the owner and permissions of the file and its folder"
HINT_DISK: Final = "check the disk, its free space and its quota, then try again"

# primary result code -> (what happened, what to do); https://www.sqlite.org/rescode.html
_FAULTS: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_BUSY: ("is locked by another process", HINT_LOCKED),
    sqlite3.SQLITE_LOCKED: ("is locked by another process", HINT_LOCKED),
    sqlite3.SQLITE_FULL: ("cannot grow: the disk is full", HINT_SPACE),
    sqlite3.SQLITE_IOERR: ("cannot be read or written", HINT_DISK),
    sqlite3.SQLITE_CORRUPT: ("is damaged", HINT_DAMAGED),
    sqlite3.SQLITE_NOTADB: ("is not a database", HINT_OTHER),
    sqlite3.SQLITE_READONLY: ("cannot be written", HINT_ACCESS),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", HINT_ACCESS),
    sqlite3.SQLITE_PERM: ("cannot be opened", HINT_ACCESS),
    sqlite3.SQLITE_AUTH: ("cannot be opened", HINT_ACCESS),
    sqlite3.SQLITE_PROTOCOL: ("is locked by another process", HINT_LOCKED),
    sqlite3.SQLITE_TOOBIG: ("cannot hold a value of that size", "make the value smaller"),
}


def primary_code(error: sqlite3.Error) -> int | None:
    """Return SQLite's primary result code, None when the error is the driver's own."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else int(code) & 0xFF


def describe(error: sqlite3.Error, name: str) -> PenstockError:
    """Say what an SQLite error means for the journal called `name`."""
    code = primary_code(error)
    if code in _FAULTS:
        what, hint = _FAULTS[code]
        return JournalError(f"the journal {name} {what} ({error})", hint=hint)
    if code == sqlite3.SQLITE_CONSTRAINT:
        return constraint(error)
    if code is None:
        return JournalError(f"the journal {name} cannot be used: {error}")
    return JournalError(
        f"the journal {name} does not fit this penstock: {error}", hint=HINT_DAMAGED
    )


def constraint(error: sqlite3.Error) -> PenstockError:
    """Say which rule of the tables a write broke."""
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
        return NotFoundError(
            "there is no such run or workstream", hint="list them with `penstock status`"
        )
    return UsageError(f"the journal refuses the row: {error}")
