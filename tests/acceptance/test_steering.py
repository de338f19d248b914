"""Pause and cancel: of a run at work, of one that nobody works on, and of one that has ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.engine.ports import RunRequest
from penstock.errors import EnvironmentProblem, NotFoundError, UsageError
from penstock.model.events import EventType
from penstock.model.records import RequestKind
from tests.support.cli import Cli
from tests.support.pipeline import Project, says
from tests.support.repos import git
from tests.support.steering import hold, left_running, let_go, live, run_of, statuses

SLOW_S = 60.0


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project of two workstreams, the second on top of the first."""
    project = Project(tmp_path / "project")
    hold(project, "ws-a")
    project.bundle("ws-b", says("fine\n", "ws-b.txt"), depends_on=["ws-a"])
    return project


@pytest.fixture
def cli(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Cli:
    """The command line in the project."""
    monkeypatch.chdir(project.root)
    return Cli(project.root, capsys)


def slowly(project: Project, *ws_ids: str) -> None:
    """Let these workstreams take longer than anybody waits."""
    for ws_id in ws_ids:
        project.bundle(ws_id, says("fine\n", f"{ws_id}.txt", delay_s=SLOW_S))


def quick(project: Project) -> None:
    """Leave only one workstream, which takes no time."""
    (project.root / "workstreams" / "ws-b.json").unlink()
    project.bundle("ws-a", says("fine\n"))


# -- pause ---------------------------------------------------------------------------------------
def test_a_run_at_work_is_paused_after_the_step_under_way(project: Project, cli: Cli) -> None:
    """The edit comes to its end, nothing else begins, and the run waits with the reason."""
    with live(project) as run:
        run.at_work("ws-a")
        said = cli("pause", "run-1", "--reason", "lunch")
        assert (said.code, "has heard" in said.out) == (0, True)
        let_go(project)
        assert run.end().status == "running"
    assert run_of(project).reason == "paused: lunch"
    assert project.steps("ws-a") == [("edit", "succeeded")]
    assert project.attempts("ws-b") == []
    assert len(project.events(EventType.RUN_PAUSED)) == 1


def test_a_paused_run_goes_on(project: Project, cli: Cli) -> None:
    """`penstock run` without arguments ends with 1 at a pause and goes on from it, repeating nothing."""
    with live(project) as run:
        run.at_work("ws-a")
        assert cli("pause", "run-1").code == 0
        let_go(project)
        run.end()
    said = cli("status", "run-1")
    assert "paused: the user's wish" in said.out
    assert cli("run").code == 0
    assert run_of(project).reason is None
    assert project.steps("ws-a")[0] == ("edit", "succeeded")
    assert len(project.steps("ws-a")) == 3


def test_the_process_of_a_paused_run_ends_with_1(project: Project, cli: Cli) -> None:
    """A pause that was asked for before anything began is heeded by the process that comes."""
    let_go(project)
    project.configure(approvals=[1])
    assert cli("run", "--all", "--run-id", "run-1").code == 1
    said = cli("pause", "run-1", "--reason", "wait for ada", "--json")
    assert said.json == {"run_id": "run-1", "status": "running", "done": True, "heard": True}
    assert "paused: wait for ada" in cli("status", "run-1").out
    cli("approve", "run-1")
    assert cli("resume", "run-1").code == 0


def test_going_on_is_the_later_word(project: Project) -> None:
    """A pause that a dead process did not come to heed does not stop the resume that follows."""
    quick(project)
    let_go(project)
    project.configure(approvals=[1])
    project.run()
    with project.workspace() as workspace:
        workspace.open_journal().add_request("run-1", RequestKind.PAUSE)
    project.configure()
    assert project.resume().status == "succeeded"


# -- cancel --------------------------------------------------------------------------------------
def test_a_run_at_work_is_canceled(project: Project, cli: Cli) -> None:
    """Turns under way are stopped, what has not ended is canceled, and nothing is left running."""
    slowly(project, "ws-a", "ws-c")
    with live(project) as run:
        run.at_work("ws-a")
        run.at_work("ws-c")
        said = cli("cancel", "run-1", "--reason", "no need")
        assert (said.code, run.end().status) == (0, "canceled")
    assert set(statuses(project).values()) == {"canceled"}
    assert (run_of(project).reason, run_of(project).exit_code) == ("no need", 1)
    assert left_running(project) == []
    assert {a.status for a in project.attempts("ws-a")} == {"canceled"}


def test_a_canceled_run_keeps_what_is_merged(project: Project, cli: Cli) -> None:
    """Work on the integration branch stays; no worktree or branch of the merging is left."""
    slowly(project, "ws-c")
    let_go(project)
    with live(project) as run:
        run.reaches("ws-b", "done")
        run.at_work("ws-c")
        assert cli("cancel", "run-1").code == 0
        run.end()
    assert project.integrated("ws-a.txt") == "fine"
    assert statuses(project) == {"ws-a": "done", "ws-b": "done", "ws-c": "canceled"}
    assert "candidate" not in git(project.root, "branch", "--all")


def test_a_dead_run_is_canceled(project: Project, cli: Cli) -> None:
    """Without a process at work on it the command does it all, what was left running included."""
    slowly(project, "ws-a")
    with live(project) as run:
        run.at_work("ws-a")
    assert run_of(project).status == "running"
    said = cli("cancel", "run-1")
    assert (said.code, said.out.strip()) == (0, "run-1 is canceled.")
    assert set(statuses(project).values()) == {"canceled"}
    assert cli("resume", "run-1").code == 2


def test_a_run_that_never_began_is_canceled(project: Project, cli: Cli) -> None:
    """Nothing of it was there yet, not even its branch."""
    with project.workspace() as workspace:
        bundles = tuple(item.bundle for item in workspace.load_bundles().bundles)
        workspace.create_run(RunRequest(bundles=bundles, run_id="run-1"))
    assert cli("cancel", "run-1", "--compensate").code == 0
    assert set(statuses(project).values()) == {"canceled"}


def test_a_wish_for_the_end_outlives_who_should_heed_it(project: Project) -> None:
    """A cancelation that was asked of a process that died is done by the one that comes next."""
    let_go(project)
    project.configure(approvals=[1])
    project.run()
    with project.workspace() as workspace:
        workspace.open_journal().add_request("run-1", RequestKind.CANCEL)
    assert project.resume().status == "canceled"
    with project.workspace() as workspace:
        assert workspace.reader.open_requests("run-1") == []


# -- refused -------------------------------------------------------------------------------------
@pytest.mark.parametrize("words", [["pause"], ["cancel"], ["quarantine", "--reason", "x"]])
def test_an_ended_run_is_left_alone(project: Project, cli: Cli, words: list[str]) -> None:
    """It says that it has ended, and no request is left behind."""
    quick(project)
    assert project.run().status == "succeeded"
    said = cli(words[0], "run-1", *words[1:])
    assert said.code == 2
    assert "run run-1 has ended (succeeded)" in said.err
    with project.workspace() as workspace:
        assert workspace.reader.open_requests("run-1") == []


@pytest.mark.parametrize("word", ["pause", "cancel"])
def test_a_run_that_is_not_there_is_named(project: Project, cli: Cli, word: str) -> None:
    """With those that are."""
    quick(project)
    project.run()
    said = cli(word, "run-9")
    assert (said.code, "no run 'run-9' (known: run-1)" in said.err) == (2, True)


def test_a_failed_run_says_how_to_go_on(project: Project, cli: Cli) -> None:
    """What has failed is not resumed but retried."""
    quick(project)
    project.bundle("ws-a", says("x\n", "outside.txt"))
    project.run()
    said = cli("resume", "run-1")
    assert (said.code, "penstock retry run-1 --failed" in said.err) == (2, True)


def test_from_python_it_is_the_same(project: Project) -> None:
    """The workspace raises what the command line prints."""
    quick(project)
    project.run()
    with project.workspace() as workspace:
        with pytest.raises(UsageError, match="has ended"):
            workspace.pause("run-1")
        with pytest.raises(NotFoundError):
            workspace.cancel("run-9")


# -- what cannot be done ---------------------------------------------------------------------------
def test_what_cannot_be_heeded_stops_the_run_and_stays_asked(project: Project, cli: Cli) -> None:
    """The evidence cannot be written: turns under way are stopped at once, and a resume does it."""
    project.bundle("ws-a", says("x\n", "outside.txt"))
    slowly(project, "ws-c")
    blocker = project.root / "state" / "quarantine"
    with live(project) as run:
        run.reaches("ws-a", "failed")
        run.at_work("ws-c")
        blocker.write_text("not a folder")
        said = cli("quarantine", "run-1", "ws-a", "--reason", "odd")
    assert (said.code, "cannot write" in said.err) == (2, True)
    assert isinstance(run.error, EnvironmentProblem)
    assert left_running(project) == []
    blocker.unlink()
    assert cli("cancel", "run-1").code == 0
    assert statuses(project)["ws-a"] == "quarantined"
