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


def max_parallel_option(function: F) -> F:
    """Add `--max-parallel`."""
    return click.option(
        "--max-parallel",
        metavar="N",
        type=click.IntRange(min=1),
        help="Workstreams at a time (default: limits.max_parallel).",
    )(function)


def max_cost_option(function: F) -> F:
    """Add `--max-cost-usd`."""
    return click.option(
        "--max-cost-usd",
        metavar="USD",
        type=click.FloatRange(min=0),
        help="Pause the run at this cost (default: limits.max_cost_usd).",
    )(function)
