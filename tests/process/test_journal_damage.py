"""A journal whose file was damaged: what is noticed, what is said, and what can be saved."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from penstock.errors import JournalError
from penstock.model.states import AttemptState
from penstock.store import salvage as salvaging
from penstock.store.migrations import latest_version
from penstock.store.salvage import Salvaged, salvage
from penstock.store.soundness import Soundness, check
from penstock.store.sqlite import open_journal
from tests.support.damage import STEPS, break_links, filled, ids, leaves, one_costly_step, overwrite
from tests.support.journals import RUN, WS, ask, intact, intent, sql


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal of some size, made once."""
    return filled(tmp_path_factory.mktemp("pristine") / "p.db")


@pytest.fixture
def path(pristine: Path, tmp_path: Path) -> Path:
    """A copy of it to be damaged."""
    return Path(shutil.copy(pristine, tmp_path / "p.db"))


def saved(path: Path) -> dict[str, Salvaged]:
    """Salvage a journal into `fresh.db` beside it, and see that the result is whole."""
    before = path.read_bytes()
    tables = salvage(path, path.with_name("fresh.db"))
    assert path.read_bytes() == before
    assert intact(path.with_name("fresh.db"))
    assert check(path.with_name("fresh.db")).sound
    return {each.table: each for each in tables}


# -- check -------------------------------------------------------------------------------------
def test_a_sound_journal_is_sound(path: Path) -> None:
    """Nothing is found, and nothing is changed."""
    before = path.read_bytes()
    found = check(path)
    assert (found.sound, found.older, found.problems) == (True, False, ())
    assert found.schema_version == found.latest == latest_version()
    assert path.read_bytes() == before


def test_a_journal_is_checked_while_it_is_written(path: Path) -> None:
    """A run may go on meanwhile; what is only in the log counts."""
    with open_journal(path) as journal:
        one_costly_step(journal, STEPS + 1)
        assert check(path).sound


@pytest.mark.parametrize("table", ["step_attempts", "events", "cost_tracking"])
def test_an_overwritten_page_is_found(path: Path, table: str) -> None:
    """A page in use that holds rubbish makes the journal unsound."""
    pages = leaves(path, table)
    overwrite(path, pages[len(pages) // 2])
    found = check(path)
    assert not found.sound
    assert found.problems


def test_a_row_that_belongs_to_nothing_is_found(path: Path) -> None:
    """Links are followed too."""
    break_links(path, "UPDATE step_attempts SET ws_id = 'ws-x' WHERE id <= 3")
    assert check(path).problems == ("3 rows of step_attempts lack what they belong to",)


def test_a_file_that_is_no_journal_is_unsound(tmp_path: Path) -> None:
    """Rubbish, an empty file, another program's database, a newer schema: each is named."""
    (tmp_path / "text.db").write_text("not a database, " * 400)
    (tmp_path / "empty.db").touch()
    sql(tmp_path / "other.db", "CREATE TABLE notes (text)")
    open_journal(tmp_path / "newer.db").close()
    sql(tmp_path / "newer.db", "UPDATE schema_meta SET value = '99' WHERE key = 'schema_version'")
    said = {p.stem: "; ".join(check(p).problems) for p in tmp_path.glob("*.db")}
    assert "is not a database" in said["text"]
    assert "is empty" in said["empty"]
    assert "not a journal of penstock" in said["other"]
    assert "it has schema 99" in said["newer"]


def test_an_older_journal_is_sound(path: Path) -> None:
    """That there is something to migrate is no damage."""
    sql(path, "UPDATE schema_meta SET value = '1' WHERE key = 'schema_version'")
    found = check(path)
    assert (found.sound, found.older) == (True, True)


def test_a_journal_that_is_not_there_cannot_be_checked(tmp_path: Path) -> None:
    """That is another answer than unsound."""
    with pytest.raises(JournalError, match="there is no journal"):
        check(tmp_path / "p.db")


# -- what users see ----------------------------------------------------------------------------
def test_a_damaged_page_is_named_with_the_commands_that_help(path: Path) -> None:
    """Reading it and writing to it raise JournalError; what does not touch it works."""
    overwrite(path, leaves(path, "step_attempts")[-1])
    with open_journal(path) as journal:
        with pytest.raises(JournalError, match="is damaged") as caught:
            journal.list_attempts(RUN)
        with pytest.raises(JournalError, match="is damaged"):
            journal.begin_attempt(intent("fix", STEPS + 1))
        assert journal.get_run(RUN).run_id == RUN
    for word in ("penstock db check", "penstock db salvage"):
        assert word in (caught.value.hint or "")


# -- salvage -----------------------------------------------------------------------------------
def test_a_sound_journal_is_copied_whole(path: Path) -> None:
    """Every row of every table."""
    with open_journal(path) as journal:
        counts = journal.table_counts()
    tables = saved(path)
    assert {name: each.copied for name, each in tables.items()} == {
        name: count for name, count in counts.items() if name not in ("schema_meta", "cost_totals")
    }
    assert {(t.unreadable, t.dropped) for t in tables.values()} == {(0, 0)}
    with open_journal(path.with_name("fresh.db")) as fresh, open_journal(path) as old:
        assert fresh.list_attempts(RUN) == old.list_attempts(RUN)
        assert fresh.spent() == old.spent()


@pytest.mark.parametrize("which", [0, 1, -1], ids=["first", "second", "last"])
def test_only_the_rows_of_a_lost_page_are_lost(path: Path, which: int) -> None:
    """What lies before and behind the hole is there; later facts about what is gone remain."""
    pages = leaves(path, "step_attempts")
    assert len(pages) > 4
    overwrite(path, pages[which])
    table = saved(path)["step_attempts"]
    kept = ids(path.with_name("fresh.db"), "step_attempts")
    assert (table.unreadable, len(kept)) == (1, table.copied)
    assert STEPS * 0.6 < len(kept) < STEPS
    assert (1 in kept, STEPS in kept) == (which != 0, which != -1)


def test_several_holes_are_stepped_over(path: Path) -> None:
    """Whether side by side or apart."""
    pages = leaves(path, "events")
    overwrite(path, pages[1], pages[2], pages[5], byte=b"\0")
    table = saved(path)["events"]
    assert 2 <= table.unreadable <= 3
    assert table.copied > STEPS * 4 * 0.5


def test_what_belonged_to_a_lost_run_is_left_out(path: Path) -> None:
    """Events stay as they do when a run is removed; nothing points to what is not there."""
    overwrite(path, leaves(path, "runs")[0])
    tables = saved(path)
    assert (tables["runs"].copied, tables["workstreams"].copied) == (0, 0)
    assert (tables["step_attempts"].copied, tables["step_attempts"].dropped) == (0, STEPS)
    fresh = path.with_name("fresh.db")
    assert tables["events"].copied == 4 * STEPS + 2
    assert ask(fresh, "SELECT count(run_id), count(ws_id) FROM events") == [(0, 0)]


def test_an_event_keeps_the_run_that_is_there(path: Path) -> None:
    """Only the workstream was lost."""
    overwrite(path, leaves(path, "workstreams")[0])
    saved(path)
    found = ask(path.with_name("fresh.db"), "SELECT count(run_id), count(ws_id) FROM events")
    assert found == [(4 * STEPS + 2, 0)]


def test_rows_that_hold_rubbish_are_left_out(path: Path) -> None:
    """A row that could be read but not used is not carried along; bytes that are no text are."""
    sql(
        path,
        "UPDATE step_attempts SET status = 'bogus' WHERE id = 7",
        "UPDATE step_attempts SET result_json = '{' WHERE id = 8",
        "UPDATE approvals SET note = CAST(x'ff41' AS TEXT)",
    )
    table = saved(path)["step_attempts"]
    assert (table.copied, table.dropped, table.unreadable) == (STEPS - 2, 2, 0)
    assert ask(path.with_name("fresh.db"), "SELECT note FROM approvals") == [("\ufffdA",)]


def test_a_run_goes_on_with_what_was_saved(path: Path) -> None:
    """The next attempt takes a sequence of its own."""
    overwrite(path, leaves(path, "step_attempts")[1])
    saved(path)
    with open_journal(path.with_name("fresh.db")) as journal:
        begun = journal.begin_attempt(intent("edit"))
        assert begun.sequence == STEPS + 1
        assert journal.finish_attempt(begun.id, AttemptState.SUCCEEDED).id > STEPS
        assert journal.get_workstream(RUN, WS).ws_id == WS


def test_an_older_journal_is_saved_into_the_latest_schema(path: Path) -> None:
    """Columns and tables that came later are empty."""
    sql(path, "DROP TABLE run_requests", "ALTER TABLE step_attempts DROP COLUMN base_commit")
    tables = saved(path)
    assert "run_requests" not in tables
    assert tables["step_attempts"].copied == STEPS


def test_nothing_is_overwritten_or_made_of_nothing(path: Path) -> None:
    """An output that exists is refused; of what is no journal none is made."""
    path.with_name("fresh.db").touch()
    with pytest.raises(JournalError, match="is there already"):
        salvage(path, path.with_name("fresh.db"))
    sql(path, "ALTER TABLE runs RENAME TO walks")
    with pytest.raises(JournalError, match="nothing of a journal"):
        salvage(path, path.with_name("other.db"))
    overwrite(path, 0)
    with pytest.raises(JournalError):
        salvage(path, path.with_name("other.db"))
    assert not path.with_name("other.db").exists()


def test_a_copy_that_was_not_finished_is_not_left(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a journal must not be taken for what could be read."""

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("the disk is full")  # in the very middle of the copy

    monkeypatch.setattr(salvaging, "_drop_orphans", fail)
    with pytest.raises(JournalError, match="disk is full"):
        salvage(path, path.with_name("fresh.db"))
    assert list(path.parent.glob("fresh*")) == []


def test_what_is_only_in_the_log_is_saved(path: Path, tmp_path: Path) -> None:
    """A journal that a killed process left with its log is read with it."""
    copy = tmp_path / "copy" / "p.db"
    copy.parent.mkdir()
    with open_journal(path) as journal:
        one_costly_step(journal, STEPS + 1)
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", f"{copy}{suffix}")
    assert saved(copy)["step_attempts"].copied == STEPS + 1


def test_soundness_is_plain_data() -> None:
    """A version that cannot be read is not older than any."""
    found = Soundness(path="p", schema_version=None, latest=3, problems=("x",))
    assert (found.sound, found.older) == (False, False)


def test_a_check_that_may_not_take_long(path: Path) -> None:
    """Out of time it tells so, with what it had found until then; given time it is complete."""
    found = check(path, limit_s=0.0)
    assert (found.complete, found.sound, found.schema_version) == (False, True, latest_version())
    assert check(path, limit_s=60.0).complete


def test_a_check_of_limited_time_finds_damage(path: Path) -> None:
    """What breaks at once is told, whatever time there is."""
    path.write_bytes(b"no journal" * 500)
    assert not check(path, limit_s=5.0).sound
