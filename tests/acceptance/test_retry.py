"""`penstock retry`: workstreams that failed, or could not be merged, are tried again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from penstock.model.events import EventType
from tests.support.cli import Cli
from tests.support.pipeline import Project, says
from tests.support.repos import git, write
from tests.support.steering import hold, let_go, live, run_of, statuses


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a workstream that fails with its first turn, and one on top of it."""
    project = Project(tmp_path / "project")
    project.breakers(max_attempts_per_step=1, max_fix_attempts_per_step=1)
    project.bundle("ws-a", says("bad\n"), says("fine\n"))
    project.bundle("ws-b", says("fine\n", "ws-b.txt"), depends_on=["ws-a"])
    return project


@pytest.fixture
def cli(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Cli:
    """The command line in the project."""
    monkeypatch.chdir(project.root)
    return Cli(project.root, capsys)


@pytest.fixture
def failed(project: Project) -> Project:
    """The project after a run that has failed."""
    assert project.run().status == "failed"
    return project


def mended(project: Project) -> None:
    """Let the linter pass from now on."""
    write(project.root, {"tools/lint.py": "\n"})
    lint = {"static_tools": [], "runtime_tools": ["tests"]}
    project.configure(**lint)


def retries(project: Project) -> list[tuple[int, str]]:
    """The number and step of each retry."""
    found = project.events(EventType.WORKSTREAM_RETRIED)
    return [(event.payload["number"], event.payload["from"]) for event in found]


# -- of an ended run -------------------------------------------------------------------------------
def test_a_failed_workstream_is_tried_again_from_its_edit(failed: Project, cli: Cli) -> None:
    """Its breakers begin anew, what depends on it is freed, and the run succeeds after all."""
    assert statuses(failed) == {"ws-a": "failed", "ws-b": "pending"}
    said = cli("retry", "run-1", "ws-a")
    assert said.code == 0, said.err
    assert statuses(failed) == {"ws-a": "done", "ws-b": "done"}
    assert (run_of(failed).status, run_of(failed).reason) == ("succeeded", None)
    assert failed.integrated("ws-a.txt") == "fine"
    assert retries(failed) == [(1, "edit")]


def test_what_was_committed_is_kept_as_a_patch(failed: Project, cli: Cli) -> None:
    """The retry begins at the head of the integration branch; the earlier commits are in a file."""
    cli("retry", "run-1", "ws-a")
    (patch,) = (failed.root / "state/artifacts/run-1").glob("ws-a_before_retry_*.patch")
    assert "+bad" in patch.read_text()
    log = git(failed.root, "log", "--format=%s", "main..workstream/ws-a/run-1")
    assert len(log.splitlines()) == 1


def test_the_patch_is_kept_without_the_worktree(failed: Project, cli: Cli) -> None:
    """Somebody has removed it, which loses no commit."""
    shutil.rmtree(failed.root / (failed.row("ws-a").worktree_path or "?"))
    assert cli("retry", "run-1", "ws-a").code == 0
    assert list((failed.root / "state/artifacts/run-1").glob("ws-a_before_retry_*.patch"))


@pytest.mark.parametrize("step", ["static", "runtime"])
def test_a_later_step_goes_on_with_the_commits(failed: Project, cli: Cli, step: str) -> None:
    """No edit is paid for again; here the linter was to blame."""
    edits = [a.id for a in failed.attempts("ws-a") if a.step_name == "edit"]
    mended(failed)
    assert cli("retry", "run-1", "ws-a", "--from", step).code == 0
    assert [a.id for a in failed.attempts("ws-a") if a.step_name == "edit"] == edits
    assert (failed.integrated("ws-a.txt") or "").startswith("bad")
    assert retries(failed) == [(1, step)]


def test_all_that_failed(failed: Project, cli: Cli) -> None:
    """--failed needs no names; once nothing is left to retry it says so."""
    assert cli("retry", "run-1", "--failed").code == 0
    said = cli("retry", "run-1", "--failed")
    assert (said.code, "nothing in it can be retried" in said.err) == (2, True)


def test_a_retry_may_fail_and_be_retried(failed: Project, cli: Cli) -> None:
    """As often as the user wants; the run fails again in between."""
    assert cli("retry", "run-1", "ws-a", "--from", "static").code == 1
    assert run_of(failed).status == "failed"
    assert cli("retry", "run-1", "ws-a").code == 0
    assert retries(failed) == [(1, "static"), (2, "edit")]


def test_as_json_it_is_the_result_of_the_run(failed: Project, cli: Cli) -> None:
    """The same document as of run and resume."""
    said = cli("retry", "run-1", "a", "--json").json
    assert (said["run_id"], said["status"]) == ("run-1", "succeeded")


# -- of a conflict ---------------------------------------------------------------------------------
@pytest.fixture
def conflict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A run of which one workstream conflicts with another and has no FIX turn left."""
    project = Project(tmp_path / "project", overlap_policy="merge")
    project.breakers(max_attempts_per_step=1, max_fix_attempts_per_step=0)
    for ws_id, text in (("ws-a", "one\n"), ("ws-b", "two\n")):
        project.bundle(ws_id, says(text, "shared.txt"), files_scope=["shared.txt"])
    monkeypatch.chdir(project.root)
    assert project.run().status == "failed"
    return project


def stuck(project: Project) -> str:
    """The workstream that is not merged."""
    (found,) = [ws for ws in ("ws-a", "ws-b") if project.row(ws).integration == "conflict"]
    return found


@pytest.mark.parametrize("step", ["integrate", "edit"])
def test_a_merge_is_tried_again(
    conflict: Project, capsys: pytest.CaptureFixture[str], step: str
) -> None:
    """With FIX turns allowed it gets there, from whatever step: its own work is done."""
    ws_id = stuck(conflict)
    conflict.breakers(max_attempts_per_step=3, max_fix_attempts_per_step=2)
    said = Cli(conflict.root, capsys)("retry", "run-1", ws_id, "--from", step)
    assert said.code == 0, said.err
    assert conflict.row(ws_id).integration == "merged"


# -- of a run at work ------------------------------------------------------------------------------
def test_a_run_at_work_heeds_a_retry(project: Project, cli: Cli) -> None:
    """The process that works on the run does it, and ends with all done."""
    hold(project, "ws-slow")
    with live(project) as run:
        run.reaches("ws-a", "failed")
        said = cli("retry", "run-1", "ws-a")
        assert (said.code, "has heard: it tries ws-a again" in said.out) == (0, True)
        let_go(project)
        assert run.end().status == "succeeded"
    assert statuses(project) == {"ws-a": "done", "ws-b": "done", "ws-slow": "done"}
    assert retries(project) == [(1, "edit")]


# -- --fail-fast -----------------------------------------------------------------------------------
def test_fail_fast_starts_nothing_more(project: Project, cli: Cli) -> None:
    """What has begun comes to its end, what has not stays pending; a retry lets it go on."""
    project.bundle("ws-c", says("fine\n", "ws-c.txt"))
    said = cli("run", "--all", "--run-id", "run-1", "--fail-fast", "--max-parallel", "1")
    assert said.code == 1
    assert statuses(project) == {"ws-a": "failed", "ws-b": "pending", "ws-c": "pending"}
    assert cli("retry", "run-1", "--failed").code == 0
    assert set(statuses(project).values()) == {"done"}


# -- refused ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["ws-b"], "ws-b is pending: what can be retried has failed"),
        (["ws-a", "--from", "integrate"], "failed before it could be merged"),
        (["ws-z"], "no workstream 'ws-z' in run-1 (it has: ws-a, ws-b)"),
        ([], "say which workstream, or --failed"),
        (["ws-a", "--tool", "no-such"], "no-such"),
        (["ws-a", "--from", "merge"], "merge"),
    ],
)
def test_what_cannot_be_retried(failed: Project, cli: Cli, words: list[str], text: str) -> None:
    """It is said why, nothing changes, and no request is left behind."""
    said = cli("retry", "run-1", *words)
    assert (said.code, text in said.err) == (2, True), said.err
    assert run_of(failed).status == "failed"
    with failed.workspace() as workspace:
        assert workspace.reader.open_requests("run-1") == []


def test_a_canceled_run_is_not_retried(project: Project, cli: Cli) -> None:
    """Its end was the user's word."""
    project.configure(approvals=[1])
    project.run()
    cli("cancel", "run-1")
    said = cli("retry", "run-1", "--failed")
    assert (said.code, "nothing in it can be retried" in said.err) == (2, True)


def test_what_was_asked_of_a_run_at_work_as_json(project: Project, cli: Cli) -> None:
    """It is the answer to the wish, not yet the result of the run."""
    hold(project, "ws-slow")
    with live(project) as run:
        run.reaches("ws-a", "failed")
        said = cli("retry", "run-1", "--failed", "--json").json
        assert said == {"run_id": "run-1", "status": "running", "done": False, "heard": True}
        let_go(project)
        assert run.end().status == "succeeded"


def test_a_retry_with_another_tool(failed: Project, cli: Cli) -> None:
    """--tool is used from then on by everything in the run."""
    failed.agent('open("ws-a.txt", "w").write("fine\\n"); open("ws-b.txt", "w").write("fine\\n")')
    said = cli("retry", "run-1", "ws-a", "--tool", "agent")
    assert "agent" in {a.tool_id for a in failed.attempts("ws-a")}, said.err
