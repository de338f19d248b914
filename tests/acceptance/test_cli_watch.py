"""`penstock status --watch` beside a run of another process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.cli import (
    PENSTOCK,
    bundle,
    child,
    make_repository,
    plain_environment,
    write_bundles,
)
from tests.support.terminal import on_terminal, shown

DEADLINE_S = 60.0


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds, for a bounded time."""
    end = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.02)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with two bundles, of which the second waits for the first."""
    folder = make_repository(tmp_path / "project")
    slow = [{"edits": {"ws-one.txt": "x\n"}, "output": "at it", "delay_s": 3}]
    write_bundles(
        folder,
        bundle("ws-one", metadata={"scripted": slow}),
        bundle("ws-two", depends_on=["ws-one"]),
    )
    return folder


@contextmanager
def started(repo: Path, *args: str, out: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command as a process group of its own; it is gone afterwards."""
    with (out or repo / "out.txt").open("wb") as stream:
        process = subprocess.Popen(
            [*PENSTOCK, *args],
            cwd=repo,
            env=plain_environment(),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def running(repo: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Give a run that has begun its first step."""
    with started(repo, "run", "--all", "--run-id", "run-live", out=repo.parent / "run.txt") as run:
        begun = repo.parent / "run.txt"
        until(lambda: "edit 1 started" in begun.read_text(), "the run does not begin")
        yield run


def test_lines_until_the_end(repo: Path) -> None:
    """Beside the run of another process each change is a line; in the end stands what came of it."""
    with running(repo) as run:
        said = child("status", "--watch", cwd=repo)
        assert run.wait(timeout=DEADLINE_S) == 0
    lines = said.out.splitlines()
    assert said.code == 0
    assert lines[0].split("] ")[1].startswith("0 of 2 done, 1 at work, 1 waiting")
    assert any("[run-live ws-two] merged into integration/run-live" in line for line in lines)
    assert "run-live: succeeded, 2 of 2 done" in lines


def test_a_screen_until_the_end(repo: Path) -> None:
    """On a terminal the table is redrawn, and no line is wider than it."""
    with running(repo):
        code, text = on_terminal("status", "--watch", "run-live", cwd=repo)
    lines = shown(text)
    assert code == 0
    assert max(map(len, lines)) <= 80
    assert any(line.split()[:4] == ["ws-one", "editing", "edit", "1"] for line in lines)
    assert any("waits for ws-one" in line for line in lines)
    assert "run-live: succeeded, 2 of 2 done" in lines


def test_ctrl_c_ends_the_watching_only(repo: Path) -> None:
    """The watcher exits 0, the run goes on to its end."""
    seen = repo.parent / "watch.txt"
    with running(repo) as run, started(repo, "status", "--watch", out=seen) as watcher:
        until(lambda: "of 2 done" in seen.read_text(), "nothing is shown")
        watcher.send_signal(signal.SIGINT)
        assert watcher.wait(timeout=DEADLINE_S) == 0
        assert run.wait(timeout=DEADLINE_S) == 0


def test_a_killed_run_is_told(repo: Path) -> None:
    """When its process dies the watcher says so and how to go on, and stays for the resumption."""
    seen = repo.parent / "watch.txt"
    with running(repo) as run, started(repo, "status", "--watch", out=seen) as watcher:
        until(lambda: "of 2 done" in seen.read_text(), "nothing is shown")
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        until(lambda: "go on with: penstock resume run-live" in seen.read_text(), "it is not told")
        assert child("resume", "run-live", cwd=repo).code == 0
        assert watcher.wait(timeout=DEADLINE_S) == 0
    assert "run-live: succeeded, 2 of 2 done" in seen.read_text()


def test_nothing_is_written_by_watching(repo: Path) -> None:
    """A run that is over is shown once, and the journal stays as it is."""
    child("run", "ws-one", cwd=repo)
    before = (repo / "state" / "pipeline.db").read_bytes()
    said = child("status", "--watch", "latest", cwd=repo)
    assert (said.code, "1 of 1 done" in said.out) == (0, True)
    assert (repo / "state" / "pipeline.db").read_bytes() == before


def test_without_a_journal_there_is_nothing_to_watch(repo: Path) -> None:
    """It says where it looked and how to begin, and makes no database."""
    said = child("status", "--watch", cwd=repo)
    assert said.code == 2
    assert "there is no journal yet at" in said.err
    assert "penstock run" in said.err
    assert not (repo / "state").exists()


def test_without_a_run_there_is_nothing_to_watch(repo: Path) -> None:
    """A journal without a run is as little to watch."""
    child("db", "init", cwd=repo)
    said = child("status", "--watch", cwd=repo)
    assert (said.code, "there are no runs yet" in said.err) == (2, True)


@pytest.mark.parametrize("other", ["--json", "--repo"])
def test_watching_is_for_people(repo: Path, other: str) -> None:
    """What does not fit it is a mistake of usage."""
    said = child("status", "--watch", other, cwd=repo)
    assert (said.code, "--watch is for people" in said.err) == (2, True)


def test_progress_for_programs(repo: Path) -> None:
    """`status RUN --json` has the snapshot and the metrics, `status RUN` how long it still takes."""
    child("run", "--all", "--run-id", "run-done", cwd=repo)
    document = child("status", "run-done", "--json", cwd=repo).json
    assert document["progress"]["completion_percent"] == 100.0
    assert document["progress"]["estimated_remaining_seconds"] == 0.0
    assert document["metrics"]["completed_steps"] == document["metrics"]["total_steps"]
    with started(repo, "run", "--all", "--run-id", "run-live", out=repo.parent / "run.txt"):
        begun = repo.parent / "run.txt"
        until(lambda: "edit 1 started" in begun.read_text(), "the run does not begin")
        said = child("status", "run-live", cwd=repo)
    assert re.search(r"^run-live: running, 0 of 2 done, about \d+ s left$", said.out, re.MULTILINE)
