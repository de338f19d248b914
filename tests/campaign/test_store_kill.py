"""The journal under fire: killed writers, rival claims, writers in crowds, a full disk."""

from __future__ import annotations

import itertools
import json
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import JournalError
from penstock.model.records import Attempt, Event, NewAttempt
from penstock.model.states import AttemptState
from penstock.store.sqlite import SqliteJournal, open_journal
from tests.support.journals import intact, one_step, seed

ROOT = Path(__file__).parents[2]
SEED = 20260131
KILLS = 30
RUN = "run-1"


def worker(*arguments: str | Path) -> subprocess.Popen[bytes]:
    """Start a process that works on a journal."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.journal_worker", *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def told(process: subprocess.Popen[bytes], lines: int) -> list[dict[str, Any]]:
    """Read so many lines of a worker."""
    assert process.stdout is not None
    return [json.loads(process.stdout.readline()) for _ in range(lines)]


def rest(process: subprocess.Popen[bytes]) -> list[dict[str, Any]]:
    """Read all that a worker still says until its end, a torn last line left out."""
    output, _ = process.communicate(timeout=60)
    return [json.loads(line) for line in output.splitlines(keepends=True) if line.endswith(b"\n")]


def killed_writer(path: Path, durability: str, dice: random.Random) -> list[dict[str, Any]]:
    """Run a writer, kill it at a random moment of its work, and return what it had told."""
    with worker("write", path, durability, "ws-a") as process:
        heard = told(process, dice.randrange(1, 60))
        stop_soon(process, dice)
        heard += rest(process)
    return heard


def stop_soon(process: subprocess.Popen[bytes], dice: random.Random) -> None:
    """Kill a worker within the next ten milliseconds, in whatever it is doing then."""
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=dice.random() * 0.01)
    process.send_signal(signal.SIGKILL)


def assert_nothing_lost(journal: SqliteJournal, heard: Sequence[dict[str, Any]]) -> None:
    """Each row that was told of is there, in the state that was told."""
    rows = {a.id: a for a in journal.list_attempts(RUN, "ws-a")}
    for fact in heard:
        if "finished" in fact:
            assert rows[fact["finished"]].status is AttemptState.SUCCEEDED
        else:
            assert fact["begun"] in rows


def assert_whole(journal: SqliteJournal) -> None:
    """No transaction is half there: rows, their events and the head commit agree."""
    rows = journal.list_attempts(RUN, "ws-a")
    assert [a.sequence for a in rows] == list(range(1, len(rows) + 1))
    events = journal.list_events(run_id=RUN, limit=-1)
    for begun, ended in (
        (("step_start", "step_started"), False),
        (("step_end", "step_completed"), True),
    ):
        of = [a for a in rows if not ended or a.status is AttemptState.SUCCEEDED]
        for kind in begun:
            assert count(events, kind) == len(of)
    assert journal.get_workstream(RUN, "ws-a").head_commit == last_head(rows)


def count(events: Sequence[Event], kind: str) -> int:
    """The number of events of a type."""
    return sum(event.event_type == kind for event in events)


def last_head(rows: Sequence[Attempt]) -> str | None:
    """The head commit that the last finished attempt brought."""
    done = [a.attempt for a in rows if a.status is AttemptState.SUCCEEDED]
    return f"c{done[-1]}" if done else None


@pytest.mark.slow
@pytest.mark.parametrize("durability", ["full", "normal"])
def test_a_killed_writer_loses_nothing_it_told(tmp_path: Path, durability: str) -> None:
    """After each of many kills the file is sound, no committed row is lost and none is torn."""
    path, dice = tmp_path / "p.db", random.Random(f"{SEED}-{durability}")
    with open_journal(path) as journal:
        seed(journal)
    heard: list[dict[str, Any]] = []
    for _ in range(KILLS):
        heard += killed_writer(path, durability, dice)
        with open_journal(path) as journal:
            assert_nothing_lost(journal, heard)
            assert_whole(journal)
        assert intact(path)
    assert len(heard) > KILLS


@pytest.mark.parametrize("turn", range(8))
def test_a_killed_maker_leaves_what_can_be_opened(tmp_path: Path, turn: int) -> None:
    """However far the making of a journal had come, the next opener has a whole one."""
    dice = random.Random(f"{SEED}-{turn}")
    with worker("make", tmp_path) as process:
        heard = told(process, dice.randrange(1, 8))
        stop_soon(process, dice)
        heard += rest(process)
    path = tmp_path / f"{heard[-1]['making']}.db"
    with open_journal(path) as journal:
        seed(journal)
    assert intact(path)


def test_of_two_processes_one_gets_the_run(tmp_path: Path) -> None:
    """Two that see a free run and claim it at the same moment: each time exactly one has it."""
    path, runs = tmp_path / "p.db", 40
    with open_journal(path) as journal:
        for number in range(runs):
            journal.create_run(f"run-{number}")
    pair = [worker("claim", path, str(runs)) for _ in range(2)]
    for process in pair:
        assert told(process, 1) == [{"ready": True}]
    for number in range(runs):
        tokens = [answer["token"] for answer in race(pair)]
        assert sorted(tokens) == [0, 1], number
    assert [process.wait(timeout=30) for process in pair] == [0, 0]
    for process in pair:
        rest(process)


def race(pair: Sequence[subprocess.Popen[bytes]]) -> list[dict[str, Any]]:
    """Give both the start, then hear both."""
    for process in pair:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    return [told(process, 1)[0] for process in pair]


def test_processes_share_a_journal(tmp_path: Path) -> None:
    """Three writers at once, each with its workstream: nobody is turned away, nothing is lost."""
    path, names, steps = tmp_path / "p.db", ["ws-x", "ws-y", "ws-z"], 60
    with open_journal(path) as journal:
        journal.create_run(RUN)
    crowd = [worker("share", path, name, str(steps)) for name in names]
    for process in crowd:
        assert len(rest(process)) == 2 * steps
        assert process.returncode == 0
    with open_journal(path) as journal:
        for name in names:
            listed = [a.sequence for a in journal.list_attempts(RUN, name)]
            assert listed == list(range(1, steps + 1))
    assert intact(path)


@pytest.mark.parametrize("turn", range(3))
def test_processes_never_pass_a_cap_together(tmp_path: Path, turn: int) -> None:
    """Two that reserve and settle at the same time use the budget up to its last cent, and no more."""
    path = tmp_path / "p.db"
    with open_journal(path) as journal:
        journal.create_run(RUN)
    pair = [worker("spend", path, name, "1.0", "0.01") for name in ("ws-x", "ws-y")]
    for process in pair:
        assert told(process, 1) == [{"ready": True}]
    ends = race(pair)
    assert [process.wait(timeout=30) for process in pair] == [0, 0]
    assert sum(end["turns"] for end in ends) == 100, turn
    with open_journal(path) as journal:
        spent = journal.spent(run_id=RUN)
    assert spent.cost_usd + spent.reserved_cost_usd == pytest.approx(1.0, abs=1e-9)
    for process in pair:
        rest(process)


def test_a_full_disk_loses_nothing_that_was_told(tmp_path: Path) -> None:
    """When the file may not grow, the write fails with a hint; with room the same object goes on."""
    path = tmp_path / "p.db"
    with open_journal(path) as journal:
        journal.create_run(RUN)
    with worker("fill", path, "400000") as process:
        heard = rest(process)
    assert process.returncode == 0
    (complaint,) = [fact for fact in heard if "error" in fact]
    assert "cannot" in complaint["error"]
    assert complaint["hint"]
    with open_journal(path) as journal:
        assert_nothing_lost(journal, heard[: heard.index(complaint)])
        assert len(journal.list_attempts(RUN, "ws-b")) == 1
    assert intact(path)


def test_threads_that_share_a_commit_are_told_the_truth_of_a_full_disk(tmp_path: Path) -> None:
    """What a thread was told is written is there, and nothing else; then the object goes on."""
    path = tmp_path / "p.db"
    with open_journal(path) as journal:
        journal.create_run(RUN)
    with worker("crowd", path, "250000") as process:
        heard = rest(process)
    added = {fact["added"] for fact in heard if "added" in fact}
    assert process.returncode == 0
    assert any("error" in fact for fact in heard)
    with open_journal(path) as journal:
        assert {row.ws_id for row in journal.list_workstreams(RUN)} == added >= {"ws-last"}
    assert intact(path)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 600 kB; skipped where one may not be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a small file system needs rights that are missing here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def fill(journal: SqliteJournal, first: int) -> None:
    """Record large steps until one fails."""
    for number in itertools.count(first):
        journal.record_attempt(
            NewAttempt(run_id=RUN, ws_id="ws-a", step_name="edit", attempt=number,
                       result={"x": "y" * 5000}),
            AttemptState.SUCCEEDED,
        )  # fmt: skip


def test_a_disk_that_is_really_full_stops_and_mends(tiny_disk: Path) -> None:
    """ENOSPC is named with a hint, what was committed stays, and with room the journal goes on."""
    ballast, path = tiny_disk / "ballast", tiny_disk / "p.db"
    ballast.write_bytes(b"x" * 200_000)
    with open_journal(path) as journal:
        seed(journal)
        with pytest.raises(JournalError, match="disk is full") as caught:
            fill(journal, 1)
        before = len(journal.list_attempts(RUN))
        ballast.unlink()
        assert one_step(journal, before + 1).sequence == before + 1
    assert "penstock resume" in (caught.value.hint or "")
    assert before >= 3
    assert intact(path)
