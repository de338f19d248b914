"""The schema: one source, numbered steps, backups, own schemas, refusals."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

import pytest

from penstock.errors import JournalError, JournalSchemaError
from penstock.model.outcome import OutcomeKind
from penstock.model.records import Cap, RequestKind, Reservation
from penstock.model.states import AttemptState
from penstock.store import migrations
from penstock.store.database import open_memory
from penstock.store.migrations import (
    Migration,
    init_db,
    latest_version,
    migrate,
    packaged_migrations,
    schema_text,
    statements,
)
from penstock.store.queries import SQL_DIR
from penstock.store.sqlite import open_journal
from tests.support.journals import RUN, ask, intact, intent, seed, sql

ROOT = Path(__file__).parents[3]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal with one run."""
    place = tmp_path / "p.db"
    with open_journal(place) as journal:
        seed(journal)
    return place


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> int:
    """A later penstock, with one migration more; its version."""
    number = latest_version() + 1
    script = "ALTER TABLE runs ADD COLUMN colour TEXT; UPDATE runs SET colour = 'a;b';"
    steps = (*packaged_migrations(), Migration(number, script))
    monkeypatch.setattr(migrations, "packaged_migrations", lambda: steps)
    return number


def test_the_packaged_schema_is_what_the_migrations_come_to() -> None:
    """Both copies of schema.sql equal the migrations' result (else: scripts/write_schema.py)."""
    assert (SQL_DIR / "schema.sql").read_text(encoding="utf-8") == schema_text()
    top = ROOT / "schema" / "schema.sql"
    assert not top.exists() or top.read_text(encoding="utf-8") == schema_text()


def test_the_packaged_schema_makes_the_same_database() -> None:
    """Running schema.sql gives the same objects and version as the migrations."""
    with closing(open_memory()) as connection:
        connection.executescript((SQL_DIR / "schema.sql").read_text(encoding="utf-8"))
        made = [
            r["sql"] for r in connection.execute("SELECT sql FROM sqlite_master WHERE sql > ''")
        ]
        version = migrations.schema_version(connection, "x")
    assert all(text in schema_text() for text in made if "sqlite_" not in text)
    assert version == latest_version()


def test_migrations_are_numbered_without_gaps() -> None:
    """Numbers go 1, 2, 3."""
    numbers = [step.number for step in packaged_migrations()]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize(
    ("script", "count"),
    [
        ("", 0),
        (" ;; \n", 0),
        ("SELECT 1", 1),
        ("SELECT 1; SELECT 2;", 2),
        ("SELECT 'open", 1),
        ("SELECT ';'; -- a; b\nSELECT 2;", 2),
        ("CREATE TRIGGER t AFTER INSERT ON x BEGIN SELECT 1; SELECT 2; END; SELECT 3;", 2),
    ],
)
def test_scripts_are_split_where_statements_end(script: str, count: int) -> None:
    """Semicolons in texts, comments and triggers end nothing."""
    assert len([s for s in statements(script) if s.strip(";").strip()]) == count


def test_an_older_journal_is_migrated_after_a_backup(path: Path, later: int) -> None:
    """migrate applies what lacks, keeps the rows, and leaves a copy of the old file."""
    assert migrate(path) == (later - 1, later)
    assert migrate(path) == (later, later)
    assert ask(path, "SELECT run_id, colour FROM runs") == [(RUN, "a;b")]
    copy = path.with_name(f"p.db.v{later - 1}.bak")
    assert intact(copy)
    assert copy.stat().st_mode & 0o777 == 0o600
    assert ask(copy, "SELECT run_id FROM runs") == [(RUN,)]
    assert ask(copy, "SELECT value FROM schema_meta") == [(str(later - 1),)]


OLD_ROWS = """
    INSERT INTO runs (run_id, status, created_at, updated_at) VALUES ('run-1', 'running', 't', 't');
    INSERT INTO workstreams (run_id, ws_id, status, created_at, updated_at)
    VALUES ('run-1', 'ws-a', 'editing', 't', 't');
    INSERT INTO step_attempts (run_id, ws_id, step_name, attempt, sequence, status, marker)
    VALUES ('run-1', 'ws-a', 'edit', 1, 1, 'running', 'm-1');
    INSERT INTO cost_tracking (run_id, ws_id, step_attempt_id, estimated_cost_usd, timestamp)
    VALUES ('run-1', 'ws-a', 1, 0.5, '2026-01-01T00:00:00Z');
"""


@pytest.fixture(params=range(1, latest_version()), ids=lambda version: f"schema-{version}")
def older(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, int]:
    """A journal as each earlier release left it, an attempt under way; and its version."""
    place, version = tmp_path / "old.db", int(request.param)
    steps = packaged_migrations()[:version]
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "packaged_migrations", lambda: steps)
        init_db(place)
    sql(place, *statements(OLD_ROWS))
    return place, version


def test_a_journal_of_an_earlier_release_opens(older: tuple[Path, int]) -> None:
    """Opening it migrates it after a backup; what it held is there, what was running can end."""
    place, version = older
    with open_journal(place) as journal:
        assert journal.schema_version() == latest_version()
        (attempt,) = journal.list_attempts(RUN)
        assert (attempt.marker, attempt.pid, attempt.base_commit) == ("m-1", None, None)
        assert journal.finish_attempt(attempt.id, AttemptState.UNKNOWN).completed_at
        assert journal.spent(run_id=RUN).cost_usd == 0.5
    assert intact(place)
    assert ask(place.with_name(f"old.db.v{version}.bak"), "SELECT run_id FROM runs") == [(RUN,)]


def test_what_came_later_works_on_a_journal_of_an_earlier_release(older: tuple[Path, int]) -> None:
    """Breakers, requests and budgets."""
    with open_journal(older[0]) as journal:
        assert journal.record_tool_result("aider", OutcomeKind.AUTH).until is not None
        asked = journal.add_request(RUN, RequestKind.PAUSE)
        assert journal.open_requests(RUN) == [asked]
        held = Reservation(cost_usd=0.5, caps=(Cap(name="run", max_cost_usd=1.0),))
        journal.begin_attempt(intent("fix"), reservation=held)
        assert journal.spent().reserved_cost_usd == 0.5


def test_a_journal_in_the_making_leaves_no_backup(tmp_path: Path) -> None:
    """There is nothing to keep of a file that was empty."""
    init_db(tmp_path / "p.db")
    assert [p.name for p in tmp_path.iterdir() if p.name.endswith(".bak")] == []


def test_a_backup_replaces_the_one_before(path: Path) -> None:
    """A second copy of the same version is the newer one, whole, with no part left."""
    target = path.with_name("copy.bak")
    target.write_text("old")
    path.with_name("copy.bak.part").write_text("left by a killed process")
    migrations.backup(path, target)
    assert intact(target)
    assert sorted(p.name for p in path.parent.iterdir() if "copy" in p.name) == ["copy.bak"]


def test_a_writer_migrates_and_a_reader_does_not(path: Path, later: int) -> None:
    """A reader of an older journal is told of `db migrate`; opening for writing migrates."""
    with pytest.raises(JournalError, match=f"has schema {later - 1}") as caught:
        open_journal(path, read_only=True)
    assert "penstock db migrate" in (caught.value.hint or "")
    with open_journal(path) as journal:
        assert journal.schema_version() == later


@pytest.mark.parametrize("read_only", [True, False])
def test_a_newer_journal_is_refused(path: Path, read_only: bool) -> None:
    """A newer schema is neither read nor written, by any way in."""
    sql(path, "UPDATE schema_meta SET value = '99'")
    before = path.read_bytes()
    with pytest.raises(JournalSchemaError, match="has schema 99") as caught:
        open_journal(path, read_only=read_only)
    with pytest.raises(JournalSchemaError):
        migrate(path)
    with pytest.raises(JournalSchemaError):
        init_db(path)
    assert caught.value.hint
    assert path.read_bytes() == before


@pytest.mark.parametrize("script", ["CREATE TABLE runs (x);", "nonsense;", BROKEN := (
    "PRAGMA defer_foreign_keys=ON; INSERT INTO workstreams (run_id, ws_id, status, created_at,"
    " updated_at) VALUES ('no-run', 'w', 's', 't', 't');"
)])  # fmt: skip
def test_a_failing_migration_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    """A step that fails, or leaves broken links, is rolled back with its version."""
    number = latest_version() + 1
    text = f"CREATE TABLE extra (x); {script}"
    steps = (*packaged_migrations(), Migration(number, text))
    monkeypatch.setattr(migrations, "packaged_migrations", lambda: steps)
    with pytest.raises(JournalError):
        open_journal(path)
    assert ask(path, "SELECT value FROM schema_meta") == [(str(number - 1),)]
    assert ask(path, "SELECT name FROM sqlite_master WHERE name = 'extra'") == []


def test_migrate_wants_a_journal(tmp_path: Path) -> None:
    """A missing or empty file is not made into one."""
    with pytest.raises(JournalError, match="there is no journal"):
        migrate(tmp_path / "p.db")
    (tmp_path / "p.db").touch()
    with pytest.raises(JournalError, match="is empty"):
        migrate(tmp_path / "p.db")


def test_init_can_be_repeated(path: Path) -> None:
    """A second init changes nothing."""
    assert init_db(path) == init_db(path) == path
    assert ask(path, "SELECT run_id FROM runs") == [(RUN,)]


def test_many_may_make_the_journal_at_once(tmp_path: Path) -> None:
    """Eight openers of a missing journal make one whole journal."""
    place, faults = tmp_path / "state" / "p.db", list[BaseException]()

    def make() -> None:
        try:
            open_journal(place).close()
        except JournalError as error:
            faults.append(error)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert intact(place)


def test_an_own_schema_may_hold_more(tmp_path: Path) -> None:
    """A schema of the user's own with everything of ours and more is taken, also twice."""
    schema = tmp_path / "own.sql"
    schema.write_text(schema_text() + "CREATE TABLE mine (x); CREATE INDEX i ON mine (x);")
    for _ in range(2):
        init_db(tmp_path / "p.db", schema)
    with open_journal(tmp_path / "p.db") as journal:
        seed(journal)
        assert journal.table_counts()["mine"] == 0


def test_an_own_schema_need_not_state_its_version(tmp_path: Path) -> None:
    """Without schema_meta in it, the version is written for it."""
    schema = tmp_path / "own.sql"
    text = schema_text()
    meta = text[text.index("CREATE TABLE schema_meta") : text.index("CREATE TABLE runs")]
    schema.write_text(text.replace(meta, "").rpartition("INSERT")[0])
    init_db(tmp_path / "p.db", schema)
    with open_journal(tmp_path / "p.db") as journal:
        assert journal.schema_version() == latest_version()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda text: text.replace("    diff_hash TEXT,\n", ""), "lacks step_attempts.diff_hash"),
        (lambda text: text.replace(f"'{latest_version()}');", "'7');"), "is for version 7"),
        (lambda text: text.replace("TRIGGER cost_is_added", "TRIGGER mine"),
         "lacks trigger cost_is_added"),
        (lambda text: text + "BOGUS;", "does not run"),
    ],
)  # fmt: skip
def test_an_own_schema_that_does_not_serve_is_refused(
    tmp_path: Path, change: object, complaint: str
) -> None:
    """A schema that lacks a column, is of another version or fails leaves the database empty."""
    assert callable(change)
    (tmp_path / "own.sql").write_text(change(schema_text()))
    with pytest.raises(JournalError, match=complaint):
        init_db(tmp_path / "p.db", tmp_path / "own.sql")
    assert ask(tmp_path / "p.db", "SELECT count(*) FROM sqlite_master") == [(0,)]


def test_an_own_schema_serves_an_empty_database_only(path: Path) -> None:
    """A journal that is there is not touched by a schema of the user's own."""
    schema = path.with_name("own.sql")
    schema.write_text(schema_text())
    with pytest.raises(JournalError, match="empty database only"):
        init_db(path, schema)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_schema_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    """A missing or binary schema file is a JournalError."""
    schema = tmp_path / "own.sql"
    if content is not None:
        schema.write_bytes(content)
    with pytest.raises(JournalError, match="cannot be read"):
        init_db(tmp_path / "p.db", schema)
