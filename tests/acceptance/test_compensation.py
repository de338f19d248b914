"""compensation_actions: what undoes effects outside of git, with --compensate only, each once."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from penstock.model.events import EventType
from penstock.model.records import Attempt, RequestKind
from tests.support.children import eventually
from tests.support.cli import PENSTOCK, Cli, plain_environment
from tests.support.pipeline import Project, says
from tests.support.steering import left_running, live, run_of, statuses

NOTE = "import sys; open(sys.argv[1], 'a').write(sys.argv[2] + chr(10))"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project that waits at its second gate; everything in it has something to be undone."""
    project = Project(tmp_path / "project", approvals=[2])
    monkeypatch.chdir(project.root)
    undone(project, "ws-a", ["a1", "a2"])
    undone(project, "ws-b", ["b1"], depends_on=["ws-a"])
    undone(project, "ws-c", ["c1"], gate=2)
    return project


@pytest.fixture
def cli(project: Project, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line, after that run."""
    assert project.run().status == "running"
    return Cli(project.root, capsys)


def note(project: Project, word: str) -> str:
    """An action that notes a word outside of the repository."""
    return shlex.join([sys.executable, "-c", NOTE, str(notes_of(project)), word])


def notes_of(project: Project) -> Path:
    """Where actions note that they ran."""
    return project.root.parent / "undone"


def undone(project: Project, ws_id: str, words: Sequence[str], **more: object) -> None:
    """Write a bundle whose compensation_actions note these words."""
    actions = [word if " " in word or not word else note(project, word) for word in words]
    turn = says("fine\n", f"{ws_id}.txt", delay_s=more.pop("delay_s", 0))
    project.bundle(ws_id, turn, compensation_actions=actions, **more)


def ran(project: Project) -> list[str]:
    """The words that were noted, in order."""
    return notes_of(project).read_text().split() if notes_of(project).exists() else []


def actions(project: Project, ws_id: str) -> list[Attempt]:
    """The attempts of a workstream's actions."""
    return [a for a in project.attempts(ws_id) if a.step_name == "compensate"]


def test_the_last_is_undone_first(project: Project, cli: Cli) -> None:
    """Workstreams in the order opposite to that of their beginning, and so each one's actions."""
    assert cli("cancel", "run-1", "--compensate").code == 0
    assert ran(project) == ["b1", "a2", "a1"]
    assert [a.status for a in actions(project, "ws-a")] == ["succeeded", "succeeded"]
    told = project.events(EventType.COMPENSATED)
    assert [(e.ws_id, e.payload["success"]) for e in told[:1]] == [("ws-b", True)]


def test_nothing_is_undone_that_was_not_asked_for(project: Project, cli: Cli) -> None:
    """Without --compensate a cancelation runs nothing."""
    assert cli("cancel", "run-1").code == 0
    assert ran(project) == []


def test_what_never_began_is_not_undone(project: Project, cli: Cli) -> None:
    """Behind its gate it had no effect."""
    cli("cancel", "run-1", "--compensate")
    assert "c1" not in ran(project)
    assert actions(project, "ws-c") == []


def test_each_runs_once(project: Project, cli: Cli) -> None:
    """A failed workstream that was compensated is left alone by the end of its run."""
    undone(project, "ws-b", ["b1"], depends_on=["ws-a"])
    project.bundle("ws-c", says("x\n", "o.txt"), compensation_actions=[note(project, "c1")])
    project.configure()
    assert project.run(run_id="run-2").status == "failed"
    for words in (["ws-c"], []):
        said = cli("quarantine", "run-2", *words, "--reason", "x", "--compensate")
        assert said.code == 0, said.err
    assert ran(project).count("c1") == 1
    assert sorted(ran(project)) == ["a1", "a2", "b1", "c1"]


def test_a_failing_action_does_not_stop_the_others(project: Project, cli: Cli) -> None:
    """One that fails, is no command, or is not there is recorded as such."""
    failing = shlex.join([sys.executable, "-c", "raise SystemExit(3)"])
    odd = ["a1", failing, "no-such-command at all", "quote ' open", ""]
    undone(project, "ws-a", odd)
    project.run(run_id="run-2")
    assert cli("cancel", "run-2", "--compensate").code == 0
    assert ran(project) == ["b1", "a1"]
    found = [a for a in project.attempts("ws-a", "run-2") if a.step_name == "compensate"]
    assert [a.status for a in found] == ["failed"] * 4 + ["succeeded"]
    assert found[-2].exit_code == 3


def test_a_run_at_work_is_compensated(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """What was under way is stopped first; neither worktree nor ports stay taken by the undoing."""
    undone(project, "ws-b", ["b1"], depends_on=["ws-a"], delay_s=60)
    with live(project) as run:
        run.at_work("ws-b")
        assert Cli(project.root, capsys)("cancel", "run-1", "--compensate").code == 0
        assert run.end().status == "canceled"
    assert ran(project) == ["b1", "a2", "a1"]
    assert left_running(project) == []
    assert list((project.root / "state").rglob("ports/*.json")) == []


def test_without_its_commit_it_is_told_and_the_run_ends(project: Project, cli: Cli) -> None:
    """A worktree that cannot be laid keeps its actions from running, and nothing else."""
    with project.workspace() as workspace:
        journal = workspace.open_journal()
        journal.claim_run("run-1", {})
        journal.update_workstream("run-1", "ws-b", head_commit="0" * 40)
    assert cli("cancel", "run-1", "--compensate").code == 0
    assert ran(project) == ["a2", "a1"]
    (attempt,) = actions(project, "ws-b")
    assert (attempt.status, "gone" in str(attempt.result["problem"])) == ("failed", True)


def test_killed_in_the_middle_it_goes_on_when_asked_again(project: Project, cli: Cli) -> None:
    """The action under way is not begun again, those left run, and the run ends canceled."""
    slow = "import sys,time; open(sys.argv[1], 'a').write('slow' + chr(10)); time.sleep(60)"
    action = shlex.join([sys.executable, "-c", slow, str(notes_of(project))])
    undone(project, "ws-b", ["b1", action], depends_on=["ws-a"])
    project.run(run_id="run-2")
    command = [*PENSTOCK, "cancel", "run-2", "--compensate"]
    with subprocess.Popen(command, cwd=project.root, env=plain_environment()) as process:
        assert eventually(lambda: ran(project) == ["slow"], 30)
        process.kill()
    left = run_of(project, "run-2")
    assert (left.status, left.reason) == ("running", "is to be canceled: by the user")
    assert cli("cancel", "run-2", "--compensate").code == 0
    assert ran(project) == ["slow", "b1", "a2", "a1"]
    assert statuses(project, "run-2")["ws-c"] == "canceled"
    assert left_running(project, "run-2") == []


def test_killed_in_the_middle_it_is_not_forgotten(project: Project, cli: Cli) -> None:
    """Whoever goes on with the run ends it as was asked, the rest of the undoing included."""
    with project.workspace() as workspace:
        payload = {"compensate": True}
        workspace.open_journal().add_request("run-1", RequestKind.CANCEL, payload=payload)
    assert cli("run").code == 1
    assert (run_of(project).status, ran(project)) == ("canceled", ["b1", "a2", "a1"])
