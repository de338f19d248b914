"""`penstock db`: the journal's database."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from penstock.cli import output
from penstock.cli.options import db_option, json_option
from penstock.cli.words import plural
from penstock.errors import ExitCode
from penstock.wiring import open_workspace


@click.group("db")
def command() -> None:
    """Create, inspect, migrate, check or salvage the journal's database.

    Its place: --db, else PIPELINE_DB_PATH, else `db` in config/pipeline.yaml, else
    state/pipeline.db.
    """


@command.command("init")
@db_option
@click.option(
    "--schema",
    metavar="FILE",
    help="SQL to create an empty database from (default: PIPELINE_SCHEMA_PATH, the packaged one).",
)
@json_option
def init(db: str | None, schema: str | None, as_json: bool) -> None:
    """Create the database, or bring it up to date. Prints its path. Safe to repeat."""
    with open_workspace(db=db) as workspace:
        version = workspace.init_database(schema)
        if as_json:
            output.emit_json({"path": str(workspace.database), "schema_version": version})
        else:
            output.emit(str(workspace.database))


@command.command("inspect")
@db_option
@json_option
def inspect(db: str | None, as_json: bool) -> None:
    """Print each table with its number of rows."""
    with open_workspace(db=db) as workspace:
        journal = workspace.existing_journal()
        counts = journal.table_counts()
        if as_json:
            version = journal.schema_version()
            path = str(workspace.database)
            output.emit_json({"path": path, "schema_version": version, "tables": counts})
            return
        output.emit("Tables:")
        for name, number in counts.items():
            output.emit(f"  - {name}: {number}")


@command.command("migrate")
@db_option
@json_option
def migrate(db: str | None, as_json: bool) -> None:
    """Bring an existing database to this version's schema."""
    with open_workspace(db=db) as workspace:
        before, after = workspace.migrate_database()
        if as_json:
            output.emit_json({"path": str(workspace.database), "from": before, "to": after})
        elif before == after:
            output.emit(f"{workspace.database} is up to date (schema {after})")
        else:
            output.emit(f"{workspace.database} migrated from schema {before} to {after}")


@command.command("check")
@db_option
@json_option
def check(db: str | None, as_json: bool) -> int:
    """Look through the whole database: its pages, its links, its schema. Exit 1 when unsound.

    Nothing is changed, and a run may go on meanwhile.
    """
    with open_workspace(db=db) as workspace:
        found = workspace.check_database()
    code = ExitCode.DONE if found.sound else ExitCode.FAILED
    if as_json:
        said = {"path": found.path, "ok": found.sound, "schema_version": found.schema_version}
        output.emit_json(said | {"latest": found.latest, "problems": found.problems})
        return int(code)
    if found.sound:
        output.emit(f"{found.path} is sound (schema {found.schema_version})")
    for problem in found.problems:
        output.emit(f"- {problem}")
    if found.older:
        output.warn(f"schema {found.latest} is the latest: `penstock db migrate`")
    if not found.sound:
        output.warn(f"{found.path} is not sound")
        output.warn("hint: `penstock db salvage --output FILE` copies what can be read")
    return int(code)


@command.command("salvage")
@db_option
@click.option("--output", "target", metavar="FILE", required=True, help="The fresh database.")
@json_option
def salvage(db: str | None, target: str, as_json: bool) -> None:
    """Copy what can be read of a damaged database into a fresh one, which is whole.

    The damaged one is not changed. End every penstock first, and move the fresh one into its place.
    """
    with open_workspace(db=db) as workspace:
        tables = workspace.salvage_database(target)
        path = workspace.database
    if as_json:
        kept = {t.table: {"copied": t.copied, "holes": t.unreadable, "dropped": t.dropped}
                for t in tables}  # fmt: skip
        output.emit_json({"path": str(path), "output": target, "tables": kept})
        return
    for each in tables:
        lost = f", {plural(each.unreadable, 'hole')}" if each.unreadable else ""
        lost += f", {each.dropped} left out" if each.dropped else ""
        output.emit(f"  - {each.table}: {each.copied}{lost}")
    output.emit("If that will do:")
    for old, new in (*_pieces(path), (target, str(path))):
        output.emit(f"  mv {shlex.quote(old)} {shlex.quote(new)}")


def _pieces(path: Path) -> list[tuple[str, str]]:
    """Return the files of a database with the names that take them away: SQLite would apply a log
    that stays behind to whatever takes the database's place."""
    found = [suffix for suffix in ("", "-wal", "-shm") if Path(f"{path}{suffix}").exists()]
    return [(f"{path}{suffix}", f"{path}.damaged{suffix}") for suffix in found]
