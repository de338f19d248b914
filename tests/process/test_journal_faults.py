"""What befalls the journal of a run at work: each fault has an outcome, and a way to go on."""

from __future__ import annotations

import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from penstock.errors import JournalError
from penstock.model.states import RunState
from penstock.store.sqlite import open_journal
from tests.support.cli import child
from tests.support.damage import leaves, overwrite
from tests.support.journal_faults import Scene
from tests.support.journals import RUN, ask, intact, seed

ROOT = Path(__file__).parents[2]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A run that can be brought into the middle of a turn."""
    return Scene(tmp_path)


@contextmanager
def locked(path: Path, seconds: float) -> Iterator[subprocess.Popen[bytes]]:
    """Have another process hold the write lock for so long; the block begins when it has it."""
    command = [sys.executable, "-m", "tests.support.journal_worker", "hold", str(path)]
    with subprocess.Popen([*command, str(seconds)], cwd=ROOT, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert b"holding" in holder.stdout.readline()
        try:
            yield holder
        finally:
            holder.kill()


# -- a full disk -------------------------------------------------------------------------------
def test_a_full_disk_ends_the_run_and_room_lets_it_go_on(scene: Scene) -> None:
    """Exit 2 with a hint; the turn is lost, not the work of others; resume does the rest."""
    with scene.in_a_turn() as process:
        # the log of the journal may not grow beyond what is there by now
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (8192, resource.RLIM_INFINITY))
        ended = scene.end(process)
    assert ended.code == 2
    assert "the journal" in ended.err
    assert "Hint:" in ended.err
    assert intact(scene.journal)
    assert scene.resume().code == 0
    assert scene.landed()


# -- a journal that may not be written ----------------------------------------------------------
def test_a_journal_that_turns_read_only_is_named(tmp_path: Path) -> None:
    """A write fails with a hint and changes nothing; reading goes on; writable again, so does it."""
    with open_journal(tmp_path / "p.db") as journal:
        seed(journal)
        # a file system that is remounted while a file on it is open cannot be had on demand
        connection = journal._db._connection
        connection.execute("PRAGMA query_only=ON")
        with pytest.raises(JournalError, match="cannot be written") as caught:
            journal.move_run(RUN, RunState.RUNNING)
        assert journal.get_run(RUN).status is RunState.PENDING
        connection.execute("PRAGMA query_only=OFF")
        assert journal.move_run(RUN, RunState.RUNNING).status is RunState.RUNNING
    assert "permissions" in (caught.value.hint or "")


def test_a_run_at_work_does_not_mind_the_mode_of_its_file(scene: Scene) -> None:
    """It has the file open: taking the right to write away is felt by the next process only."""
    with scene.in_a_turn() as process:
        for file in (scene.journal, scene.log):
            file.chmod(0o400)
        scene.journal.parent.chmod(0o500)
        ended = scene.end(process)
        scene.journal.parent.chmod(0o700)
        scene.journal.chmod(0o600)
    assert ended.code == 0, ended.err
    assert scene.landed()


# -- a locked journal --------------------------------------------------------------------------
def test_a_lock_shorter_than_the_patience_is_sat_out(scene: Scene) -> None:
    """A run waits for another writer, and nobody notices."""
    with scene.in_a_turn() as process, locked(scene.journal, 1.5):
        assert scene.end(process).code == 0
    assert scene.landed()


@pytest.mark.slow
def test_a_lock_longer_than_the_patience_ends_the_run(scene: Scene) -> None:
    """Exit 2 naming the lock; once it is gone, resume does the rest."""
    with scene.in_a_turn() as process, locked(scene.journal, 600):
        ended = scene.end(process)
    assert ended.code == 2
    assert "locked by another process" in ended.err
    assert scene.resume().code == 0
    assert scene.landed()


@pytest.mark.parametrize(("held_s", "patience_s", "waits"), [(0.3, 20.0, True), (60.0, 0.2, False)])
def test_patience_decides(tmp_path: Path, held_s: float, patience_s: float, waits: bool) -> None:
    """A write waits for another process as long as busy_timeout_s says, and not longer."""
    path = tmp_path / "p.db"
    with open_journal(path, busy_timeout_s=patience_s) as journal:
        seed(journal)
        with locked(path, held_s):
            if waits:
                assert journal.move_run(RUN, RunState.RUNNING).status is RunState.RUNNING
            else:
                with pytest.raises(JournalError, match="locked by another process"):
                    journal.move_run(RUN, RunState.RUNNING)


def test_threads_are_patient_together(tmp_path: Path) -> None:
    """Eight that write while the lock is held give up at the same time, not one after the other."""
    path = tmp_path / "p.db"
    with open_journal(path, busy_timeout_s=0.6) as journal:
        seed(journal)
        with locked(path, 60), ThreadPoolExecutor(8) as pool:
            began = time.monotonic()
            turns = [pool.submit(journal.set_run_reason, RUN, "none") for _ in range(8)]
            errors = [type(turn.exception(timeout=30)) for turn in turns]
            took_s = time.monotonic() - began
        assert journal.move_run(RUN, RunState.RUNNING).status is RunState.RUNNING
    assert errors == [JournalError] * 8
    assert took_s < 3


def test_a_reader_does_not_wait(scene: Scene) -> None:
    """`status` answers while another process holds the lock."""
    with scene.in_a_turn(), locked(scene.journal, 60):
        said = child("status", "run-1", cwd=scene.project.root)
    assert said.code == 0
    assert "ws-a" in said.out


# -- a damaged page ----------------------------------------------------------------------------
def test_a_run_goes_on_with_a_salvaged_journal(scene: Scene) -> None:
    """A page of attempts is lost: resume says so, check too; salvage, move, resume."""
    with scene.in_a_turn() as process:
        scene.kill(process)
    write_back(scene.journal)
    overwrite(scene.journal, leaves(scene.journal, "step_attempts")[-1])
    refused = scene.resume()
    assert (refused.code, "penstock db salvage" in refused.err) == (2, True)
    assert penstock(scene, "db", "check") == 1
    assert penstock(scene, "db", "salvage", "--output", "fresh.db") == 0
    scene.journal.rename(scene.journal.with_suffix(".damaged"))
    (scene.project.root / "fresh.db").rename(scene.journal)
    assert penstock(scene, "db", "check") == 0
    assert scene.resume().code == 0
    assert scene.landed()


def write_back(path: Path) -> None:
    """Bring what is in the log into the database, as happens when its last user ends."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def penstock(scene: Scene, *args: str) -> int:
    """Return the exit code of a command in the project."""
    return child(*args, cwd=scene.project.root).code


# -- files that vanish -------------------------------------------------------------------------
@pytest.mark.parametrize("names", [("-wal",), ("-wal", "-shm")], ids="+".join)
def test_a_deleted_log_ends_the_run_and_loses_nothing(scene: Scene, names: tuple[str, ...]) -> None:
    """The run writes no more and says why; what it had committed is in the database at its end."""
    with scene.in_a_turn() as process:
        for name in names:
            Path(f"{scene.journal}{name}").unlink()
        ended = scene.end(process)
    assert ended.code == 2
    assert "pipeline.db-wal was deleted, moved or replaced" in ended.err
    assert intact(scene.journal)
    assert [a.step_name for a in scene.project.attempts("ws-a")] == ["edit"]
    assert scene.resume().code == 0
    assert scene.landed()


def test_a_journal_that_is_moved_away_can_be_put_back(scene: Scene) -> None:
    """The run ends, because nobody would find what it goes on to write."""
    elsewhere = scene.journal.with_name("elsewhere.db")
    with scene.in_a_turn() as process:
        scene.journal.rename(elsewhere)
        ended = scene.end(process)
    assert ended.code == 2
    assert "pipeline.db was deleted, moved or replaced" in ended.err
    assert "put it back" in ended.err
    elsewhere.rename(scene.journal)
    assert scene.resume().code == 0
    assert scene.landed()


def test_a_journal_in_the_place_of_another_is_noticed(tmp_path: Path) -> None:
    """A copy that is put over a journal in use is not written to."""
    path = tmp_path / "p.db"
    with open_journal(path) as journal:
        seed(journal)
        shutil.copy(path, tmp_path / "copy.db")
        (tmp_path / "copy.db").replace(path)
        with pytest.raises(JournalError, match="replaced"):
            journal.move_run(RUN, RunState.RUNNING)
        with pytest.raises(JournalError, match="replaced"):
            journal.add_workstream(RUN, "ws-b")


def test_after_a_kill_a_lost_log_costs_what_was_in_it(scene: Scene) -> None:
    """The database is sound, and as it was when the log was last written back: from there it goes."""
    with scene.in_a_turn() as process:
        write_back(scene.journal)
        scene.kill(process)
    scene.log.unlink(missing_ok=True)
    assert intact(scene.journal)
    assert ask(scene.journal, "SELECT count(*) FROM step_attempts") == [(1,)]
    assert scene.resume().code == 0
    assert scene.landed()


def test_a_log_that_held_everything_takes_the_run_along(scene: Scene) -> None:
    """A journal so young that all of it was in the log knows of no run; the next run is not
    hindered by what the lost one left."""
    with scene.in_a_turn() as process:
        scene.kill(process)
    scene.log.unlink()
    refused = scene.resume()
    assert (refused.code, "penstock db init" in refused.err) == (2, True)
    assert [penstock(scene, "db", "check"), penstock(scene, "db", "init")] == [1, 0]
    assert penstock(scene, "run", "--all", "--run-id", "run-2") == 0
    assert scene.project.integrated("ws-a.txt", "run-2") == "good"
