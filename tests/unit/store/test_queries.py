"""The named queries: all valid, all used, none asked for that is not there."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from penstock.store.cachefile import _TABLES as TABLES
from penstock.store.database import open_memory
from penstock.store.migrations import upgrade
from penstock.store.queries import SQL_DIR, concern_queries, query

CONCERNS = sorted(f.stem for f in SQL_DIR.glob("*.sql") if f.stem != "schema")
NAMES = {f"{concern}.{name}" for concern in CONCERNS for name in concern_queries(concern)}


CACHE = "checkcache."
"""The queries of the cache of check results, a database of its own."""


def prepared_with(connection: sqlite3.Connection, text: str) -> None:
    """Let SQLite prepare a query, with nothing for its parameters."""
    named = re.findall(r":([a-z_]+)", text)
    unset: Any = dict.fromkeys(named) if named else (None,) * text.count("?")
    connection.execute(text if text.startswith("CREATE") else f"EXPLAIN {text}", unset)


@pytest.mark.parametrize("name", sorted(name for name in NAMES if not name.startswith(CACHE)))
def test_a_query_fits_the_schema(name: str) -> None:
    """SQLite can prepare each query of the journal."""
    with closing(open_memory()) as connection:
        upgrade(connection, None)
        prepared_with(connection, query(name))


@pytest.mark.parametrize("name", sorted(name for name in NAMES if name.startswith(CACHE)))
def test_a_query_fits_the_cache(name: str) -> None:
    """SQLite can prepare each query of the cache; `find` ends in a list of its caller's."""
    with closing(open_memory()) as connection:
        for table in {"make_results", "make_facts"} - {name.removeprefix(CACHE)}:
            connection.execute(query(f"checkcache.{table}"))
        prepared_with(connection, query(name) + (" (?)" if name == "checkcache.find" else ""))


def test_every_query_is_used_and_every_use_is_a_query() -> None:
    """The names in the code and those in the files are the same."""
    code = "".join(p.read_text(encoding="utf-8") for p in Path(SQL_DIR).parent.glob("*.py"))
    used = set(re.findall(rf"""["']((?:{"|".join(CONCERNS)})\.[a-z_]+)["']""", code))
    used |= {f"checkcache.{name}" for name in TABLES}
    listing = {n for n in NAMES if re.match(r"facts\.list(_run)?_events", n)}
    assert used | listing == NAMES


def test_an_unknown_query_is_a_bug() -> None:
    """A name that no file has raises KeyError."""
    with pytest.raises(KeyError):
        query("runs.nothing")
