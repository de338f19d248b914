"""Interrupts, deaths and waits: the run goes on from its last recorded step."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.errors import ClaimError, Interrupted, UsageError
from penstock.model.events import EventType
from penstock.process.api import Stop
from tests.support.pipeline import Project, says
from tests.support.repos import git

DEADLINE_S = 60.0


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a linter and tests."""
    return Project(tmp_path / "project")


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.02)


@contextmanager
def running(project: Project, *args: str) -> Iterator[subprocess.Popen[bytes]]:
    """A `penstock run` in a process of its own; killed at the end if it still lives."""
    child = subprocess.Popen(
        [sys.executable, "-m", "penstock", "run", "--all", "--run-id", "run-1", *args],
        cwd=project.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()


def hanging(project: Project) -> Callable[[], bool]:
    """Tell whether the tool's first word has reached the log."""
    log = project.root / "logs/run-1/ws-a/edit_1.log"
    return lambda: log.exists() and b"thinking" in log.read_bytes()


def asked_when(condition: Callable[[], bool]) -> Stop:
    """A stop that another thread asks for as soon as something holds."""
    stop = Stop()

    def ask() -> None:
        wait_for(condition)
        stop.ask()

    threading.Thread(target=ask, daemon=True).start()
    return stop


HANG = {"edits": {"ws-a.txt": "half\n"}, "output": "thinking\n", "hang": True}


def test_an_interrupt_stops_the_tool_and_keeps_the_run(project: Project) -> None:
    """The turn is canceled, its diff kept, the run resumable."""
    project.bundle("ws-a", HANG)
    stop = asked_when(hanging(project))
    with pytest.raises(Interrupted):
        project.run(stop=stop)
    assert project.steps("ws-a") == [("edit", "canceled")]
    (event,) = project.events(EventType.RUN_INTERRUPTED)
    assert event.run_id == "run-1"
    assert "+half" in (project.root / project.attempts("ws-a")[0].result["patch"]).read_text()


def test_an_interrupted_turn_is_played_again(project: Project) -> None:
    """The same turn of the script comes again after a resume."""
    project.bundle("ws-a", HANG)
    stop = asked_when(hanging(project))
    with pytest.raises(Interrupted):
        project.run(stop=stop)
    project.configure(limits={"idle_s": 0.5})
    (found,) = project.resume().workstreams
    assert [s.status for s in found.steps] == ["canceled", "failed"]
    assert [a.result["turn"] for a in project.attempts("ws-a")] == [0, 0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_with_130(project: Project, number: signal.Signals) -> None:
    """Ctrl-C and TERM stop cleanly: exit 130, nothing left running."""
    project.bundle("ws-a", HANG)
    with running(project) as child:
        wait_for(hanging(project))
        child.send_signal(number)
        assert child.wait(DEADLINE_S) == 130
    assert project.steps("ws-a") == [("edit", "canceled")]
    assert marked_processes(project) == []


def marked_processes(project: Project) -> list[int]:
    """Processes that carry the marker of one of this project's attempts."""
    marks = [a.marker for a in project.attempts("ws-a") if a.marker]
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environ = (entry / "environ").read_bytes()
            except OSError:
                continue
            if any(mark.encode() in environ for mark in marks):
                found.append(int(entry.name))
    return found


def test_after_kill_9_the_run_goes_on_where_it_was(project: Project) -> None:
    """Finished steps are not repeated, the lost turn is, and nothing of it is left running."""
    project.bundle("ws-a", says("bad\n"), {**HANG, "output": "thinking\n"})
    log = project.root / "logs/run-1/ws-a/fix_1.log"
    with running(project) as child:
        wait_for(lambda: log.exists() and b"thinking" in log.read_bytes())
        child.kill()
        child.wait()
    project.configure(limits={"idle_s": 0.5})
    project.resume()
    steps = project.steps("ws-a")
    assert steps[:4] == [
        ("edit", "succeeded"), ("static", "failed"), ("fix", "unknown"), ("fix", "failed"),
    ]  # fmt: skip
    assert marked_processes(project) == []


def test_what_a_killed_turn_left_is_saved_as_a_patch(project: Project) -> None:
    """Work that nobody recorded is neither lost nor taken for good."""
    project.bundle("ws-a", HANG)
    with running(project) as child:
        wait_for(hanging(project))
        child.kill()
        child.wait()
    project.configure(limits={"idle_s": 0.5})
    project.resume()
    (event,) = project.events(EventType.WORK_SAVED)
    assert "+half" in (project.root / event.payload["patch"]).read_text()


def test_a_run_that_is_alive_cannot_be_resumed(project: Project) -> None:
    """Two at once: the second is told who has it, and changes nothing."""
    project.bundle("ws-a", HANG)
    with running(project) as child:
        wait_for(hanging(project))
        with pytest.raises(ClaimError, match="run-1"):
            project.resume()
        assert child.poll() is None
        child.terminate()  # it ends its hanging tool, which a kill would leave behind
        child.wait(DEADLINE_S)


def test_a_finished_run_cannot_be_resumed(project: Project) -> None:
    """It says that it has ended."""
    project.bundle("ws-a", says("fine\n"))
    project.run()
    with pytest.raises(UsageError, match="has ended"):
        project.resume()


def test_a_rate_limit_is_slept_through(project: Project) -> None:
    """A short reset time is waited for, and the turn is taken again."""
    project.bundle("ws-a", {"claim": "rate_limited", "reset_in_s": 0.3}, says("fine\n"))
    (found,) = project.run().workstreams
    assert [s.outcome for s in found.steps[:2]] == ["rate_limited", "edited"]
    (waited,) = project.events(EventType.WORKSTREAM_WAITING)
    assert waited.payload["reason"] == "rate_limit"
    assert found.reason is None


def test_a_long_rate_limit_leaves_the_run_waiting(project: Project) -> None:
    """Beyond wait_s the process ends, the run is still running and says until when."""
    project.configure(limits={"wait_s": 0})
    project.bundle("ws-a", {"claim": "rate_limited", "reset_in_s": 3600}, says("fine\n"))
    assert project.run().status == "running"
    row = project.row("ws-a")
    assert (row.status.value, row.reason) == ("editing", "rate_limit")
    assert row.reason_until is not None


def test_an_overload_is_given_up_after_three_tries(project: Project) -> None:
    """Backing off has an end."""
    project.bundle("ws-a", {"claim": "overloaded"})
    (found,) = project.run().workstreams
    assert (found.final_status, len(found.steps)) == ("failed", 3)


def test_a_used_up_budget_of_the_run_waits_for_a_human(project: Project) -> None:
    """limits.max_cost_usd ends the process, not the run; raising it lets it go on."""
    usage = {"input_tokens": 1, "output_tokens": 1, "cost_usd": 1.0}
    project.configure(limits={"max_cost_usd": 0.5})
    project.bundle("ws-a", says("bad\n", usage=usage), says("good\n", usage=usage))
    assert project.run().status == "running"
    assert project.row("ws-a").reason == "budget"
    project.configure(limits={"max_cost_usd": 50})
    assert project.resume().status == "succeeded"


def test_a_worktree_removed_by_hand_is_laid_again(project: Project) -> None:
    """What was committed is on the branch, so the run goes on from there."""
    project.configure(limits={"wait_s": 0})
    project.bundle(
        "ws-a", says("bad\n"), {"claim": "rate_limited", "reset_in_s": 0.2}, says("good\n")
    )
    project.run()
    git(project.root, "worktree", "remove", "--force", "--force", ".worktrees/ws-a")
    project.configure()
    assert project.resume().status == "succeeded"
    assert project.integrated("ws-a.txt") == "good"
