"""Options that several `aim` commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def json_option(function: F) -> F:
    """Add `--json`, `--json-output` and `-j`, handed to the command as `as_json`."""
    names = ("--json", "--json-output", "-j")
    return click.option(*names, "as_json", is_flag=True, help="Print JSON on stdout.")(function)
