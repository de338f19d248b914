"""`aim scan clean`: move caches, and copies of files, to a trash that can be undone."""

from __future__ import annotations

import time

import click

from penstock.aim_cli import files
from penstock.aim_cli.options import json_option
from penstock.cli import output
from penstock.cli.asking import agreed
from penstock.cli.words import bytes_in_words, plural
from penstock.environment.scan.api import TrashInfo
from penstock.errors import ExitCode, UsageError
from penstock.wiring import Workspace, open_workspace

DAY_S = 86_400


@click.command("clean")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--dry-run", is_flag=True, help="Say what would go; move nothing.")
@click.option("--pattern", "-p", "patterns", metavar="NAME", multiple=True,
              help="Only caches of this pattern, such as __pycache__.")  # fmt: skip
@click.option("--duplicates", is_flag=True, help="Also all but the oldest of each duplicate.")
@files.min_size_option
@click.option("--empty-trash", is_flag=True, help="Instead, delete what the trash holds for good.")
@click.option("--older-than", metavar="DAYS", type=click.IntRange(0), default=0,
              help="With --empty-trash: only what has been there so long.")  # fmt: skip
@click.option("--all", "show_all", is_flag=True, help=f"Show more than the first {files.SHOWN}.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
def command(
    paths: tuple[str, ...],
    *,
    dry_run: bool,
    patterns: tuple[str, ...],
    duplicates: bool,
    min_size: int | None,
    empty_trash: bool,
    older_than: int,
    show_all: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Move caches below PATHS, or in the repository, to the trash, after asking.

    `aim scan restore` undoes it. Never touched are repositories' own folders, virtual environments,
    installed packages, build outputs, and whatever git tracks; that is looked at again right before
    each move. A duplicate is compared byte for byte with the file that stays. Exits 1 when
    something that was to go stayed.
    """
    if empty_trash:
        if paths or patterns or duplicates:
            raise UsageError("--empty-trash goes with --older-than, --dry-run and --yes alone")
        with open_workspace() as workspace:
            return _empty(workspace, older_than, go=not dry_run, yes=yes, as_json=as_json)
    with open_workspace() as workspace:
        with files.file_progress() as shown:
            plan = workspace.plan_scan_clean(
                paths,
                patterns=patterns,
                duplicates=duplicates,
                min_size_kb=min_size,
                on_progress=shown,
            )
        if not as_json:
            files.show_plan(plan, show_all=show_all)
        go = bool(plan.items) and not dry_run and agreed("Move them to the trash?", yes=yes)
        result = workspace.scan_clean(plan) if go else None
    if as_json:
        output.emit_json(files.plan_document(plan, result))
    elif result is not None:
        files.show_result(result, plan.roots)
    return int(ExitCode.FAILED if result is not None and result.stayed else ExitCode.DONE)


def _empty(workspace: Workspace, older_than: int, *, go: bool, yes: bool, as_json: bool) -> int:
    """Delete sets of the trash for good."""
    before = time.time() - older_than * DAY_S
    sets = [info for info in workspace.trash_sets() if _whole(info) and info.created_at <= before]
    if not as_json:
        _show_sets(sets)
    done = bool(sets) and go and agreed("Delete them for good?", yes=yes)
    stays = workspace.empty_trash([info.trash_id for info in sets]) if done else {}
    if as_json:
        output.emit_json({"trash": sets, "deleted": done, "stayed": stays})
    elif done:
        for trash_id, why in stays.items():
            output.emit(f"Stayed: {trash_id}: {why}")
        output.emit(f"Deleted {plural(len(sets) - len(stays), 'set')}.")
    return int(ExitCode.FAILED if stays else ExitCode.DONE)


def _whole(info: TrashInfo) -> bool:
    """Tell whether all of a set is known; what is not, nobody agreed to delete, nor is its age known."""
    if info.notes:
        output.warn(
            f"Left alone: {info.trash_id}: {info.notes[0]}; look into it, and delete it by hand"
        )
    return not info.notes


def _show_sets(sets: list[TrashInfo]) -> None:
    if sets:
        output.table(files.TRASH_COLUMNS, [files.trash_row(info) for info in sets])
        size = bytes_in_words(sum(info.size_bytes for info in sets))
        output.emit(f"{plural(len(sets), 'set')}, {size}.")
    else:
        output.emit("Nothing to delete in the trash.")
