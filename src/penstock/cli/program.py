"""The way in and out of a console script: `penstock` and `aim` share it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from penstock.cli.boundary import Boundary


def run_line(group: click.Group, name: str, argv: Sequence[str] | None = None) -> int:
    """Run one command line of a program and return its exit code; nothing is raised.

    `argv` is without the program's name; None takes the process's own.
    """
    args = list(sys.argv[1:] if argv is None else argv)
    with Boundary(args) as boundary:
        boundary.code = _invoke(group, name, args)
    return boundary.code


def enter(group: click.Group, name: str) -> None:
    """Run a console script and leave the process."""
    _ensure_standard_streams()
    code = _complete(group, name)
    sys.exit(run_line(group, name) if code is None else code)


def _invoke(group: click.Group, name: str, args: list[str]) -> int:
    """Parse and run; a command returns its exit code or None for 0."""
    with group.make_context(name, args) as context:
        outcome = group.invoke(context)
    return outcome if isinstance(outcome, int) else 0


def _ensure_standard_streams() -> None:
    """Open /dev/null for each standard descriptor that the caller closed.

    Otherwise the journal's database could become descriptor 1 and be printed into.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _complete(group: click.Group, name: str) -> int | None:
    """Answer a shell that asks for completions; None when none asks."""
    variable = f"_{name.upper()}_COMPLETE"
    instruction = os.environ.get(variable)
    if not instruction:
        return None
    from click.shell_completion import shell_complete

    return shell_complete(group, {}, name, variable, instruction)
