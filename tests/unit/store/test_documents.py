"""The reference pages name what there is."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from penstock import journal
from penstock.model.events import EventType
from penstock.store.database import execute, open_memory
from penstock.store.migrations import upgrade

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"


def test_every_event_type_is_described() -> None:
    """events.md has a row for each type, and for no other."""
    lines = (REFERENCE / "events.md").read_text(encoding="utf-8").splitlines()
    described = [line.split("`")[1] for line in lines if line.startswith("| `")]
    assert sorted(described) == sorted(EventType)


def test_every_column_is_described() -> None:
    """database.md names each column in the section of its table."""
    text = (REFERENCE / "database.md").read_text(encoding="utf-8")
    with closing(open_memory()) as connection:
        upgrade(connection, None)
        columns = execute(connection, "database.columns", {}).fetchall()
    for table, column in columns:
        section = text.partition(f"### {table}\n")[2].partition("\n###")[0]
        assert f"`{column}`" in section, f"{table}.{column}"


def test_every_function_is_described() -> None:
    """database.md names each documented function."""
    text = (REFERENCE / "database.md").read_text(encoding="utf-8")
    assert [name for name in journal.__all__ if f"`{name}(" not in text] == []
