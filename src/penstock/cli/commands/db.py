"""`penstock db`: the journal's database."""

from __future__ import annotations

import click

from penstock.cli import output
from penstock.cli.options import db_option, json_option
from penstock.wiring import open_workspace


@click.group("db")
def command() -> None:
    """Create, inspect or migrate the journal's database.

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
