"""`aim migrate`: an AI_MANGER tree brought over to aim_config and the vault, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import click
import msgspec

from penstock.aim_cli.options import json_option
from penstock.aim_cli.packages import progress
from penstock.cli import output
from penstock.cli.words import one_line, plural
from penstock.errors import ExitCode
from penstock.migration.api import Action, Check, Mapped, Report, Restored, Validation
from penstock.wiring import open_workspace

F = TypeVar("F", bound=Callable[..., Any])
COLUMNS = ("AI_MANGER", "AIM_CONFIG", "BECAME")
SIGNS = {"pass": "ok", "warn": "look", "fail": "FAILED"}
WORDS = {
    Action.SET: "carried over",
    Action.SAME: "there already",
    Action.KEPT: "kept as it is",
    Action.LEFT: "left out",
}


def source_option(function: F) -> F:
    """Add `--source`."""
    return click.option(
        "--source", metavar="FOLDER", type=click.Path(file_okay=False),
        help="The old tree (default: AI_MANGER of the repository).",
    )(function)  # fmt: skip


@click.group("migrate")
def command() -> None:
    """Bring an AI_MANGER tree over to aim_config and the vault.

    What aim_config has already wins, a second time changes nothing, and rollback puts every file back
    to the byte.
    """


# -- backup ----------------------------------------------------------------------------------
@command.command("backup")
@source_option
@json_option
def backup(source: str | None, as_json: bool) -> None:
    """Copy every file that a migration may change to backups/aim-TIME; change nothing."""
    with open_workspace() as workspace:
        made = workspace.back_up(source)
    if as_json:
        output.emit_json(made)
        return
    output.emit(f"Backed up {plural(len(made.files), 'file')} to {made.path}.")
    _list(made.files)


# -- apply -----------------------------------------------------------------------------------
@command.command("apply")
@source_option
@click.option("--vault", metavar="FILE", type=click.Path(dir_okay=False),
              help="A copy of the old vault.json: its names are used, its values never.")  # fmt: skip
@click.option("--mark-deprecated", is_flag=True,
              help="Say in the old README and build.ps1 that they are not used any more.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would become of what; write nothing.")
@json_option
def apply(
    source: str | None, vault: str | None, mark_deprecated: bool, dry_run: bool, as_json: bool
) -> None:
    """Back up, carry settings and names of secrets over, validate, and write a report.

    Whatever goes wrong, everything is put back. What was cut short is put back by the next command.
    """
    with open_workspace() as workspace:
        report = workspace.migrate(
            source, vault=vault, mark_deprecated=mark_deprecated, dry_run=dry_run, say=progress()
        )
    if as_json:
        output.emit_json(
            {**msgspec.to_builtins(report), "validation": _document(report.validation)}
        )
    else:
        _show(report)


def _show(report: Report) -> None:
    if report.recovered:
        output.emit(f"A migration that was cut short was put back first ({report.recovered}).")
    if report.mapped:
        output.table(COLUMNS, [_row(item) for item in report.mapped])
    if report.unmapped:
        output.emit("\nWithout a place in aim_config:")
        _list(f"{item.key}: {item.note}" for item in report.unmapped)
    _secrets(report)
    if report.warnings:
        output.emit()
    for warning in report.warnings:
        output.emit(f"warning: {one_line(warning)}")
    _list_under("Checked:", map(_check_line, report.validation.checks))
    _list_under("To do:", report.to_do)
    _ending(report)


def _row(item: Mapped) -> tuple[str, str, str]:
    words = WORDS[item.action]
    return item.old, item.new, f"{words}: {item.note}" if item.note else words


def _secrets(report: Report) -> None:
    missing = set(report.secrets.needs_reentry)
    _list_under(
        "Secrets:",
        (
            f"{key}: {'value to be entered again' if key in missing else 'has a value'}"
            for key in report.secrets.migrated
        ),
    )


def _ending(report: Report) -> None:
    output.emit()
    if not (report.changed or report.backup_path):
        output.emit(f"{report.source} is migrated already: nothing was changed.")
    elif report.dry_run:
        output.emit(f"Would write {', '.join(report.changed)}. Nothing was written.")
    else:
        written = ", ".join((*report.changed, "migration_report.json"))
        output.emit(f"Wrote {written} and .md.")
        output.emit(f"Backup: {report.backup_path} (aim migrate rollback)")


# -- validate --------------------------------------------------------------------------------
@command.command("validate")
@json_option
def validate(as_json: bool) -> int:
    """Look whether a migration is in place: its schema, secrets, pins, tools, report and backup.

    Exits 1 when something failed; values that are still to be entered are no failure.
    """
    with open_workspace() as workspace:
        found = workspace.validate_migration()
    if as_json:
        output.emit_json(_document(found))
    else:
        _list(map(_check_line, found.checks), indent="")
    if not found.ok:
        output.warn("Error: the migration is not in place, or not whole")
        output.warn("Hint: `aim migrate apply` applies it, `aim migrate rollback` takes it back.")
    return int(ExitCode.DONE if found.ok else ExitCode.FAILED)


def _document(found: Validation) -> dict[str, Any]:
    return {"ok": found.ok, **msgspec.to_builtins(found)}


def _check_line(check: Check) -> str:
    return f"{check.name}: {SIGNS[check.status]}: {one_line(check.message)}"


# -- rollback --------------------------------------------------------------------------------
@command.command("rollback")
@click.option("--backup", "named", metavar="FOLDER",
              help="That backup (default: the newest that was not put back yet).")  # fmt: skip
@json_option
def rollback(named: str | None, as_json: bool) -> None:
    """Put every file back as it was, and remove those that were not there.

    What was changed after the migration is kept beside the backup.
    """
    with open_workspace() as workspace:
        done = workspace.roll_back(named)
    if as_json:
        output.emit_json(done)
    else:
        _tell(done)


def _tell(done: Restored) -> None:
    if done.path is None:
        output.emit("Every backup is put back already: nothing was changed.")
        return
    output.emit(f"Put back {done.path}.")
    _list(f"restored {name}" for name in done.restored)
    _list(f"removed {name}" for name in done.removed)
    _list(f"name without a value removed: {key}" for key in done.withdrawn)
    for name in done.left:
        output.emit(f"Left as it is, because secrets were set since: {name}")
    if done.kept:
        output.emit(f"Files that were changed after the migration are kept in {done.kept}.")


def _list(lines: Sequence[str] | Iterator[str], indent: str = "  ") -> None:
    for line in lines:
        output.emit(f"{indent}{line}")


def _list_under(heading: str, lines: Sequence[str] | Iterator[str]) -> None:
    found = list(lines)
    if found:
        output.emit(f"\n{heading}")
        _list(found)
