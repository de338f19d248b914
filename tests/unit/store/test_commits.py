"""Turns at one connection: who writes at the same time shares a commit, and nothing else."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from penstock.store import commits
from penstock.store.commits import Turns
from tests.support.children import eventually


def hold(begun: threading.Event, go: threading.Event) -> None:
    """Say that a write has begun, and stay in it until told to go."""
    begun.set()
    assert go.wait(20)


class Table:
    """A table of numbers in a file, its turns, and a trace of what ends transactions."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA foreign_keys=ON")
        self.connection.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, up REFERENCES t)")
        self.turns = Turns(self.connection)
        self.commits = 0
        self.connection.set_trace_callback(self._trace)

    def _trace(self, statement: str) -> None:
        self.commits += statement == "COMMIT"

    def add(self, number: int, during: Callable[[], object] = lambda: None) -> None:
        """Insert a number in a write of its own."""
        with self.turns.writing() as connection:
            connection.execute("INSERT INTO t (n) VALUES (?)", (number,))
            during()

    def kept(self) -> list[int]:
        """The numbers that anybody else sees."""
        with closing(sqlite3.connect(self.path)) as other:
            return [row[0] for row in other.execute("SELECT n FROM t ORDER BY n")]

    def together(self, *writes: Callable[[], object]) -> list[Future[object]]:
        """Do a write of 0, and the others such that all of them wait until it is done."""
        begun, go = threading.Event(), threading.Event()
        with ThreadPoolExecutor(len(writes) + 1) as pool:
            ended: list[Future[object]] = [pool.submit(self.add, 0, lambda: hold(begun, go))]
            assert begun.wait(20)
            ended += [pool.submit(write) for write in writes]
            assert eventually(lambda: len(self.turns._waiting) == len(writes))
            go.set()
        return ended


class Refusing:
    """A connection one of whose statements fails once, without being run."""

    def __init__(self, connection: sqlite3.Connection, statement: str, how: type) -> None:
        self._connection, self._statement, self._how = connection, statement, how

    def execute(self, statement: str, *values: Any) -> object:
        """Run a statement, or refuse it."""
        if statement == self._statement:
            self._statement = ""
            raise self._how("refused")
        return self._connection.execute(statement, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def refuse(table: Table, statement: str, how: type[BaseException]) -> None:
    """Let a statement that ends transactions fail once."""
    table.turns._connection = Refusing(table.connection, statement, how)  # type: ignore[assignment]


@contextmanager
def left_open(table: Table, monkeypatch: pytest.MonkeyPatch) -> Iterator[Future[None]]:
    """Have a write of 7 rely on one that will never come."""
    monkeypatch.setattr(commits, "PATIENCE_S", 8.0)
    table.turns._waiting.add("nobody")
    with ThreadPoolExecutor(1) as pool:
        write = pool.submit(table.add, 7)
        assert eventually(lambda: table.turns._group is not None and not table.turns._writing)
        table.turns._waiting.clear()
        yield write


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    """An empty table."""
    made = Table(tmp_path / "t.db")
    yield made
    made.connection.close()


def error(message: str) -> sqlite3.OperationalError:
    """An error as SQLite raises it."""
    made = sqlite3.OperationalError(message)
    made.sqlite_errorcode = sqlite3.SQLITE_IOERR
    return made


def test_alone_each_write_is_a_commit(table: Table) -> None:
    """Without others a write is committed at its end."""
    table.add(1)
    table.add(2)
    assert (table.kept(), table.commits) == ([1, 2], 2)


def test_those_who_wait_share_a_commit(table: Table) -> None:
    """Writers that wait for one another are committed at once."""
    ended = table.together(*(lambda n=n: table.add(n) for n in range(1, 6)))
    assert [one.exception() for one in ended] == [None] * 6
    assert (table.kept(), table.commits) == ([0, 1, 2, 3, 4, 5], 1)


def test_nobody_returns_before_the_commit(table: Table) -> None:
    """When a write returns, others see what it wrote, however many write at once."""

    def write(number: int) -> bool:
        table.add(number)
        return number in table.kept()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(write, range(200)))
    assert table.commits < 200


def test_a_group_has_an_end(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many wait, a commit is not put off for more than so many writes."""
    monkeypatch.setattr(commits, "GROUP_LIMIT", 2)
    table.together(*(lambda n=n: table.add(n) for n in range(1, 6)))
    assert (len(table.kept()), table.commits) == (6, 3)


def test_who_fails_takes_back_only_its_own(table: Table) -> None:
    """A write that fails in a group leaves those before and after it as they are."""

    def fail() -> None:
        raise ValueError("no")

    ended = table.together(lambda: table.add(1), lambda: table.add(2, fail), lambda: table.add(3))
    assert [type(one.exception()) for one in ended] == [
        type(None), type(None), ValueError, type(None),
    ]  # fmt: skip
    assert table.kept() == [0, 1, 3]


def test_the_first_to_fail(table: Table) -> None:
    """A write that fails alone leaves nothing, and the next one goes on."""
    with pytest.raises(sqlite3.IntegrityError):
        table.add(1, lambda: table.connection.execute("INSERT INTO t (n) VALUES (1)"))
    assert not table.connection.in_transaction
    table.add(1)
    assert table.kept() == [1]


def test_a_commit_that_fails_fails_for_all(table: Table) -> None:
    """When the commit of a group is refused, each of its writers hears of it, and none is kept."""

    def orphan() -> None:
        table.connection.execute("PRAGMA defer_foreign_keys=ON")
        table.connection.execute("INSERT INTO t (n, up) VALUES (99, 98)")

    ended = table.together(lambda: table.add(1), lambda: table.add(2, orphan))
    assert [type(one.exception()) for one in ended] == [sqlite3.IntegrityError] * 3
    code = sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
    assert {getattr(one.exception(), "sqlite_errorcode", 0) for one in ended} == {code}
    table.add(5)
    assert table.kept() == [5]


def test_a_transaction_that_the_database_gave_up(table: Table) -> None:
    """When a fault of the disk undoes the whole transaction, all that were in it hear of it."""

    def lose() -> None:
        table.connection.execute("ROLLBACK")
        raise error("disk I/O error")

    ended = table.together(lambda: table.add(1, lose))
    assert [str(one.exception()) for one in ended] == ["disk I/O error"] * 2
    table.add(5)
    assert table.kept() == [5]


def test_a_transaction_that_somebody_undid(table: Table) -> None:
    """A transaction that is gone is no success for those who were in it, whatever undid it."""

    def lose() -> None:
        table.connection.execute("ROLLBACK")
        raise ValueError("no")

    ended = table.together(lambda: table.add(1, lose))
    assert [str(one.exception()) for one in ended] == ["the transaction was undone", "no"]
    assert table.kept() == []


def test_a_reader_sees_only_what_is_committed(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who reads while a group is open commits it first."""
    with left_open(table, monkeypatch) as write:
        assert not write.done()
        with table.turns.reading() as connection:
            assert not connection.in_transaction
        assert write.exception(20) is None
    assert table.kept() == [7]


def test_one_reads_ones_own_writes(table: Table) -> None:
    """Within a write the same thread reads what it wrote, which stays uncommitted."""
    with table.turns.writing() as connection:
        connection.execute("INSERT INTO t (n) VALUES (1)")
        with table.turns.reading() as same:
            assert same.execute("SELECT count(*) FROM t").fetchone() == (1,)
        assert table.kept() == []


def test_no_write_within_a_write(table: Table) -> None:
    """A write within a write of the same thread is refused, and the outer one goes on."""
    with table.turns.writing() as connection:
        connection.execute("INSERT INTO t (n) VALUES (1)")
        with pytest.raises(sqlite3.OperationalError, match="within a transaction"):
            table.add(2)
    assert table.kept() == [1]


def test_what_is_interrupted_is_taken_back_alone(table: Table) -> None:
    """A write that Ctrl-C ends leaves nothing behind, and its group is committed."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    ended = table.together(lambda: table.add(1, interrupt), lambda: table.add(2))
    assert [type(one.exception()) for one in ended] == [
        type(None), KeyboardInterrupt, type(None),
    ]  # fmt: skip
    assert table.kept() == [0, 2]


def test_an_interrupt_before_the_commit_is_no_success(table: Table) -> None:
    """When the one that was to commit is interrupted before it did, the others hear of it."""
    ended = table.together(lambda: table.add(1, lambda: refuse(table, "COMMIT", KeyboardInterrupt)))
    assert [type(one.exception()) for one in ended] == [
        sqlite3.OperationalError, KeyboardInterrupt,
    ]  # fmt: skip
    table.add(5)
    assert table.kept() == [5]


def test_who_relied_on_another_commits_in_the_end(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the one that was to commit never gets its turn, who waits for it does it."""
    with left_open(table, monkeypatch) as write:
        monkeypatch.setattr(commits, "PATIENCE_S", 0.01)
        assert write.exception(20) is None
    assert table.kept() == [7]


def test_what_cannot_be_taken_back_alone_is_undone_with_its_group(table: Table) -> None:
    """When the savepoint fails as well, nobody's writes are kept and everybody hears of it."""

    def fail() -> None:
        refuse(table, "ROLLBACK TO own", sqlite3.OperationalError)
        raise ValueError("no")

    ended = table.together(lambda: table.add(1, fail))
    assert [type(one.exception()) for one in ended] == [sqlite3.OperationalError, ValueError]
    table.add(5)
    assert table.kept() == [5]


def test_a_lock_that_is_held_elsewhere(table: Table) -> None:
    """A group that cannot begin is an error of the one that began it, and no later write's."""
    table.connection.execute("PRAGMA busy_timeout=0")
    with closing(sqlite3.connect(table.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            table.add(1)
        other.execute("ROLLBACK")
    table.add(2)
    assert table.kept() == [2]


def test_closed_within_a_write(table: Table) -> None:
    """Who closes the connection within a write loses it, and so does the rest of its group."""
    ended = table.together(lambda: table.add(1, table.connection.close))
    assert [type(one.exception()) for one in ended] == [sqlite3.ProgrammingError] * 2
    assert table.kept() == []


def test_a_full_disk(table: Table) -> None:
    """When the file cannot grow, who was told of no error is in it, and nobody else is."""
    pages = table.connection.execute("PRAGMA page_count").fetchone()[0]
    table.connection.execute(f"PRAGMA max_page_count={pages}")

    def grow() -> None:
        table.connection.execute("CREATE TABLE large AS SELECT randomblob(100000) AS b")

    ended = table.together(lambda: table.add(1), lambda: table.add(2, grow))
    assert "full" in str(ended[2].exception())
    assert table.kept() == [n for n, one in enumerate(ended) if one.exception() is None]
