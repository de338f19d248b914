"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def json_option(function: F) -> F:
    """Add `--json`, handed to the command as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")(function)


def db_option(function: F) -> F:
    """Add `--db`."""
    return click.option("--db", metavar="PATH", help="The journal's database.")(function)
