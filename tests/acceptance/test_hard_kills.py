"""Tools that are stopped, orchestrators that die or are thought dead, and what becomes of both."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from penstock.errors import ClaimError, PenstockError
from penstock.model.records import Attempt
from penstock.model.states import AttemptState
from penstock.process import proc
from penstock.process.api import MARKER_VARIABLE
from tests.support.children import eventually, is_running
from tests.support.merging import Merging
from tests.support.pipeline import Project, says
from tests.support.repos import git

DEADLINE_S = 60.0
HANG = "import time; time.sleep(3600)"
STOP = "import signal; os.kill(os.getpid(), signal.SIGSTOP)"
# A tool that says who it is, then does something, the first times; as often as the file has bytes.
AGENT = """\
import os, pathlib, sys
left = pathlib.Path({left!r})
more = left.read_text()
if more:
    left.write_text(more[1:])
    (left.parent / "pid.new").write_text(str(os.getpid()))
    (left.parent / "pid.new").rename(left.parent / "pid")
    {act}
pathlib.Path("ws-a.txt").write_text("fine\\n")
"""


@pytest.fixture
def project(tmp_path: Path) -> Merging:
    """A project with a linter and tests."""
    return Merging(tmp_path / "project")


def odd(project: Project, act: str, times: int = 1) -> None:
    """A workstream ws-a whose tool is odd at first, and ws-b beside it."""
    left = project.root.parent / "left"
    left.write_text("." * times)
    project.agent(AGENT.format(left=str(left), act=act))
    project.bundle("ws-a", tool="agent")
    project.bundle("ws-b", says("fine\n", "ws-b.txt"))


@contextmanager
def orchestrator(project: Project, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A penstock in a process group of its own; killed at the end if it still lives."""
    child = subprocess.Popen(
        [sys.executable, "-m", "penstock", *(words or ("run", "--all", "--run-id", "run-1"))],
        cwd=project.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def tool_of(project: Project) -> int:
    """Wait for the tool of ws-a and return its process."""
    place = project.root.parent / "pid"
    assert eventually(lambda: place.exists() and state(project) == "succeeded", DEADLINE_S)
    return int(place.read_text())


def state(project: Project) -> str:
    """Return what became of the first edit of ws-b."""
    return next((a.status.value for a in project.attempts("ws-b")), "")


def killed_at_work(project: Project) -> int:
    """Kill a penstock whose tool works on ws-a; return the process of the tool."""
    with orchestrator(project) as child:
        tool = tool_of(project)
        assert is_running(child.pid)
        child.kill()
        child.wait()
    assert is_running(tool)
    return tool


def first(project: Project) -> Attempt:
    """Return the first attempt of ws-a."""
    return project.attempts("ws-a")[0]


# -- stopped tools -------------------------------------------------------------------------
def test_a_stopped_tool_is_ended(project: Merging) -> None:
    """It says nothing, so the idle limit ends it; the others go on."""
    project.configure(limits={"idle_s": 0.5})
    odd(project, STOP)
    assert project.run().status == "failed"
    assert first(project).result["outcome"] == "idle"
    assert not is_running(int((project.root.parent / "pid").read_text()))
    assert project.integrations()["ws-b"] == "merged"


def test_a_stopped_tool_whose_orchestrator_died_is_ended(project: Merging) -> None:
    """The next resume finds it alive, ends it, and has the turn taken again."""
    odd(project, STOP)
    tool = killed_at_work(project)
    assert project.resume().status == "succeeded"
    assert not is_running(tool)
    assert (first(project).status.value, first(project).result["process"]) == ("unknown", "alive")


# -- recovery, attempt by attempt ----------------------------------------------------------
def test_a_tool_that_died_with_its_orchestrator_is_gone(project: Merging) -> None:
    """The attempt says so, and is made again, charged to nobody."""
    odd(project, HANG)
    os.kill(killed_at_work(project), signal.SIGKILL)
    assert project.resume().status == "succeeded"
    assert first(project).result["process"] == "gone"
    assert project.steps("ws-a")[:2] == [("edit", "unknown"), ("edit", "succeeded")]


def set_process(project: Project, attempt: Attempt, pid: int, start: int) -> None:
    """Record another process for an attempt."""
    with closing(sqlite3.connect(project.root / "state/pipeline.db")) as connection, connection:
        change = "UPDATE step_attempts SET pid = ?, pid_start = ? WHERE id = ?"
        connection.execute(change, (pid, start, attempt.id))


def test_another_process_of_that_number_is_not_the_tool(project: Merging) -> None:
    """With another start it is another process: the attempt's own is gone, or not known."""
    odd(project, HANG)
    tool = killed_at_work(project)
    attempt = first(project)
    set_process(project, attempt, tool, int(attempt.pid_start or 0) + 1)
    assert project.resume().status == "succeeded"
    assert first(project).result["process"] == "gone"
    assert not is_running(tool)  # its marker has given it away


def start_of(pid: int) -> int:
    """Return when a process began, in ticks since the boot."""
    entry = proc.entry(pid)
    assert entry is not None
    return entry.start


def test_a_process_without_the_marker_is_spared(project: Merging) -> None:
    """Number and start alone end nobody: they may have been handed on, or made up."""
    odd(project, HANG)
    tool = killed_at_work(project)
    with subprocess.Popen(["sleep", "60"]) as bystander:
        set_process(project, first(project), bystander.pid, start_of(bystander.pid))
        assert project.resume().status == "succeeded"
        assert bystander.poll() is None
        bystander.kill()
    assert first(project).result["process"] == "gone"
    assert not is_running(tool)


# -- two of them ---------------------------------------------------------------------------
def test_the_second_is_refused(project: Merging) -> None:
    """Who works on a run keeps it, and the second changes nothing."""
    odd(project, HANG)
    with orchestrator(project) as child:
        tool = tool_of(project)
        before = len(project.attempts("ws-a"))
        with pytest.raises(ClaimError, match="another process is working on run run-1"):
            project.resume()
        assert is_running(tool)
        assert child.poll() is None
        assert len(project.attempts("ws-a")) == before
        os.kill(tool, signal.SIGKILL)
        child.wait(DEADLINE_S)


def test_who_was_thought_dead_writes_nothing_more(project: Merging) -> None:
    """With its lock taken away, another takes the run over; the first ends at its next write."""
    odd(project, HANG)
    with orchestrator(project) as child:
        tool = tool_of(project)
        (project.root / "state/locks/run-1.lock").unlink()
        assert project.resume().status == "succeeded"
        assert child.wait(DEADLINE_S) == 2
        assert child.stderr is not None
        assert "is being worked on by" in child.stderr.read()
    assert not is_running(tool)
    assert project.steps("ws-a")[:2] == [("edit", "unknown"), ("edit", "succeeded")]
    assert sorted(project.history()) == ["Merge ws-a (run-1)", "Merge ws-b (run-1)"]


# -- all at once ---------------------------------------------------------------------------
def test_the_whole_group_is_killed_again_and_again(project: Merging) -> None:
    """Under load, at several moments: each workstream lands once, with nothing left running."""
    names = [f"ws-{letter}" for letter in "abcdef"]
    for name in names:
        project.bundle(
            name, says("bad\n", f"{name}.txt"), says("fine\n", f"{name}.txt", delay_s=0.2)
        )
    kill_group(project, names, 3)
    kill_group(project, names, 12, "resume", "run-1")
    kill_group(project, names, 24, "resume", "run-1")
    assert project.resume().status == "succeeded"
    assert sorted(project.history()) == [f"Merge {name} (run-1)" for name in names]
    subjects = git(project.root, "log", "--format=%s", "--no-merges", "main..integration/run-1")
    assert len(set(subjects.splitlines())) == len(subjects.splitlines()) == 2 * len(names)
    assert project.leftovers() == []
    assert marked(project, names) == []


def kill_group(project: Project, names: list[str], goal: int, *words: str) -> None:
    """Kill a penstock with its group as soon as so many attempts have succeeded."""
    with orchestrator(project, *words) as child:
        assert eventually(lambda: ended(project, names) >= goal, DEADLINE_S)
        assert child.poll() is None
        os.killpg(child.pid, signal.SIGKILL)


def ended(project: Project, names: list[str]) -> int:
    """Return how many attempts have succeeded, none before there is a run."""
    try:
        found = [attempt for name in names for attempt in project.attempts(name)]
    except PenstockError:  # the journal is being made
        return 0
    return sum(attempt.status is AttemptState.SUCCEEDED for attempt in found)


def marked(project: Project, names: list[str]) -> list[int]:
    """Return the processes that carry the marker of an attempt."""
    marks = {str(a.marker).encode() for name in names for a in project.attempts(name)}
    return [
        entry.pid
        for entry in proc.entries()
        if marks & set(proc.environ_values(entry.pid, MARKER_VARIABLE.encode()))
    ]
