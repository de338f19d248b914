"""Several processes that begin runs, or tell one what to do, in the same moment."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.model.events import EventType
from tests.support.children import eventually
from tests.support.cli import PENSTOCK, plain_environment
from tests.support.pipeline import Project, says
from tests.support.steering import left_running, run_of, statuses

TIMEOUT_S = 60
# Both wait for the same moment, and then enter a run whose id comes from a clock that stands still.
ENTER = """\
import sys, time
from pathlib import Path
from penstock import assembly
from penstock.engine.ports import RunRequest
from penstock.wiring import open_workspace
assembly.time.time = lambda: 1_700_000_000.0
with open_workspace(Path.cwd()) as workspace:
    bundles = tuple(item.bundle for item in workspace.load_bundles().bundles)
    Path(sys.argv[1]).touch()
    while not Path("go").exists():
        pass
    for _ in range(5):
        print(workspace.create_run(RunRequest(bundles=bundles)))
"""


def start(project: Project, *argv: str) -> subprocess.Popen[str]:
    """Start a process in the project."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        argv, cwd=project.root, env=plain_environment(), stdout=pipe, stderr=pipe, text=True
    )


def ended(*processes: subprocess.Popen[str]) -> list[tuple[int, str, str]]:
    """Wait for processes; return exit code, stdout and stderr of each."""
    said = [process.communicate(timeout=TIMEOUT_S) for process in processes]
    return [(p.returncode, *texts) for p, texts in zip(processes, said, strict=True)]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose run waits at its first gate."""
    project = Project(tmp_path / "project", approvals=[1])
    project.bundle("ws-a", says("fine\n"))
    assert project.run().status == "running"
    return project


def test_runs_that_begin_in_one_second_have_ids_of_their_own(project: Project) -> None:
    """Two processes take the next free id again and again, and neither fails."""
    marks = [project.root / f"ready-{number}" for number in range(2)]
    processes = [start(project, sys.executable, "-c", ENTER, str(mark)) for mark in marks]
    assert eventually(lambda: all(mark.exists() for mark in marks), TIMEOUT_S)
    (project.root / "go").touch()
    done = ended(*processes)
    assert [code for code, _, _ in done] == [0, 0], done
    ids = [run_id for _, out, _ in done for run_id in out.split()]
    assert len(set(ids)) == len(ids) == 10
    assert all(run_id.startswith("run-20231114T221320Z") for run_id in ids)


@pytest.mark.parametrize("words", [("cancel",), ("quarantine", "--reason", "odd")])
def test_two_that_ask_for_the_same_are_both_content(
    project: Project, words: tuple[str, ...]
) -> None:
    """The run ends once, and whoever comes second finds it done, or ended."""
    command = (*PENSTOCK, words[0], "run-1", *words[1:])
    codes = [code for code, _, _ in ended(start(project, *command), start(project, *command))]
    assert 0 in codes
    assert set(codes) <= {0, 2}
    assert len(project.events(EventType.REQUEST_MADE)) == codes.count(0)
    ends = [*project.events(EventType.RUN_CANCELED), *project.events(EventType.RUN_QUARANTINED)]
    assert len(ends) == 1


def test_a_pause_and_a_cancelation(project: Project) -> None:
    """In whatever order they arrive, the run is canceled and nothing stays asked."""
    pause = start(project, *PENSTOCK, "pause", "run-1")
    cancel = start(project, *PENSTOCK, "cancel", "run-1")
    _, (code, _, err) = ended(pause, cancel)
    assert code == 0, err
    assert run_of(project).status == "canceled"
    with project.workspace() as workspace:
        assert workspace.reader.open_requests("run-1") == []


def test_a_retry_by_two_is_one(project: Project) -> None:
    """One of them goes on with the run, the other one's wish is heeded or refused."""
    project.configure()
    project.breakers(max_attempts_per_step=1)
    project.bundle("ws-a", says("bad\n"), says("fine\n"))
    project.run(run_id="run-2")
    command = (*PENSTOCK, "retry", "run-2", "ws-a")
    done = ended(start(project, *command), start(project, *command))
    assert 0 in [code for code, _, _ in done], done
    assert statuses(project, "run-2") == {"ws-a": "done"}
    assert [step for step, _ in project.steps("ws-a", "run-2")].count("edit") == 2


def test_killed_right_after_it_was_asked(project: Project) -> None:
    """The orchestrator dies with the cancelation open: the command takes over and does it all."""
    project.configure()
    project.bundle("ws-a", says("fine\n", delay_s=60))
    process = start(project, *PENSTOCK, "run", "--all", "--run-id", "run-2")
    assert eventually(lambda: bool(_pids(project)), TIMEOUT_S)
    process.send_signal(signal.SIGSTOP)  # it lives, and hears nothing
    cancel = start(project, *PENSTOCK, "cancel", "run-2")
    assert eventually(lambda: bool(project.events(EventType.REQUEST_MADE, "run-2")), TIMEOUT_S)
    process.kill()
    ((_, _, _), (code, out, err)) = ended(process, cancel)
    assert (code, "run-2 is canceled." in out) == (0, True), err
    assert left_running(project, "run-2") == []


def _pids(project: Project) -> list[int]:
    with project.workspace() as workspace:
        known = [run.run_id for run in workspace.reader.list_runs()]
    if "run-2" not in known:
        return []
    return [a.pid for a in project.attempts("ws-a", "run-2") if a.pid]
