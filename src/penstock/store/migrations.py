"""The schema of the journal: numbered migrations, its version, the user's own schema, backups.

`sql/migrations/NNNN_name.sql` are applied in order, each in a transaction of its own with the
version it brings (`schema_meta.schema_version`). `sql/schema.sql` is what they come to.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from penstock.errors import JournalError, JournalSchemaError
from penstock.store.database import execute, immediate, open_file, open_memory, translated
from penstock.store.faults import HINT_INIT
from penstock.store.queries import SQL_DIR

VERSION_KEY = "schema_version"
SOURCE_KEY = "schema_source"
HINT_MIGRATE = "bring it up to date with `penstock db migrate`"


class Migration(NamedTuple):
    """One step of the schema; `number` is the version that it brings."""

    number: int
    sql: str


@lru_cache(maxsize=1)
def packaged_migrations() -> tuple[Migration, ...]:
    """Return the migrations that penstock ships, in order."""
    files = sorted((SQL_DIR / "migrations").glob("[0-9]*.sql"))
    return tuple(Migration(int(f.name[:4]), f.read_text(encoding="utf-8")) for f in files)


def latest_version() -> int:
    """Return the schema version that this penstock writes."""
    return packaged_migrations()[-1].number


def statements(script: str) -> Iterator[str]:
    """Split an SQL script into its statements (triggers and texts with `;` stay whole)."""
    buffer = ""
    for part in script.split(";"):
        buffer += part + ";"
        if sqlite3.complete_statement(buffer):
            yield buffer.strip()
            buffer = ""
    if buffer.strip(" \t\r\n;"):
        yield buffer.rstrip(";").strip()


def schema_version(connection: sqlite3.Connection, name: str) -> int:
    """Return the version of an open database, 0 when it is empty.

    Raises JournalError when it is some other program's database.
    """
    tables = [row["name"] for row in execute(connection, "database.tables", {})]
    if not tables:
        return 0
    version = get_meta(connection, VERSION_KEY) if "schema_meta" in tables else None
    if version is None or not version.isascii() or not version.isdigit():
        raise JournalError(
            f"{name} is a database, but not a journal of penstock",
            hint="name another place with `--db PATH`",
        )
    return int(version)


def get_meta(connection: sqlite3.Connection, key: str) -> str | None:
    """Return an entry of schema_meta, or None."""
    row = execute(connection, "database.get_meta", {"key": key}).fetchone()
    return None if row is None or row["value"] is None else str(row["value"])


def require_current(connection: sqlite3.Connection, name: str) -> None:
    """See that a database can be read as it is. Raises JournalError, JournalSchemaError."""
    version = schema_version(connection, name)
    if version == 0:
        raise JournalError(f"{name} is empty", hint=HINT_INIT)
    refuse_newer(version, latest_version(), name)
    if version < latest_version():
        raise JournalError(
            f"{name} has schema {version}, this penstock reads {latest_version()}",
            hint=HINT_MIGRATE,
        )


def refuse_newer(version: int, known: int, name: str) -> None:
    """Raise JournalSchemaError when a schema is newer than the newest known."""
    if version > known:
        raise JournalSchemaError(
            f"{name} has schema {version}, this penstock knows {known}",
            hint="use the penstock that made it, or a newer one, or another journal (`--db PATH`)",
        )


def upgrade(
    connection: sqlite3.Connection,
    path: Path | None,
    migrations: Sequence[Migration] | None = None,
) -> tuple[int, int]:
    """Apply the migrations that a database lacks; return its version before and after.

    An older journal in a file is first copied to `<file>.v<version>.bak`. Foreign keys are off
    meanwhile, as SQLite's procedure for rebuilding tables demands, and checked before the commit.
    """
    name, steps = str(path or "the journal in memory"), migrations or packaged_migrations()
    first = schema_version(connection, name)
    refuse_newer(first, steps[-1].number, name)
    if first == steps[-1].number:
        return first, first
    connection.execute("PRAGMA foreign_keys=OFF")
    try:
        for step in steps:
            _apply(connection, step, path if first else None, name)
    finally:
        connection.execute("PRAGMA foreign_keys=ON")
    return first, steps[-1].number


def _apply(connection: sqlite3.Connection, step: Migration, path: Path | None, name: str) -> None:
    """Apply one migration unless it is there by now (another process may have been quicker).

    With `path` the file is copied before; a journal in the making has nothing to keep.
    """
    with immediate(connection):
        present = schema_version(connection, name)
        if present >= step.number:
            return
        if present and path is not None:
            backup(path, path.with_name(f"{path.name}.v{present}.bak"))
        for statement in statements(step.sql):
            connection.execute(statement)
        _set_meta(connection, VERSION_KEY, str(step.number))
        faults = execute(connection, "database.foreign_key_faults", {}).fetchall()
        if faults:
            raise JournalError(f"{name} cannot be migrated: broken links in {faults[0][0]}")


def _set_meta(connection: sqlite3.Connection, key: str, value: str) -> None:
    """Write an entry of schema_meta."""
    execute(connection, "database.set_meta", {"key": key, "value": value})


def backup(path: Path, target: Path) -> None:
    """Copy a database as it is at this moment, also while others use it (0600).

    An older copy of the same name is replaced, at once and only when the new one is whole.
    """
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with (
        closing(open_file(path, read_only=True)) as source,
        closing(sqlite3.connect(part)) as copy,
    ):
        source.backup(copy)
    part.replace(target)


def migrate(path: Path) -> tuple[int, int]:
    """Bring the journal at `path` up to date; return its version before and after.

    Raises JournalError when there is none, JournalSchemaError when it is newer.
    """
    with closing(open_file(path)) as connection, translated(str(path)):
        if schema_version(connection, str(path)) == 0:
            raise JournalError(f"{path} is empty", hint=HINT_INIT)
        return upgrade(connection, path)


def init_db(path: Path, schema: Path | None = None) -> Path:
    """Make the journal at `path`, from the migrations or the user's own schema file; return it.

    A journal that is there is brought up to date. An own schema serves an empty database only
    (a second time with the same file does nothing), must hold every table and column of ours,
    and may hold more. Raises JournalError, JournalSchemaError.
    """
    with closing(open_file(path, create=True)) as connection, translated(str(path)):
        if schema is None:
            upgrade(connection, path)
        else:
            _init_from(connection, path, schema)
    return path


def _init_from(connection: sqlite3.Connection, path: Path, schema: Path) -> None:
    """Run the user's schema file on an empty database, all or nothing."""
    import hashlib  # 10 ms that every other command saves

    try:
        script = schema.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise JournalError(f"the schema {schema} cannot be read: {error}") from error
    source = "sha256:" + hashlib.sha256(script.encode()).hexdigest()
    with immediate(connection):
        if schema_version(connection, str(path)):
            _require_source(connection, path, schema, source)
            return
        try:
            for statement in statements(script):
                connection.execute(statement)
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise JournalError(f"the schema {schema} does not run: {error}") from error
        _adopt(connection, schema, source)


def _require_source(connection: sqlite3.Connection, path: Path, schema: Path, source: str) -> None:
    """Raise JournalError unless the journal was made from this very schema."""
    if get_meta(connection, SOURCE_KEY) != source:
        raise JournalError(
            f"{path} is a journal already; the schema {schema} serves an empty database only",
            hint="leave the schema out, or name another place with `--db PATH`",
        )


def _adopt(connection: sqlite3.Connection, schema: Path, source: str) -> None:
    """Check that a user's schema holds all of ours, and write its version and source."""
    execute(connection, "database.make_meta", {})
    stated = get_meta(connection, VERSION_KEY) or str(latest_version())
    if stated != str(latest_version()):
        raise JournalSchemaError(
            f"the schema {schema} is for version {stated}, this penstock writes {latest_version()}"
        )
    missing = sorted(_expected() - _parts(connection))
    if missing:
        raise JournalError(f"the schema {schema} lacks {', '.join(missing)}")
    _set_meta(connection, VERSION_KEY, stated)
    _set_meta(connection, SOURCE_KEY, source)


def _parts(connection: sqlite3.Connection) -> frozenset[str]:
    """Return `table.column` of all tables and views, and `trigger name` of all triggers."""
    rows = execute(connection, "database.columns", {})
    columns = [f"{row['table_name']}.{row['column_name']}" for row in rows]
    triggers = [f"trigger {row['name']}" for row in execute(connection, "database.triggers", {})]
    return frozenset((*columns, *triggers))


def _expected() -> frozenset[str]:
    """Return the parts of our own schema."""
    with closing(open_memory()) as connection:
        upgrade(connection, None)
        return _parts(connection)


def schema_text() -> str:
    """Render what the migrations come to as one script: the content of `schema.sql`."""
    with closing(open_memory()) as connection:
        upgrade(connection, None)
        objects = [row["sql"] for row in execute(connection, "database.objects", {})]
        version = get_meta(connection, VERSION_KEY)
    head = "-- The journal's schema. Made from the migrations by scripts/write_schema.py.\n\n"
    tail = f"INSERT INTO schema_meta (key, value) VALUES ('{VERSION_KEY}', '{version}');\n"  # noqa: S608
    return head + "".join(f"{text};\n\n" for text in objects) + tail
