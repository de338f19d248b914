"""Tables through rich."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from rich.console import Console

from penstock.cli.tables import print_table

COLUMNS = ("RUN", "STATE", "REASON")


def printed(rows: Sequence[tuple[str, ...]], width: int, *, colour: bool = False) -> list[str]:
    """Return a table as lines of a terminal."""
    screen = io.StringIO()
    console = Console(file=screen, width=width, force_terminal=colour, legacy_windows=False)
    print_table(COLUMNS, rows, console)
    return [line.rstrip() for line in screen.getvalue().splitlines()]


def test_the_last_column_folds_and_ids_stay_whole() -> None:
    """A long reason takes several lines; a run's id is never cut."""
    rows = [("run-20260131T102030Z", "failed", "because " * 12)]
    lines = printed(rows, 80)
    assert max(map(len, lines)) <= 80
    assert len(lines) > 2
    assert lines[1].startswith("run-20260131T102030Z  failed  because")


def test_states_are_coloured() -> None:
    """Good is green, bad is red, anything else keeps its colour."""
    lines = printed([("r", "done", ""), ("r", "failed", ""), ("r", "odd", "")], 80, colour=True)
    assert "\x1b[32mdone" in lines[1]
    assert "\x1b[31mfailed" in lines[2]
    assert "odd" in lines[3]
    assert "\x1b[3" not in lines[3]


@pytest.mark.parametrize("text", ["[bold]x[/bold]", "two\nlines", "\x1b[2Jx", "日本語"])
def test_cells_are_text(text: str) -> None:
    """Markup, line breaks and control characters of others do nothing in a table."""
    lines = printed([("r", "s", text)], 80)
    assert len(lines) == 2
    assert "\x1b" not in lines[1]
