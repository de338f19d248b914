"""Asking people: before something is lost, and for what only they know."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from penstock.cli import output
from penstock.cli.words import one_line, plural, shortened
from penstock.errors import UsageError

if TYPE_CHECKING:
    from penstock.planning.drafting.api import NeedsScope

Answers = dict[tuple[str, str], tuple[str, ...]]
"""Paths by source and key of the item that they are for."""


def agreed(question: str, *, yes: bool) -> bool:
    """Tell whether to go on: asked on a terminal, `--yes` elsewhere. Raises UsageError there."""
    if yes:
        return True
    if not output.on_terminal():
        raise UsageError(
            "nothing was removed: there is nobody to ask", hint="Pass --yes, or --dry-run to look."
        )
    return click.confirm(question, default=False)


def may_ask() -> bool:
    """Tell whether somebody sits at the terminal who can be asked, and sees the question."""
    return output.on_terminal(sys.stdin) and output.on_terminal(sys.stderr)


def ask_for_paths(missing: Sequence[NeedsScope]) -> Answers:
    """Ask for the files of what has no scope, a question for those that belong together.

    An empty answer leaves them without a scope; a guess too faint to be taken unasked is offered.
    """
    answers: Answers = {}
    output.warn(
        f"{plural(len(missing), 'piece')} of work without a scope. Which files are they about?"
    )
    output.warn("(paths with a comma between them; nothing leaves it open, Ctrl-C stops)")
    for one in missing:
        paths = _paths_for(one)
        answers |= {(one.source, item.key): paths for item in one.items if paths}
    return answers


def _paths_for(one: NeedsScope) -> tuple[str, ...]:
    output.warn(f"\n{shortened(one.title, output.width() - 2)}")
    for item in one.items:
        output.warn(shortened(f"  {item.place}  {one_line(item.text)}", output.width() - 2))
    guessed = ", ".join(guess.path for guess in one.doubtful[:3])
    said: str = click.prompt("files", default=guessed, show_default=bool(guessed), err=True)
    return tuple(word.strip() for word in said.split(",") if word.strip(" -"))


def read_stdin() -> bytes:
    """Return all of standard input. Raises UsageError where there is none."""
    if sys.stdin is None or sys.stdin.closed:
        raise UsageError("there is no standard input to read a plan from", hint="Name a file.")
    if output.on_terminal(sys.stdin):
        output.warn("Type or paste the plan; end it with Ctrl-D.")
    return sys.stdin.buffer.read()
