"""The database file: where it may lie, who may read it, and what each fault comes to."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from penstock.errors import JournalError, NotFoundError, UsageError
from penstock.model.settings import Durability
from penstock.model.states import RunState
from penstock.store.database import _use_log, open_file
from penstock.store.faults import describe
from penstock.store.sqlite import SqliteJournal, connect, open_journal
from tests.support.journals import RUN, ask, intact, intent, one_step, seed, sql

NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal with one run."""
    place = tmp_path / "state" / "p.db"
    with open_journal(place) as journal:
        seed(journal)
    return place


def pragma(journal: SqliteJournal, name: str) -> object:
    """The value of a pragma on the journal's own connection."""
    return journal._db._connection.execute(f"PRAGMA {name}").fetchone()[0]


@contextmanager
def held(path: Path, how: str) -> Iterator[None]:
    """Hold a database in another connection, which also reads it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute(how)
        other.execute("SELECT * FROM sqlite_master").fetchall()
        yield


@contextmanager
def without_rights(path: Path) -> Iterator[None]:
    """Be a user who may read but not write what the file's folder holds."""
    for folder in (path.parent, *path.parent.parents[:-1]):
        if folder.owner() == path.owner() and folder != Path(tempfile.gettempdir()):
            folder.chmod(folder.stat().st_mode | 0o055)
    path.chmod(0o444)
    path.parent.chmod(0o555)
    root = os.geteuid() == 0
    try:
        if root:
            os.seteuid(NOBODY)
        yield
    finally:
        if root:
            os.seteuid(0)
        path.parent.chmod(0o700)
        path.chmod(0o600)


@pytest.mark.parametrize(("durability", "level"), [(Durability.FULL, 2), (Durability.NORMAL, 1)])
def test_a_journal_is_opened_as_promised(path: Path, durability: Durability, level: int) -> None:
    """WAL, foreign keys, and the durability asked for."""
    with open_journal(path, durability=durability, busy_timeout_s=3) as journal:
        assert pragma(journal, "journal_mode") == "wal"
        assert pragma(journal, "synchronous") == level
        assert pragma(journal, "foreign_keys") == 1
        assert pragma(journal, "busy_timeout") == 3000


@pytest.mark.parametrize(("durability", "level"), [(Durability.FULL, 2), (Durability.NORMAL, 1)])
def test_the_note_of_a_process_does_not_wait_for_the_disk(
    path: Path, durability: Durability, level: int
) -> None:
    """A power cut ends the process as well; what comes after is as durable as promised."""
    with open_journal(path, durability=durability) as journal:
        said: list[str] = []
        begun = journal.begin_attempt(intent())
        journal._db._connection.set_trace_callback(said.append)
        journal.note_process(begun.id, 1, 2)
        journal._db._connection.set_trace_callback(None)
        assert ("PRAGMA synchronous=NORMAL" in said) is (durability is Durability.FULL)
        with pytest.raises(NotFoundError):
            journal.note_process(99, 1, 2)
        assert pragma(journal, "synchronous") == level
    with open_journal(path) as journal:
        assert journal.list_attempts(RUN)[0].pid == 1


def test_only_the_owner_reads_a_journal(tmp_path: Path) -> None:
    """The file and its log are 0600 and folders made for it 0700, whatever the umask."""
    old = os.umask(0)
    try:
        with open_journal(tmp_path / "a" / "b" / "p.db") as journal:
            journal.create_run(RUN)
            modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in tmp_path.rglob("*")}
    finally:
        os.umask(old)
    assert modes.pop("a") == modes.pop("b") == 0o700
    assert set(modes) == {"p.db", "p.db-wal", "p.db-shm"}
    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize("options", [{"create": False}, {"read_only": True}])
def test_a_missing_journal_is_not_made_unasked(tmp_path: Path, options: dict[str, bool]) -> None:
    """Without create, and for readers, a missing file is an error that names `db init`."""
    with pytest.raises(JournalError, match="there is no journal") as caught:
        open_journal(tmp_path / "x" / "p.db", **options)  # type: ignore[arg-type]
    assert "penstock db init" in (caught.value.hint or "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [{"create": False}, {"read_only": True}])
def test_an_empty_file_is_not_filled_unasked(tmp_path: Path, options: dict[str, bool]) -> None:
    """A file of no bytes is a missing journal, and stays one; `create` fills it."""
    path = tmp_path / "p.db"
    path.touch()
    with pytest.raises(JournalError, match="is empty") as caught:
        open_journal(path, **options)  # type: ignore[arg-type]
    assert "penstock db init" in (caught.value.hint or "")
    open_journal(path).close()
    assert intact(path)


def test_a_reader_reads_and_never_writes(path: Path) -> None:
    """A read-only journal sees what a writer commits, and refuses writes."""
    with open_journal(path) as writer, open_journal(path, read_only=True) as reader:
        writer.move_run(RUN, RunState.RUNNING)
        assert reader.get_run(RUN).status is RunState.RUNNING
        with pytest.raises(JournalError, match="for reading only"):
            reader.move_run(RUN, RunState.CANCELED)


def test_a_folder_in_its_place_is_named(tmp_path: Path) -> None:
    """A folder where the file should be is said to be one."""
    with pytest.raises(JournalError, match="is a folder"):
        open_journal(tmp_path)


def test_a_fifo_in_its_place_is_named(tmp_path: Path) -> None:
    """A pipe is refused without opening it, which could wait for ever."""
    os.mkfifo(tmp_path / "p.db")
    with pytest.raises(JournalError, match="not a regular file"):
        open_journal(tmp_path / "p.db", read_only=True)


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "file/below"])
def test_an_impossible_place_is_named(tmp_path: Path, name: str) -> None:
    """NUL, a name too long, and a place below a file are JournalErrors."""
    (tmp_path / "file").touch()
    with pytest.raises(JournalError):
        open_journal(tmp_path / name)


def test_a_name_full_of_url_signs_is_a_name(tmp_path: Path) -> None:
    """Signs that mean something in a URI do not change which file is opened."""
    path = tmp_path / "a b?mode=memory&x#y%20.db"
    with open_journal(path) as journal:
        journal.create_run(RUN)
    assert path.stat().st_size > 0
    with open_journal(path, read_only=True) as reader:
        assert reader.get_run(RUN).run_id == RUN


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    """Text in its place is named, with a hint, and not touched."""
    path = tmp_path / "p.db"
    path.write_text("not a database, " * 400)
    for read_only in (False, True):
        with pytest.raises(JournalError, match="is not a database") as caught:
            open_journal(path, read_only=read_only)
        assert caught.value.hint
    assert path.read_text() == "not a database, " * 400


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    """A database without our schema_meta is refused and keeps its tables."""
    path = tmp_path / "p.db"
    sql(path, "CREATE TABLE notes (text)")
    with pytest.raises(JournalError, match="not a journal of penstock"):
        open_journal(path)
    assert ask(path, "SELECT name FROM sqlite_master") == [("notes",)]


def test_a_damaged_file_is_named(path: Path) -> None:
    """Pages overwritten in the middle give a JournalError with a hint, not a traceback."""
    with open_journal(path) as journal:
        for number in range(200):
            one_step(journal, number + 1)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 4096 * 20)
    with pytest.raises(JournalError, match=r"damaged|does not fit|not a journal") as caught:
        read_all(path)
    assert caught.value.hint


def read_all(path: Path) -> None:
    """Read all that a journal holds."""
    with open_journal(path, read_only=True) as journal:
        journal.list_attempts(RUN)
        journal.list_events(limit=-1)
        journal.table_counts()


def test_a_truncated_file_is_named(path: Path) -> None:
    """Half a file is a JournalError."""
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(JournalError):
        read_all(path)


def test_a_lost_table_is_named(path: Path) -> None:
    """A journal that lacks a table says that it does not fit."""
    sql(path, "DROP TABLE approvals")
    with open_journal(path) as journal, pytest.raises(JournalError, match="does not fit"):
        journal.approved_gates(RUN)


@pytest.mark.parametrize(
    "change",
    ["status = 'bogus'", "metadata_json = '{'", "metadata_json = '[1]'", "exit_code = 'x'"],
)
def test_a_damaged_row_is_named(path: Path, change: str) -> None:
    """A row that holds what it cannot hold is a JournalError."""
    sql(path, "UPDATE runs SET " + change)  # noqa: S608 - a test's own words
    with open_journal(path) as journal, pytest.raises(JournalError, match="damaged Run"):
        journal.get_run(RUN)


def test_a_damaged_owner_is_named(path: Path) -> None:
    """An owner that is no object is a JournalError."""
    sql(path, "UPDATE runs SET owner_json = '[]'")
    with open_journal(path) as journal, pytest.raises(JournalError, match="damaged owner"):
        journal.run_owner(RUN)


def test_a_locked_journal_is_named_and_usable_afterwards(path: Path) -> None:
    """A lock held longer than the timeout is an error that changed nothing."""
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        open_journal(path, busy_timeout_s=0.05) as journal,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="locked by another process") as caught:
            journal.move_run(RUN, RunState.RUNNING)
        assert caught.value.hint
        assert journal.get_run(RUN).status is RunState.PENDING
        other.execute("ROLLBACK")
        assert journal.move_run(RUN, RunState.RUNNING).status is RunState.RUNNING


def test_a_full_database_is_named_and_usable_afterwards(path: Path) -> None:
    """SQLITE_FULL rolls back; with room again the same write works."""
    with open_journal(path) as journal:
        connection = journal._db._connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages}")
        with pytest.raises(JournalError, match="disk is full") as caught:
            journal.create_run("r2", metadata={"x": "y" * 100_000})
        assert "penstock resume" in (caught.value.hint or "")
        connection.execute("PRAGMA max_page_count=1000000")
        journal.create_run("r2", metadata={"x": "y" * 100_000})
    assert intact(path)


def interrupted_write(journal: SqliteJournal) -> None:
    """Be interrupted in the middle of a transaction."""
    with journal._write(RUN) as tx:
        tx.run("runs.set_reason", run_id=RUN, reason="x", until=None)
        raise KeyboardInterrupt


def test_a_failing_block_rolls_back(path: Path) -> None:
    """An error of any kind within a transaction leaves the journal as it was."""
    with open_journal(path) as journal:
        with pytest.raises(KeyboardInterrupt):
            interrupted_write(journal)
        assert journal.get_run(RUN).reason is None


def test_a_file_that_may_not_be_written_is_named(path: Path) -> None:
    """Without the right to write, a writer is refused and a reader reads."""
    with without_rights(path):
        with pytest.raises(JournalError, match=r"cannot be (written|opened)") as caught:
            open_journal(path)
        with open_journal(path, read_only=True) as reader:
            assert reader.get_run(RUN).run_id == RUN
    assert "permissions" in (caught.value.hint or "")


def test_a_log_that_cannot_be_read_is_not_passed_over(path: Path) -> None:
    """Where a log with content lies that we may not join, a reader refuses rather than read stale."""
    with open_journal(path) as journal:
        journal.move_run(RUN, RunState.RUNNING)
        copy = path.parent.parent / "copy"
        copy.mkdir()
        for name in ("p.db", "p.db-wal"):
            shutil.copy(path.parent / name, copy / name)
    with without_rights(copy / "p.db"), pytest.raises(JournalError, match="cannot be opened"):
        open_journal(copy / "p.db", read_only=True)


def test_a_file_system_without_logs_is_named(tmp_path: Path) -> None:
    """Where SQLite cannot switch to WAL, the error says where to put the journal."""
    path = tmp_path / "p.db"
    uri = f"{path.as_uri()}?vfs=unix-dotfile"
    with (
        closing(sqlite3.connect(uri, uri=True)) as connection,
        pytest.raises(JournalError, match="write-ahead log") as caught,
    ):
        _use_log(connection, path, 0.1)
    assert "local disk" in (caught.value.hint or "")


@pytest.mark.parametrize("how", ["BEGIN", "BEGIN EXCLUSIVE"])
def test_the_switch_to_the_log_waits_its_turn(tmp_path: Path, how: str) -> None:
    """A file that is read or held while it should switch gives a JournalError after the timeout."""
    path = tmp_path / "p.db"
    sql(path, "CREATE TABLE schema_meta (key, value)")
    with held(path, how), pytest.raises(JournalError, match="locked"):
        open_file(path, busy_timeout_s=0.05)


def test_a_plain_connection_sees_the_same(path: Path) -> None:
    """connect gives rows by name, foreign keys, and transactions that the caller commits."""
    with closing(connect(path)) as connection:
        connection.execute("DELETE FROM runs")
        connection.rollback()
        assert connection.execute("SELECT run_id FROM runs").fetchone()["run_id"] == RUN
        connection.execute("DELETE FROM runs")
        connection.commit()
    assert ask(path, "SELECT count(*) FROM workstreams") == [(0,)]


def test_facts_outlive_their_run(path: Path) -> None:
    """Deleting a run takes workstreams, attempts and costs along; events and errors lose the link."""
    with open_journal(path) as journal:
        one_step(journal, 1)
        for run_id in (RUN, None):
            journal.record_error(error_code="c", signature="s", message="m", run_id=run_id)
        journal.save_error_context(RUN, "ws-a", {})
    sql(path, "DELETE FROM runs")
    assert ask(path, "SELECT count(*), count(run_id), count(ws_id) FROM events") == [(5, 0, 0)]
    assert ask(path, "SELECT count(*), count(run_id) FROM errors") == [(2, 0)]
    with open_journal(path, read_only=True) as journal:
        counts = journal.table_counts()
    assert [counts[t] for t in ("workstreams", "step_attempts", "error_pipeline_contexts")] == [
        0
    ] * 3
    assert intact(path)


def test_facts_outlive_their_workstream(path: Path) -> None:
    """Deleting a workstream nulls only its own link."""
    with open_journal(path) as journal:
        one_step(journal, 1)
    sql(path, "DELETE FROM workstreams")
    assert ask(path, "SELECT count(*), count(run_id), count(ws_id) FROM events") == [(5, 5, 0)]
    assert intact(path)


def test_faults_of_the_driver_are_told_apart() -> None:
    """Errors without a code, of constraints, and of links each become the fitting error."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("CREATE TABLE a (x PRIMARY KEY, y REFERENCES a (x))")
        kinds = {
            "INSERT INTO a VALUES (1, 2)": NotFoundError,
            "INSERT INTO a VALUES (NULL, NULL), (3, NULL), (3, NULL)": UsageError,
            "SELECT nothing": JournalError,
        }
        for statement, kind in kinds.items():
            with pytest.raises(sqlite3.Error) as caught:
                connection.execute(statement)
            assert type(describe(caught.value, "x")) is kind
    assert isinstance(describe(sqlite3.ProgrammingError("closed"), "x"), JournalError)
