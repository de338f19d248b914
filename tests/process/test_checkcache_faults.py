"""The cache of check results under fire: whatever lies at its place, checks go on and say so."""

from __future__ import annotations

import errno
import fcntl
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from penstock.store import cachefile
from penstock.store.checkcache import CheckCache, NoCache, open_check_cache
from tests.support.caches import BATCH, entries, fill, key, run_sql, value, works

ROOT = Path(__file__).parents[2]
SEED = 20261121
KILLS = 10
PAGE = 4096
TIMEOUT_S = 60


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a cache is to be."""
    return tmp_path / "state" / "checks.db"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for locks no longer than a test has to."""
    monkeypatch.setattr(cachefile, "BUSY_TIMEOUT_S", 0.1)
    monkeypatch.setattr(cachefile, "_PATIENCE_S", 0.1)


def truncate(path: Path, size: int) -> None:
    """Cut a cache of several pages down to a size."""
    fill(path, 200)
    os.truncate(path, size)


def text(path: Path, content: str) -> None:
    """Write a text where the cache is to be."""
    path.parent.mkdir(parents=True)
    path.write_text(content)


def foreign(path: Path) -> None:
    """Make a database of something else."""
    path.parent.mkdir(parents=True)
    run_sql(path, "CREATE TABLE bookmarks (url TEXT)", "INSERT INTO bookmarks VALUES ('x')")


def changed(path: Path, *statements: str) -> None:
    """Change a cache by SQL."""
    fill(path, 5)
    run_sql(path, *statements)


SPOILS: dict[str, Callable[[Path], None]] = {
    "truncated in its first page": lambda path: truncate(path, 1_000),
    "truncated to less than a header": lambda path: truncate(path, 10),
    "one byte": lambda path: text(path, "S"),
    "zeros": lambda path: text(path, "\0" * 8_192),
    "a JSON cache": lambda path: text(path, '{"src/a.py": "0a1b", "src/b.py": "2c3d"}'),
    "a large JSON cache": lambda path: text(path, '{"a": 1}' * 4_000),
    "another database": foreign,
    "without a table": lambda path: changed(path, "DROP TABLE facts"),
    "without a column": lambda path: changed(path, "ALTER TABLE results DROP COLUMN seal"),
    "an older cache": lambda path: changed(path, "PRAGMA user_version=0"),
}


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
def test_what_is_no_cache_is_set_aside(path: Path, spoil: Callable[[Path], None]) -> None:
    """It keeps its bytes under another name, a note says so, and the fresh cache works."""
    spoil(path)
    before = path.read_bytes()
    with closing(open_check_cache(path)) as cache:
        assert len(cache.notes) == 1
        assert "set aside as checks.db.set-aside-1" in cache.notes[0]
        cache.save(entries([1]))
        assert cache.lookup([key(1)]) == {key(1): value(1)}
    assert path.with_name("checks.db.set-aside-1").read_bytes() == before
    assert works(path)


def test_an_empty_file_becomes_a_cache(path: Path) -> None:
    """A file of no bytes holds nothing that could be lost, so there is no note."""
    text(path, "")
    assert works(path)
    assert sorted(p.name for p in path.parent.iterdir()) == ["checks.db", "checks.db.lock"]


def test_set_aside_files_do_not_replace_each_other(path: Path) -> None:
    """The second file that is set aside has the next number."""
    text(path, "first")
    open_check_cache(path).close()
    path.write_text("second")
    open_check_cache(path).close()
    kept = [path.with_name(f"checks.db.set-aside-{n}").read_text() for n in (1, 2)]
    assert kept == ["first", "second"]


def test_a_left_log_does_not_meet_a_fresh_file(path: Path) -> None:
    """The log of a spoiled file goes with it."""
    text(path, "no database at all")
    path.with_name("checks.db-wal").write_bytes(b"w" * 5_000)
    open_check_cache(path).close()
    assert path.with_name("checks.db.set-aside-1-wal").read_bytes() == b"w" * 5_000
    assert works(path)


# -- damage that shows later -------------------------------------------------------------------
def smash(path: Path, *, keep: int = 1) -> None:
    """Overwrite all pages but the first ones."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(keep * PAGE)
        file.write(b"\xa5" * (size - keep * PAGE))


DOINGS: dict[str, Callable[[CheckCache | NoCache], object]] = {
    "lookup": lambda cache: cache.lookup([key(1)]),
    "save": lambda cache: cache.save(entries(["x"])),
    "last_parts": lambda cache: cache.last_parts("lint", ["1.py"]),
    "remember": lambda cache: cache.remember({"a": "b"}),
}


@pytest.mark.parametrize("do", DOINGS.values(), ids=DOINGS)
def test_damage_found_at_work_starts_a_fresh_cache(
    path: Path, do: Callable[[CheckCache | NoCache], object]
) -> None:
    """A page that proves damaged ends the use of that file; the next call has a fresh one."""
    fill(path, 300)
    smash(path)
    with closing(open_check_cache(path)) as cache:
        assert list(cache.notes) == []
        do(cache)
        assert "damaged; it was set aside" in cache.notes[0]
        cache.save(entries([1]))
        assert cache.lookup([key(1)]) == {key(1): value(1)}
    assert works(path)


def test_a_truncated_tail_is_found_out(path: Path) -> None:
    """A cache that lost its last pages is set aside, when it is opened or when they are asked for."""
    keys = fill(path, 300)
    os.truncate(path, 3 * PAGE)
    with closing(open_check_cache(path)) as cache:
        found = cache.lookup(keys)
        assert all(value(n) == found[k] for n, k in enumerate(keys) if k in found)
        assert len(found) < 300
        assert cache.notes
    assert works(path)


def test_no_result_with_a_changed_bit_is_handed_out(path: Path) -> None:
    """A value that differs from what was saved is not found, is told, and is gone afterwards."""
    fill(path, 3)
    run_sql(path, "UPDATE results SET value = zeroblob(length(value)) WHERE path = '1.py'")
    with closing(open_check_cache(path)) as cache:
        assert set(cache.lookup([key(n) for n in range(3)])) == {key(0), key(2)}
        assert "left out" in cache.notes[0]
    assert run_sql(path, "SELECT count(*) FROM results") == [(2,)]


def test_a_result_moved_under_another_key_is_not_handed_out(path: Path) -> None:
    """The seal holds a value to its key."""
    fill(path, 2)
    run_sql(
        path,
        "UPDATE results SET (value, seal) = (SELECT value, seal FROM results WHERE path = '0.py')",
    )
    with closing(open_check_cache(path)) as cache:
        assert cache.lookup([key(0), key(1)]) == {key(0): value(0)}


@pytest.mark.usefixtures("impatient")
def test_two_that_find_the_same_damage_set_it_aside_once(path: Path) -> None:
    """A second user of a damaged file does without, and later finds the fresh one."""
    fill(path, 300)
    smash(path)
    with closing(open_check_cache(path)) as one, closing(open_check_cache(path)) as other:
        assert one.lookup([key(1)]) == {}
        assert "in use by another process" in one.notes[0]
        assert other.lookup([key(1)]) == {}
        assert "set aside" in other.notes[0]
    assert works(path)
    assert not path.with_name("checks.db.set-aside-2").exists()


# -- where there can be no cache ---------------------------------------------------------------
def newer(path: Path) -> None:
    """Make a cache of a later penstock."""
    changed(path, f"PRAGMA user_version={cachefile.VERSION + 1}")


def in_the_way(path: Path) -> None:
    """Put a file where the folder has to be."""
    path.parent.write_text("")


def fifo(path: Path) -> None:
    """Make a FIFO, which would let us wait for a writer."""
    path.parent.mkdir()
    os.mkfifo(path)


OBSTACLES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a newer cache": (newer, "newer penstock"),
    "a folder": (lambda path: path.mkdir(parents=True), "is a folder"),
    "a FIFO": (fifo, "not a regular file"),
    "a file as the folder": (in_the_way, "cannot be made"),
}


@pytest.mark.parametrize(("block", "says"), OBSTACLES.values(), ids=OBSTACLES)
def test_checks_go_on_without(path: Path, block: Callable[[Path], None], says: str) -> None:
    """Nothing is set aside or kept, nothing raises, and one note says why."""
    block(path)
    cache = open_check_cache(path)
    assert isinstance(cache, NoCache)
    assert len(cache.notes) == 1
    assert says in cache.notes[0]
    assert not path.with_name("checks.db.set-aside-1").exists()


def test_a_dangling_link_is_no_reason_to_fail(path: Path) -> None:
    """Where a link leads nowhere there is no cache, and a note."""
    path.parent.mkdir()
    path.symlink_to(path.parent / "nowhere" / "checks.db")
    assert "cannot be opened" in open_check_cache(path).notes[0]


def test_a_name_that_cannot_be_is_told(tmp_path: Path) -> None:
    """A path with a zero byte gives a note."""
    assert "checked without a cache" in open_check_cache(tmp_path / "a\0b" / "c.db").notes[0]


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Be nobody for a moment when we are root, who may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def passable() -> Iterator[Path]:
    """Where a cache is to be, in folders that everybody may pass, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name, "state", "checks.db")


@pytest.mark.parametrize("what", ["folder", "file"])
def test_without_the_right_to_write_checks_go_on(
    passable: Path, what: str, request: pytest.FixtureRequest
) -> None:
    """In a folder that may not be written, or with such a file, there is no cache, and a note."""
    fill(passable, 1)
    passable.with_name("checks.db.lock").chmod(0o666 if what == "file" else 0o444)
    passable.chmod(0o444)
    passable.parent.chmod(0o777 if what == "file" else 0o555)
    request.getfixturevalue("unprivileged")
    with closing(open_check_cache(passable)) as cache:
        cache.save(entries(["x"]))
        assert "checked without a cache" in cache.notes[0]


# -- a full disk -------------------------------------------------------------------------------
@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """Let no file grow beyond a size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_keeps_what_is_there(path: Path) -> None:
    """A save that finds no room is told once and keeps nothing; look-ups go on."""
    keys = fill(path, 50)
    with closing(open_check_cache(path)) as cache, no_file_beyond(20_000):
        cache.save(entries([f"new-{n}" for n in range(500)]))
        cache.save(entries([f"other-{n}" for n in range(500)]))
        assert len(cache.notes) == 1
        assert "results were not kept" in cache.notes[0]
        assert len(cache.lookup([*keys, key("new-0"), key("other-0")])) == 50
    assert run_sql(path, "PRAGMA integrity_check") == [("ok",)]
    assert works(path)


def test_a_cache_cannot_be_made_on_a_full_disk(path: Path) -> None:
    """Without room for the tables checks go on without; with room the next run has a cache."""
    path.parent.mkdir()
    with no_file_beyond(1):
        cache = open_check_cache(path)
    assert isinstance(cache, NoCache)
    assert works(path)


# -- other processes ---------------------------------------------------------------------------
@pytest.mark.usefixtures("impatient")
def test_results_are_not_kept_while_another_writes_for_ever(path: Path) -> None:
    """A save that waits in vain is told; look-ups do not wait at all."""
    fill(path, 3)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with closing(open_check_cache(path)) as cache:
            assert len(cache.lookup([key(n) for n in range(3)])) == 3
            cache.save(entries(["x"]))
            assert "locked by another process" in cache.notes[0]
    assert works(path)


@pytest.mark.usefixtures("impatient")
def test_a_file_locked_as_a_whole_is_done_without(path: Path) -> None:
    """When even reading is locked, checks go on without a cache."""
    fill(path, 3)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        cache = open_check_cache(path)
        assert "locked by another process" in cache.notes[0]
        assert cache.lookup([key(1)]) == {}
    assert works(path)


@pytest.mark.usefixtures("impatient")
def test_a_file_that_is_being_set_aside_is_done_without(path: Path) -> None:
    """While another process holds the file alone, and does not finish, there is no cache."""
    fill(path, 1)
    with path.with_name("checks.db.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "locked by another process" in open_check_cache(path).notes[0]
    assert works(path)


@pytest.mark.usefixtures("impatient")
def test_a_spoiled_file_in_use_is_left_where_it_is(path: Path) -> None:
    """What another process still has open is not moved away under it."""
    text(path, "no database")
    with path.with_name("checks.db.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        assert "in use by another process" in open_check_cache(path).notes[0]
    assert path.read_text() == "no database"


def test_a_spoiled_file_that_cannot_be_moved_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the folder lets nothing be renamed, checks go on without a cache."""
    text(path, "no database")

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")  # as in a sticky folder

    monkeypatch.setattr(Path, "replace", refuse)
    assert "cannot be set aside" in open_check_cache(path).notes[0]


def test_a_file_that_is_spoiled_time_and_again_is_given_up(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When each fresh file is spoiled at once there is no cache."""
    monkeypatch.setattr(cachefile, "_make", lambda _: None)  # so no file will do
    text(path, "no database")
    assert "each time anew" in open_check_cache(path).notes[0]


@pytest.mark.parametrize("lacking", ["the module", "the file system"])
def test_without_locks_there_is_a_cache_all_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    """Where there are no such locks (Windows, some network drives) SQLite's own must do."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    if lacking == "the module":
        monkeypatch.setitem(sys.modules, "fcntl", None)
    else:
        monkeypatch.setattr(fcntl, "flock", refuse)
    assert works(path)


def worker(*arguments: object) -> subprocess.Popen[bytes]:
    """Start a process that works on a cache."""
    command = [sys.executable, "-m", "tests.support.caches", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


def test_eight_processes_share_one_cache(path: Path) -> None:
    """All find what any has saved, nothing else, and nobody has to go without."""
    workers = [worker("share", path, number, 12) for number in range(8)]
    for each in workers:
        each.communicate(timeout=TIMEOUT_S)
    assert [each.returncode for each in workers] == [0] * 8
    assert run_sql(path, "PRAGMA integrity_check") == [("ok",)]
    assert [p.name for p in path.parent.iterdir() if "aside" in p.name] == []


def test_eight_processes_meet_a_spoiled_file(path: Path) -> None:
    """Of many that find a spoiled file one sets it aside, and all share the fresh one."""
    text(path, "not a database")
    workers = [worker("share", path, number, 3) for number in range(8)]
    for each in workers:
        each.communicate(timeout=TIMEOUT_S)
    assert [each.returncode for each in workers] == [0] * 8
    assert path.with_name("checks.db.set-aside-1").read_text() == "not a database"
    assert not path.with_name("checks.db.set-aside-2").exists()
    assert works(path)


def killed_saver(path: Path, number: int, dice: random.Random) -> int:
    """Let a process save batches, kill it at some moment, and return how many it had named."""
    with worker("save", path, number) as process:
        assert process.stdout is not None
        for _ in range(dice.randrange(1, 8)):
            process.stdout.readline()
        signal.sigtimedwait((), dice.random() * 0.01)
        process.kill()
        return process.stdout.read().count(b"\n")


def test_a_killed_saver_leaves_whole_batches(path: Path) -> None:
    """After kill -9 at random moments each batch is there as a whole or not at all."""
    dice = random.Random(SEED)
    for number in range(KILLS):
        killed_saver(path, number, dice)
        with closing(open_check_cache(path)) as cache:
            assert cache.notes == ()
    assert run_sql(path, "PRAGMA integrity_check") == [("ok",)]
    batches = run_sql(
        path, "SELECT count(*) FROM results GROUP BY substr(path, 1, instr(path, '-') + 4)"
    )
    assert sum(int(str(count)) for (count,) in batches) % BATCH == 0


def test_a_batch_that_was_named_is_there(path: Path) -> None:
    """What a killed process had been told to be kept is found by the next one."""
    dice = random.Random(SEED + 1)
    killed_saver(path, 0, dice)
    with closing(open_check_cache(path)) as cache:
        assert len(cache.lookup([key(f"0-0-{n}") for n in range(BATCH)])) == BATCH
