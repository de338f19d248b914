"""Lines of CSV."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.csvtext import csv_row

CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@given(st.lists(CELL, min_size=2))
def test_what_is_written_can_be_read(cells: list[str]) -> None:
    """A reader of CSV gets the same values, but for the apostrophe before what looks calculated."""
    (row,) = csv.reader(io.StringIO(csv_row(cells) + "\n", newline=""), strict=True)
    assert row == [f"'{c}" if c.startswith(("=", "+", "-", "@", "\t", "\r")) else c for c in cells]


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ((None, 1, True), ",1,True"),
        (("a,b", 'say "x"'), '"a,b","say ""x"""'),
        (("=1+1", "-x"), "'=1+1,'-x"),
        (("two\nlines",), '"two\nlines"'),
    ],
)
def test_cells(values: tuple[object, ...], line: str) -> None:
    """Quotes stand only where they must, and nothing can be calculated."""
    assert csv_row(values) == line
