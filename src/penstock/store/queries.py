"""The SQL of the journal: named queries from the `.sql` files beside this module.

A file holds one concern; `-- name: insert` starts a query, which is known as `file.insert`.
The files are read where they lie: importlib.resources costs more at start-up than all of them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

SQL_DIR = Path(__file__).with_name("sql")
_MARK = "-- name:"


def query(name: str) -> str:
    """Return the SQL text of `concern.name`. Raises KeyError when there is none."""
    concern, _, rest = name.partition(".")
    return concern_queries(concern)[rest]


@cache
def concern_queries(concern: str) -> dict[str, str]:
    """Return all queries of one file by name."""
    text = (SQL_DIR / f"{concern}.sql").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for part in text.split(_MARK)[1:]:
        name, _, body = part.partition("\n")
        found[name.strip()] = body.strip()
    return found
