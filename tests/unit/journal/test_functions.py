"""The documented functions: names, dicts, aliases, errors, and which database they use."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from penstock import journal
from penstock.errors import (
    ClaimLostError,
    ConfigError,
    InvalidTransitionError,
    NotFoundError,
    UsageError,
)
from penstock.store.sqlite import open_journal
from tests.support.journals import ask


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder outside of any repository, with no variable set."""
    for name in ("PIPELINE_DB_PATH", "PIPELINE_DB_URL", "PIPELINE_SCHEMA_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run() -> str:
    """A run with a workstream."""
    journal.create_run("r1", metadata={"a": 1})
    journal.create_workstream("ws-a", "r1", depends_on=["ws-b"], metadata={"b": 2})
    return "r1"


def test_the_default_place_is_below_the_folder(folder: Path) -> None:
    """Without anything said, state/pipeline.db of the current folder is meant."""
    assert journal.init_db() == folder / "state" / "pipeline.db"
    journal.create_run("r1")
    assert ask(folder / "state" / "pipeline.db", "SELECT run_id FROM runs") == [("r1",)]


def test_the_environment_names_the_place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PIPELINE_DB_PATH beats the default, and an argument beats both."""
    monkeypatch.setenv("PIPELINE_DB_PATH", str(folder / "env.db"))
    journal.create_run("r1")
    journal.create_run("r2", db_path="given.db")
    assert ask(folder / "env.db", "SELECT run_id FROM runs") == [("r1",)]
    assert ask(folder / "given.db", "SELECT run_id FROM runs") == [("r2",)]


def test_a_url_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL is refused, without its password being told."""
    monkeypatch.setenv("PIPELINE_DB_URL", "postgresql://u:secret@h/d")
    with pytest.raises(ConfigError, match="not supported") as caught:
        journal.list_runs()
    assert "secret" not in str(caught.value)
    monkeypatch.delenv("PIPELINE_DB_URL")
    with pytest.raises(ConfigError):
        journal.init_db("postgresql://u:secret@h/d")


def test_an_own_schema_is_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """init_db takes a schema as argument or from PIPELINE_SCHEMA_PATH."""
    packaged = Path(journal.__file__).parent / "store" / "sql" / "schema.sql"
    schema = folder / "own.sql"
    schema.write_text(packaged.read_text(encoding="utf-8") + "CREATE TABLE mine (x);")
    journal.init_db("one.db", "own.sql")
    monkeypatch.setenv("PIPELINE_SCHEMA_PATH", str(schema))
    journal.init_db("two.db")
    for name in ("one.db", "two.db"):
        assert ask(folder / name, "SELECT count(*) FROM mine") == [(0,)]


def test_rows_are_what_json_knows(run: str) -> None:
    """Every function returns dicts that JSON can hold, with ISO times and decoded columns."""
    row = journal.get_run(run)
    assert (row["status"], row["metadata"], row["created_at"][-1]) == ("pending", {"a": 1}, "Z")
    ws = journal.get_workstream("ws-a")
    assert (ws["depends_on"], ws["metadata"]) == (["ws-b"], {"b": 2})
    assert json.loads(json.dumps([row, ws])) == [row, ws]
    assert journal.get_workstreams_for_run(run) == [ws]


def test_missing_rows_are_value_errors(run: str) -> None:
    """get_run and get_workstream raise a ValueError."""
    reads: tuple[Callable[[], object], ...] = (
        lambda: journal.get_run("r9"),
        lambda: journal.get_workstream("ws-9"),
        lambda: journal.get_workstream("ws-a", "r9"),
        lambda: journal.update_workstream_status("ws-9", "started"),
    )
    for read in reads:
        with pytest.raises(ValueError, match="there is no") as caught:
            read()
        assert isinstance(caught.value, NotFoundError)


def test_in_progress_is_running(run: str) -> None:
    """The old name of a running run is taken wherever a state goes in."""
    assert journal.create_run("r2", status="in_progress")["status"] == "running"
    assert journal.update_run_status(run, "in_progress")["started_at"]
    assert [r["run_id"] for r in journal.list_runs("in_progress", limit=5)] == ["r2", "r1"]
    assert [r["run_id"] for r in journal.list_runs(limit=1, offset=1)] == ["r1"]


def test_moves_obey_the_tables(run: str) -> None:
    """Illegal moves and unknown states are InvalidTransitionErrors, which are ValueErrors."""
    assert journal.update_workstream_status("ws-a", "started", run)["status"] == "started"
    for wrong in ("done", "nonsense"):
        with pytest.raises(InvalidTransitionError) as caught:
            journal.update_workstream_status("ws-a", wrong)
        assert isinstance(caught.value, ValueError)
    with pytest.raises(InvalidTransitionError):
        journal.update_run_status(run, "succeeded")


def test_transitions_can_be_asked_for() -> None:
    """validate_state_transition says yes, or why not."""
    assert journal.validate_state_transition("editing", "ready_for_static")
    assert journal.validate_state_transition("done", "done")
    with pytest.raises(InvalidTransitionError, match="allowed: canceled, editing"):
        journal.validate_state_transition("started", "done")


@pytest.mark.parametrize(
    ("word", "status"),
    [("success", "succeeded"), ("completed", "succeeded"), ("error", "failed"), ("failed",) * 2],
)
def test_attempts_take_old_words(run: str, word: str, status: str) -> None:
    """The aliases of an attempt's status, as outcome or as status."""
    first = journal.record_step_attempt(run, "ws-a", "edit", word, result={"x": 1})
    second = journal.record_step_attempt(run, "ws-a", "edit", status=word)
    assert (first["status"], second["status"]) == (status, status)
    assert (first["attempt"], second["attempt"], first["result"]) == (1, 2, {"x": 1})
    assert journal.get_step_attempts(run, "ws-a", "edit") == [first, second]


def test_times_of_attempts_are_made_utc(run: str) -> None:
    """An offset, a datetime and a time without a zone all come out in UTC."""
    row = journal.record_step_attempt(
        run,
        "ws-a",
        "edit",
        "success",
        "2026-01-01T02:00:00+02:00",
        datetime(2026, 1, 1, 1, tzinfo=UTC),
    )
    assert row["started_at"] == "2026-01-01T00:00:00.000000Z"
    assert row["completed_at"] == "2026-01-01T01:00:00.000000Z"


def test_an_attempt_needs_one_status_and_real_times(run: str) -> None:
    """No status, two that differ, or a time that is none are UsageErrors."""
    with pytest.raises(UsageError, match="one status"):
        journal.record_step_attempt(run, "ws-a", "edit")
    with pytest.raises(UsageError, match="one status"):
        journal.record_step_attempt(run, "ws-a", "edit", "success", status="error")
    with pytest.raises(UsageError, match="no ISO-8601 time"):
        journal.record_step_attempt(run, "ws-a", "edit", "success", "yesterday")


def test_a_repeated_error_is_one_row(run: str) -> None:
    """Without a run id the newest run of that workstream is meant."""
    for _ in range(2):
        row = journal.record_error("timeout", "sig", "m", ws_id="ws-a", context={"c": 1})
    assert (row["run_id"], row["count"], row["context"]) == (run, 2, {"c": 1})
    assert journal.get_errors(run) == journal.get_errors(run, "ws-a") == [row]
    assert journal.record_error("timeout", "sig", "m")["run_id"] is None


def test_events_come_newest_first(run: str) -> None:
    """Any event type is taken; filters and the limit work."""
    journal.record_event("my_own", ws_id="ws-a", payload={"k": "v"})
    journal.record_event("my_own", run)
    journal.record_event("loose")
    assert [e["event_type"] for e in journal.get_events(limit=2)] == ["loose", "my_own"]
    (event,) = journal.get_events(run, "ws-a", "my_own")
    assert (event["run_id"], event["payload"]) == (run, {"k": "v"})


def test_the_error_pipeline_is_kept(run: str) -> None:
    """The saved context comes back as `context`."""
    assert journal.get_error_context(run, "ws-a") is None
    saved = journal.save_error_context(run, "ws-a", {"current_state": "S_SUCCESS", "x": [1]})
    assert journal.get_error_context(run, "ws-a") == saved
    assert (saved["current_state"], saved["context"]["x"]) == ("S_SUCCESS", [1])


def test_a_connection_is_the_callers_own(run: str) -> None:
    """get_connection opens the same database for SQL of one's own."""
    connection = journal.get_connection()
    try:
        assert connection.execute("SELECT run_id FROM runs").fetchone()["run_id"] == run
        assert connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    finally:
        connection.close()


def test_a_held_run_is_refused(run: str, folder: Path) -> None:
    """While a process works on a run these functions do not meddle."""
    with open_journal(folder / "state" / "pipeline.db") as holder:
        holder.claim_run(run, {"pid": 1})
        with pytest.raises(ClaimLostError, match="pid 1"):
            journal.update_run_status(run, "running")


def test_every_documented_name_is_there() -> None:
    """__all__ names the functions, and each has a docstring."""
    for name in journal.__all__:
        assert getattr(journal, name).__doc__
