"""The named queries: all valid, all used, none asked for that is not there."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import pytest

from penstock.store.database import open_memory
from penstock.store.migrations import upgrade
from penstock.store.queries import SQL_DIR, concern_queries, query

CONCERNS = sorted(f.stem for f in SQL_DIR.glob("*.sql") if f.stem != "schema")
NAMES = {f"{concern}.{name}" for concern in CONCERNS for name in concern_queries(concern)}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_query_fits_the_schema(name: str) -> None:
    """SQLite can prepare each query."""
    with closing(open_memory()) as connection:
        upgrade(connection, None)
        text = query(name)
        unset = dict.fromkeys(re.findall(r":([a-z_]+)", text))
        connection.execute(text if text.startswith("CREATE") else f"EXPLAIN {text}", unset)


def test_every_query_is_used_and_every_use_is_a_query() -> None:
    """The names in the code and those in the files are the same."""
    code = "".join(p.read_text(encoding="utf-8") for p in Path(SQL_DIR).parent.glob("*.py"))
    used = set(re.findall(rf'"((?:{"|".join(CONCERNS)})\.[a-z_]+)"', code))
    listing = {n for n in NAMES if re.match(r"facts\.list(_run)?_events", n)}
    assert used | listing == NAMES


def test_an_unknown_query_is_a_bug() -> None:
    """A name that no file has raises KeyError."""
    with pytest.raises(KeyError):
        query("runs.nothing")
