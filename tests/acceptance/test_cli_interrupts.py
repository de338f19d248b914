"""Stopping and going on: Ctrl-C, a second one, kill -9, two processes at once."""

from __future__ import annotations

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
    git,
    make_repository,
    plain_environment,
    write_bundles,
)

DEADLINE_S = 30.0


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with a workstream whose tool takes a while, and one that follows it."""
    folder = make_repository(tmp_path / "project")
    slow = [{"edits": {"ws-slow.txt": "done\n"}, "output": "thinking", "delay_s": 4}]
    write_bundles(
        folder,
        bundle("ws-slow", metadata={"scripted": slow}),
        bundle("ws-then", depends_on=["ws-slow"]),
    )
    return folder


@contextmanager
def running(repo: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a run and wait until its tool is at work."""
    process = subprocess.Popen(
        [*PENSTOCK, "run", "--all", "--run-id", "run-one", "-v"],
        cwd=repo,
        env=plain_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(lambda: "edit 1 started" in child("events", "latest", cwd=repo).out)
        yield process
    finally:
        process.kill()
        process.communicate()


def until(true: Callable[[], bool]) -> None:
    """Wait for a condition. Fails after a deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.1)


def state(repo: Path) -> tuple[str, bool]:
    """Return the state of the run and whether somebody works on it."""
    run = child("status", "--json", cwd=repo).json["runs"][0]
    return run["status"], run["active"]


def ends(repo: Path) -> dict[str, str]:
    """Return how each workstream ended, after resuming the run."""
    said = child("resume", "run-one", "--json", cwd=repo)
    assert said.code == 0, said.err
    return {w["ws_id"]: w["final_status"] for w in said.json["workstreams"]}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_resumed(repo: Path, number: signal.Signals) -> None:
    """Ctrl-C ends the tool and the run with 130 and the way to go on, and resume completes it."""
    with running(repo) as process:
        process.send_signal(number)
        _, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130
    assert "Stopping: the running tool is being ended" in err
    assert "Hint: penstock resume run-one" in err
    assert "Traceback" not in err
    assert state(repo) == ("running", False)
    assert "Go on with: penstock resume run-one" in child("status", cwd=repo).out
    assert ends(repo) == {"ws-slow": "done", "ws-then": "done"}


def test_a_second_ctrl_c_ends_at_once(repo: Path) -> None:
    """Insisting needs no patience, and loses nothing either."""
    with running(repo) as process:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130
    assert time.monotonic() - start < 4
    assert ends(repo)["ws-slow"] == "done"


def test_a_killed_run_is_resumed_without_repeating(repo: Path) -> None:
    """After kill -9 the lost attempt is settled as unknown and its turn is run again."""
    with running(repo) as process:
        assert state(repo) == ("running", True)
        process.kill()
        process.communicate()
    assert "interrupted" in child("status", cwd=repo).out
    assert ends(repo) == {"ws-slow": "done", "ws-then": "done"}
    steps = child("report", "latest", "--json", cwd=repo).json["workstreams"][0]["steps"]
    edits = [(s["status"], s["attempt"]) for s in steps if s["step_name"] == "edit"]
    assert edits == [("unknown", 1), ("succeeded", 2)]
    assert git(repo, "status", "--porcelain", "--untracked-files=no") == ""


def test_run_without_arguments_goes_on(repo: Path) -> None:
    """The one unfinished run is what `penstock run` means."""
    with running(repo) as process:
        process.kill()
        process.communicate()
    said = child("run", "--json", cwd=repo)
    assert said.code == 0, said.err
    assert "Resuming run-one" in said.err
    assert said.json["status"] == "succeeded"


def test_two_processes_cannot_work_on_one_run(repo: Path) -> None:
    """A run that a living process works on is refused, without harm to either."""
    with running(repo) as process:
        said = child("resume", "run-one", "--json", cwd=repo)
        out, _ = process.communicate(timeout=DEADLINE_S)
    assert said.code == 2
    assert "another process" in said.json["error"]["message"].lower()
    assert process.returncode == 0
    assert "2 of 2 done" in out


def test_what_is_printed_can_be_followed(repo: Path) -> None:
    """`logs --follow` and `events --follow` show a running run and end with it."""
    with running(repo) as process:
        lines = child("logs", "latest", "ws-slow", "--follow", cwd=repo).out
        events = child("events", "latest", "--follow", cwd=repo).out
        process.communicate(timeout=DEADLINE_S)
    assert "thinking" in lines
    assert events.splitlines()[-1].endswith("run succeeded")


def test_with_verbose_the_tools_lines_are_shown(repo: Path) -> None:
    """-v prints what the tools print, with run and workstream."""
    with running(repo) as process:
        _, err = process.communicate(timeout=DEADLINE_S)
    assert "[run-one ws-slow] edit| thinking" in err
