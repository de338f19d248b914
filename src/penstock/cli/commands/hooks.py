"""`penstock hooks`: checking what is about to be committed."""

from __future__ import annotations

import click

from penstock.cli import output
from penstock.cli.options import json_option
from penstock.environment.api import HookChange, HookState
from penstock.wiring import open_workspace


@click.group("hooks")
def command() -> None:
    """Check what is about to be committed, in a git hook.

    The hook checks the staged files and validates the staged bundles as they are in the
    index, whatever the files on disk hold by now. Git's own way past it is
    `git commit --no-verify`.
    """


@command.command("install", short_help="Put a pre-commit hook where git looks for it.")
@click.option(
    "--force", is_flag=True, help="Keep the hook of another tool beside ours, and run it first."
)
@json_option
def install(force: bool, as_json: bool) -> None:
    """Put a pre-commit hook where git looks for it (core.hooksPath counts). Safe to repeat."""
    from penstock.hooking import install as put_in

    with open_workspace() as workspace:
        change = put_in(workspace, force=force)
    if as_json:
        output.emit_json(change)
        return
    done = "renewed" if change.before is HookState.OURS else "installed"
    output.emit(f"{change.path} {done}")
    if change.kept:
        output.emit(f"{change.kept} runs before it")


@command.command("uninstall", short_help="Take the hook out again.")
@json_option
def uninstall(as_json: bool) -> None:
    """Take the hook out, and put back the one that was there before it."""
    from penstock.hooking import uninstall as take_out

    with open_workspace() as workspace:
        change = take_out(workspace)
    if as_json:
        output.emit_json(change)
    else:
        output.emit(_taken_out(change))


@command.command("run")
def run() -> int:
    """Check what is staged: each file, and all bundles. What the hook runs.

    Only files that the commit changes are checked, but tools see the whole index. A staged
    .penstock-baseline.json counts. Exits as `penstock check` does.
    """
    from penstock.cli.inspecting import check_staged

    return int(check_staged())


def _taken_out(change: HookChange) -> str:
    if change.restored:
        return f"{change.path} is the hook again that was there before"
    if change.before is HookState.FOREIGN:
        return f"{change.path} is not penstock's and stays"
    if change.before is HookState.ABSENT:
        return f"there is no hook at {change.path}"
    return f"{change.path} removed"
