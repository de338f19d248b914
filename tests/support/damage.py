"""Damage done to a database file on purpose: pages overwritten where they are in use."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from penstock.model.states import AttemptState
from penstock.store.api import DocumentedJournal
from penstock.store.sqlite import open_journal
from tests.support.journals import RUN, ask, cost, intent, seed

PAGE = 4096
LEAF = 0x0D  # the first byte of a leaf page of a table; https://www.sqlite.org/fileformat2.html
STEPS = 400


def filled(path: Path) -> Path:
    """Make a journal with several pages in each of its large tables, and close it."""
    with open_journal(path) as journal:
        seed(journal)
        journal.approve(RUN, 2, "me")
        for number in range(1, STEPS + 1):
            one_costly_step(journal, number)
    return path


def one_costly_step(journal: DocumentedJournal, number: int) -> None:
    """Record one attempt with a cost."""
    begun = journal.begin_attempt(intent("fix", number))
    paid = cost(actual_cost_usd=0.01)
    journal.finish_attempt(begun.id, AttemptState.SUCCEEDED, result={"n": number}, cost=paid)


def leaves(path: Path, table: str) -> list[int]:
    """Return the numbers (from 0) of the pages that hold a table's rows, in their order."""
    root = ask(path, f"SELECT rootpage FROM sqlite_master WHERE name = '{table}'")[0][0]  # noqa: S608
    assert isinstance(root, int)
    return _leaves(path.read_bytes(), root - 1)


def _leaves(data: bytes, page: int) -> list[int]:
    start = page * PAGE
    if data[start] == LEAF:
        return [page]
    cells = int.from_bytes(data[start + 3 : start + 5], "big")
    pointers = [start + 12 + 2 * n for n in range(cells)]
    places = [start + int.from_bytes(data[p : p + 2], "big") for p in pointers]
    children = [int.from_bytes(data[p : p + 4], "big") for p in places]
    children.append(int.from_bytes(data[start + 8 : start + 12], "big"))
    return [leaf for child in children for leaf in _leaves(data, child - 1)]


def overwrite(path: Path, *pages: int, byte: bytes = b"\xa5") -> None:
    """Overwrite whole pages."""
    with path.open("r+b") as file:
        for page in pages:
            file.seek(page * PAGE)
            file.write(byte * PAGE)


def ids(path: Path, table: str) -> list[object]:
    """Return the ids of a table's rows."""
    return [row[0] for row in ask(path, f"SELECT id FROM {table} ORDER BY id")]  # noqa: S608


def break_links(path: Path, statement: str) -> None:
    """Change a database with its foreign keys off."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute(statement)
