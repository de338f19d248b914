"""`penstock clean`: remove what finished runs left behind, by rule."""

from __future__ import annotations

import re
from pathlib import Path

import click

from penstock.cli import output
from penstock.cli.asking import agreed
from penstock.cli.options import db_option, json_option
from penstock.cli.words import bytes_in_words, plural
from penstock.engine.clean import CleanPlan, Waste
from penstock.errors import UsageError
from penstock.wiring import Workspace, open_workspace

UNITS = {"s": 1.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
AGE = re.compile(r"(\d+)([shdw])")


@click.command("clean")
@click.option("--older-than", "age", default="30d", show_default=True, help="Age: 12h, 30d, 4w.")
@click.option("--pool", is_flag=True, help="Remove idle worktrees too.")
@click.option("--quarantine", is_flag=True, help="Remove what was put aside to be looked at, too.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed; remove nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@db_option
@json_option
def command(
    age: str,
    pool: bool,
    quarantine: bool,
    dry_run: bool,
    yes: bool,
    db: str | None,
    as_json: bool,
) -> None:
    """Remove prompts, logs and patches of old finished runs, what old calls outside of runs left,
    ports and temporary files that no process holds, and worktrees without work in them.

    A worktree goes only when its work is in the run's integration branch, in HEAD, or in a branch
    that the run was handed over to (merged, squashed or rebased), or when it holds no commit; and
    when nothing uncommitted is in it. Branches stay. Unfinished runs, and those that another process
    works on, are never touched.
    """
    older_than_s = seconds_of(age)
    with open_workspace(db=db) as workspace:
        plan = workspace.plan_cleaning(older_than_s, pool=pool, quarantine=quarantine)
        if not as_json:
            _show(plan, age)
        stays: dict[str, str] = {}
        go = bool(plan.waste) and not dry_run and agreed("Remove all of this?", yes=yes)
        if go:
            stays = _remove(workspace, plan, quiet=as_json)
    if as_json:
        gone = [item for item in plan.waste if go and item.path not in stays]
        output.emit_json(
            {"dry_run": dry_run, "found": plan.waste, "removed": gone, "kept": plan.kept}
        )


def seconds_of(age: str) -> float:
    """Return an age such as 30d in seconds. Raises UsageError."""
    match = AGE.fullmatch(age.strip().lower())
    if match is None:
        raise UsageError(f"--older-than {age!r} is no age", hint="Write 12h, 30d or 4w.")
    return int(match[1]) * UNITS[match[2]]


def _show(plan: CleanPlan, age: str) -> None:
    if not plan.waste:
        output.emit(f"Nothing to remove (evidence older than {age}, worktrees without work).")
    else:
        rows = [(_shown(item), bytes_in_words(item.size), item.why) for item in plan.waste]
        output.table(("REMOVE", "SIZE", "WHY"), rows)
        total = plural(len(plan.waste), "item")
        output.emit(f"{total}, {bytes_in_words(plan.size)}")
    if plan.kept:
        output.table(("KEEP", "WHY"), [(kept.path, kept.why) for kept in plan.kept])


def _shown(item: Waste) -> str:
    """Return a path as one would name it from here."""
    path, here = Path(item.path), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else item.path


def _remove(workspace: Workspace, plan: CleanPlan, *, quiet: bool) -> dict[str, str]:
    """Remove all that is planned; return what stays, with the reason."""
    stays = workspace.clean(plan)
    if not quiet:
        output.emit(f"Removed {plural(len(plan.waste) - len(stays), 'item')}.")
        for path, why in stays.items():
            output.emit(f"Kept {path}: {why}")
    return stays
