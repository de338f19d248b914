"""Tables on a terminal, through rich, which is imported here only."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from penstock.cli.words import one_line

STYLES = {
    "done": "green",
    "succeeded": "green",
    "passed": "green",
    "ok": "green",
    "failed": "red",
    "missing": "red",
    "quarantined": "red",
    "canceled": "yellow",
    "unknown": "yellow",
    "waiting": "yellow",
    "interrupted": "yellow",
    "running": "cyan",
}


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], console: Console | None = None
) -> None:
    """Print a table fitted to the terminal; words that name a state are coloured."""
    target = console or Console(highlight=False)
    target.print(build_table(columns, rows))


def build_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Return the rich table: the last column takes several lines where it must, no other does."""
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for index, name in enumerate(columns):
        last = index == len(columns) - 1
        grid.add_column(name, overflow="fold", no_wrap=not last)
    for row in rows:
        grid.add_row(*(Text(one_line(cell), style=STYLES.get(cell, "")) for cell in row))
    return grid
