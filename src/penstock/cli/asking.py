"""Asking before something is lost."""

from __future__ import annotations

import click

from penstock.cli import output
from penstock.errors import UsageError


def agreed(question: str, *, yes: bool) -> bool:
    """Tell whether to go on: asked on a terminal, `--yes` elsewhere. Raises UsageError there."""
    if yes:
        return True
    if not output.on_terminal():
        raise UsageError(
            "nothing was removed: there is nobody to ask", hint="Pass --yes, or --dry-run to look."
        )
    return click.confirm(question, default=False)
