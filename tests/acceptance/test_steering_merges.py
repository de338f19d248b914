"""Telling a run what to do while it merges, and while gates and limits hold it back."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import penstock
from tests.support.cli import Cli
from tests.support.pipeline import Project, says
from tests.support.repos import git, write
from tests.support.steering import hold, left_running, live, run_of, statuses
from tests.support.steering import let_go as release

# Takes its time where merges are checked, until somebody says `go`, and says when it has begun.
SLOW_MERGE = """\
import pathlib, sys, time
mark = pathlib.Path(sys.argv[1])
if pathlib.Path.cwd().name.startswith("integration"):
    mark.with_suffix(".merging").touch()
    deadline = time.monotonic() + 60
    while not mark.with_suffix(".go").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project of two workstreams, whose merges are checked for as long as the test likes."""
    project = Project(tmp_path / "project")
    write(project.root, {"tools/tests.py": SLOW_MERGE})
    git(project.root, "commit", "-qam", "slow merges")
    for ws_id in ("ws-a", "ws-b"):
        project.bundle(ws_id, says("fine\n", f"{ws_id}.txt"))
    monkeypatch.chdir(project.root)
    return project


@pytest.fixture
def cli(project: Project, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line in the project."""
    return Cli(project.root, capsys)


def merging(project: Project) -> bool:
    """Tell whether a merge is being checked."""
    return project.mark.with_suffix(".merging").exists()


def let_go(project: Project) -> None:
    """Let the checks of merges come to their end."""
    project.mark.with_suffix(".go").touch()


def integrations(project: Project) -> list[str]:
    """How each workstream stands with its merge."""
    return sorted(project.row(ws_id).integration.value for ws_id in ("ws-a", "ws-b"))


def test_a_cancelation_stops_the_merge_under_way(project: Project, cli: Cli) -> None:
    """Nothing of it lands, and no branch, worktree or process of the merging is left."""
    with live(project) as run:
        run.when(lambda: merging(project))
        assert cli("cancel", "run-1").code == 0
        assert run.end().status == "canceled"
    assert "queued" in integrations(project)
    assert left_running(project) == []
    assert "candidate" not in git(project.root, "branch", "--all")
    trees = git(project.root, "worktree", "list")
    assert "integration" not in trees


def test_a_pause_lets_the_merge_under_way_land(project: Project, cli: Cli) -> None:
    """It is a step like any other; then the process ends, and a resume goes on."""
    with live(project) as run:
        run.when(lambda: merging(project))
        assert cli("pause", "run-1").code == 0
        let_go(project)
        assert run.end().status == "running"
    assert run_of(project).reason == "paused: the user's wish"
    assert "merged" in integrations(project)
    assert cli("resume", "run-1").code == 0
    assert integrations(project) == ["merged", "merged"]


def test_nothing_is_set_apart_under_the_hands_of_its_merge(project: Project, cli: Cli) -> None:
    """The wish waits for the merge, which went well; so there is nothing to be set apart."""
    with live(project) as run:
        run.when(lambda: merging(project))
        (ws_id, *_) = [w for w in ("ws-a", "ws-b") if project.row(w).integration == "queued"]
        asked = ask_quarantine(project, ws_id)
        run.when(lambda: bool(opened(project)))
        let_go(project)
        assert run.end().status == "succeeded"
        assert asked.wait() == f"{ws_id} is done, its integration merged"
    assert integrations(project) == ["merged", "merged"]
    assert opened(project) == []


def opened(project: Project) -> list[str]:
    """What is asked and not heeded yet."""
    with project.workspace() as workspace:
        return [request.kind.value for request in workspace.reader.open_requests("run-1")]


class Asked:
    """A quarantine that is asked for in a thread."""

    def __init__(self, project: Project, ws_id: str) -> None:
        self._project, self._ws_id, self._said = project, ws_id, ""
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def _ask(self) -> None:
        with self._project.workspace() as workspace:
            workspace.quarantine("run-1", self._ws_id, reason="odd")
            row = workspace.reader.get_workstream("run-1", self._ws_id)
            self._said = f"{row.ws_id} is {row.status}, its integration {row.integration}"

    def wait(self) -> str:
        """Return how the workstream stands once it was heeded."""
        self._thread.join(30)
        return self._said


def ask_quarantine(project: Project, ws_id: str) -> Asked:
    """Ask for a quarantine, and go on meanwhile."""
    return Asked(project, ws_id)


# -- gates -----------------------------------------------------------------------------------------
def test_an_approval_lets_a_run_at_work_go_on(tmp_path: Path) -> None:
    """Given while the gate before it is worked on, the run never has to wait for it."""
    project = Project(tmp_path / "gates", approvals=[2])
    hold(project, "ws-a")
    project.bundle("ws-b", says("fine\n", "ws-b.txt"), gate=2)
    with live(project) as run:
        run.at_work("ws-a")
        penstock.approve("run-1", 2, by="ada", root=project.root)
        release(project)
        assert run.end().status == "succeeded"
    assert statuses(project) == {"ws-a": "done", "ws-b": "done"}


# -- waits -----------------------------------------------------------------------------------------
def test_a_wait_for_a_limit_is_paused_and_canceled_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is sat out is nothing under way."""
    project = Project(tmp_path / "limits", limits={"wait_s": 300})
    project.bundle("ws-a", {"claim": "rate_limited", "reset_in_s": 200, "message": "later"})
    monkeypatch.chdir(project.root)
    for word, ends in (("pause", "running"), ("cancel", "canceled")):
        with live(project, f"run-{word}") as run:
            run.when(lambda: bool(project.row("ws-a", run.run_id).reason_until))
            assert Cli(project.root, capsys)(word, run.run_id).code == 0
            assert run.end().status == ends
