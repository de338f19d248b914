"""Steering a run from Python, as the commands of the same names do."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest

import penstock
from penstock.assembly import run_holder
from penstock.errors import InvalidTransitionError, NotFoundError, RepositoryError, UsageError
from penstock.model.events import EventType
from penstock.model.states import RunState
from penstock.process.identity import this_process
from tests.support.pipeline import Project, says
from tests.support.repos import git
from tests.support.steering import live


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose second gate waits for somebody's word; its run waits there."""
    project = Project(tmp_path / "project", approvals=[2])
    project.bundle("ws-a", says("fine\n"))
    project.bundle("ws-b", says("fine\n", "ws-b.txt"), gate=2)
    git(project.root, "branch", "target")
    assert project.run().status == "running"
    return project


# -- approving -------------------------------------------------------------------------------------
def test_a_gate_is_approved_by_somebody(project: Project) -> None:
    """The lowest one that waits, by whoever says so; then the run goes on to its end."""
    assert penstock.approve("run-1", by="ada", note="read", root=project.root) == 2
    payload = penstock.events("run-1", root=project.root)[-1].payload
    assert payload == {"gate": 2, "approved_by": "ada", "note": "read"}
    assert penstock.resume("run-1", root=project.root).status == "succeeded"


def test_nobody_in_particular_is_the_login_name(project: Project) -> None:
    """Without `by` it is who runs the program."""
    penstock.approve("run-1", 2, root=project.root)
    payload = penstock.events("run-1", root=project.root)[-1].payload
    assert payload["approved_by"] == getpass.getuser()


def test_a_nameless_user_has_to_say_who(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that does not know its user asks for `by`."""

    def nobody() -> str:
        raise OSError("no such user")

    monkeypatch.setattr(getpass, "getuser", nobody)
    with pytest.raises(UsageError, match="not known who"):
        penstock.approve("run-1", root=project.root)


@pytest.mark.parametrize(
    ("run_id", "gate", "error", "text"),
    [
        ("run-1", 7, UsageError, r"no gate 7 \(it has: 1, 2\)"),
        ("run-none", 2, NotFoundError, "run-none"),
    ],
)
def test_what_cannot_be_approved(
    project: Project, run_id: str, gate: int, error: type[Exception], text: str
) -> None:
    """A gate or run that is not there is named."""
    with pytest.raises(error, match=text):
        penstock.approve(run_id, gate, root=project.root)


def test_an_ended_run_waits_for_nobody(project: Project) -> None:
    """Nor is there a second gate to approve once it is."""
    penstock.approve("run-1", root=project.root)
    with pytest.raises(UsageError, match="no gate of run-1 waits"):
        penstock.approve("run-1", root=project.root)
    penstock.resume("run-1", root=project.root)
    with pytest.raises(UsageError, match="has ended"):
        penstock.approve("run-1", root=project.root)


# -- integrating -----------------------------------------------------------------------------------
@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
def test_the_result_is_handed_over(project: Project, strategy: str) -> None:
    """The branch holds it, and saying it twice changes nothing."""
    penstock.approve("run-1", root=project.root)
    penstock.resume("run-1", root=project.root)
    given = penstock.integrate("run-1", "target", strategy=strategy, root=project.root)
    assert given.missing == ()
    assert git(project.root, "show", "target:ws-b.txt") == "fine"
    head = git(project.root, "rev-parse", "target")
    penstock.integrate("run-1", "target", strategy=strategy, root=project.root)
    assert git(project.root, "rev-parse", "target") == head


def test_what_cannot_be_handed_over(project: Project) -> None:
    """A strategy, branch or run that does not fit is said in words."""
    with pytest.raises(UsageError, match="no strategy 'cherry'"):
        penstock.integrate("run-1", "target", strategy="cherry", root=project.root)
    with pytest.raises(UsageError, match="run-1"):
        penstock.integrate("run-1", "target", root=project.root)
    with pytest.raises(RepositoryError, match="no-such"):
        penstock.integrate("run-1", "no-such", partial=True, root=project.root)


def test_trying_changes_nothing(project: Project) -> None:
    """dry_run tells what would be handed over, here what is merged so far."""
    head = git(project.root, "rev-parse", "target")
    tried = penstock.integrate("run-1", "target", partial=True, dry_run=True, root=project.root)
    assert [missing.ws_id for missing in tried.missing] == ["ws-b"]
    assert git(project.root, "rev-parse", "target") == head


# -- canceling and quarantine ----------------------------------------------------------------------
def states(project: Project) -> dict[str, str]:
    """The states of the run's workstreams."""
    rows = penstock.status("run-1", root=project.root)
    return {row.ws_id: row.status.value for row in rows}


def test_a_run_is_given_up(project: Project) -> None:
    """What has not ended is canceled, what is done stays done, and both happen once."""
    run = penstock.cancel("run-1", reason="no need", root=project.root)
    assert (run.status, run.reason) == ("canceled", "no need")
    assert states(project) == {"ws-a": "done", "ws-b": "canceled"}
    assert penstock.cancel("run-1", root=project.root).status == "canceled"
    told = [event.event_type for event in penstock.events("run-1", root=project.root)]
    assert told.count("run_canceled") == 1
    with pytest.raises(UsageError, match="has ended"):
        penstock.resume("run-1", root=project.root)


def test_a_failed_workstream_is_set_aside_and_then_the_run(project: Project) -> None:
    """Of a failed run one workstream or all that failed are quarantined, with the reason."""
    project.bundle("ws-a", says("x\n", "outside.txt"))
    assert project.run(run_id="run-2").status == "failed"
    run = penstock.quarantine("run-2", "ws-a", reason="to look at", root=project.root)
    (row, _) = penstock.status("run-2", root=project.root)
    assert (row.status, row.reason) == ("quarantined", "to look at")
    assert run.status != "quarantined"
    with pytest.raises(InvalidTransitionError, match="from pending to quarantined"):
        penstock.quarantine("run-2", "ws-b", reason="x", root=project.root)
    assert penstock.quarantine("run-2", reason="all", root=project.root).status == "quarantined"


def test_the_process_that_works_on_a_run_is_asked(project: Project) -> None:
    """It stops what is under way, and the run ends as was asked."""
    project.bundle("ws-a", says("fine\n", delay_s=60))
    with live(project, run_id="run-2") as run:
        run.at_work("ws-a")
        penstock.cancel("run-2", reason="stop", by="ada", root=project.root)
        assert run.end().status == "canceled"
    (asked,) = project.events(EventType.REQUEST_MADE, "run-2")
    assert asked.payload["requested_by"] == "ada"


def test_a_process_that_does_not_answer_is_not_waited_for(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is returned as it is; the request lies in the journal for it."""
    monkeypatch.setattr("penstock.engine.run.PATIENCE_S", 0.2)
    with run_holder(project.root / "state")("run-1"):
        run = penstock.cancel("run-1", reason="stop", root=project.root)
        assert penstock.pause("run-1", root=project.root).status == run.status == "running"
    with project.workspace() as workspace:
        kinds = [request.kind for request in workspace.reader.open_requests("run-1")]
    assert kinds == ["cancel", "pause"]
    assert project.resume().status == "canceled"


def test_the_holder_that_died_is_not_waited_for(project: Project) -> None:
    """A claim of a process that is gone does not keep a run from being given up."""
    gone = {**this_process().to_dict(), "pid": 1 << 22, "start": 1}
    with project.workspace() as workspace:
        workspace.open_journal().claim_run("run-1", gone)
    assert penstock.cancel("run-1", root=project.root).status == "canceled"


def test_an_ended_run_is_not_moved(project: Project) -> None:
    """Canceled cannot become quarantined, and a run that is not there is named."""
    penstock.cancel("run-1", root=project.root)
    with pytest.raises(InvalidTransitionError, match="canceled to quarantined"):
        penstock.quarantine("run-1", reason="x", root=project.root)
    with pytest.raises(NotFoundError):
        penstock.cancel("run-none", root=project.root)


def test_a_run_is_paused_and_goes_on(project: Project) -> None:
    """The reason stands at the run until somebody goes on with it."""
    run = penstock.pause("run-1", reason="lunch", root=project.root)
    assert (run.status, run.reason) == ("running", "paused: lunch")
    penstock.approve("run-1", root=project.root)
    assert penstock.resume("run-1", root=project.root).status == "succeeded"
    with pytest.raises(UsageError, match="has ended"):
        penstock.pause("run-1", root=project.root)


@pytest.fixture
def failed(project: Project) -> Project:
    """The project after run-2, in which ws-a has failed in its first turn."""
    project.configure()
    project.breakers(max_attempts_per_step=1)
    project.bundle("ws-a", says("bad\n"), says("fine\n"))
    assert project.run(run_id="run-2").status == "failed"
    return project


def test_what_failed_is_tried_again(failed: Project) -> None:
    """By name or all of it; then there is nothing left to retry."""
    result = penstock.retry("run-2", failed=True, root=failed.root)
    assert result.status == "succeeded"
    with pytest.raises(UsageError, match="say which workstream"):
        penstock.retry("run-2", failed=True, root=failed.root)
    with pytest.raises(UsageError, match="ws-a is done"):
        penstock.retry("run-2", "ws-a", root=failed.root)


def test_the_class_retries_pauses_and_resumes(failed: Project) -> None:
    """retry_workstream and resume_run return the run with its workstreams."""
    orchestrator = penstock.Orchestrator(failed.root)
    done = orchestrator.retry_workstream("run-2", "ws-a", from_step="edit")
    assert {w["final_status"] for w in done["workstreams"]} == {"done"}
    assert orchestrator.pause_run("run-1", reason="x")["reason"] == "paused: x"
    assert orchestrator.resume_run("run-1")["status"] == "succeeded"


def test_the_class_does_the_same(project: Project) -> None:
    """cancel_run and quarantine_run return rows."""
    orchestrator = penstock.Orchestrator(project.root)
    assert orchestrator.quarantine_run("run-1", reason="odd")["status"] == "quarantined"
    fresh = orchestrator.create_run("ws-a")
    assert orchestrator.cancel_run(fresh)["status"] == "canceled"


@pytest.mark.parametrize("way", ["cancel", "quarantine"])
def test_a_run_that_a_script_has_entered_is_ended(project: Project, way: str) -> None:
    """Without bundles nothing of it can be run here, but it can be given up or set aside."""
    with project.workspace() as workspace:
        journal = workspace.open_journal()
        journal.create_run("scripts")
        journal.add_workstream("scripts", "ws-x")
        journal.move_run("scripts", RunState.RUNNING)
    with pytest.raises(UsageError, match="ws-x of scripts was entered without its bundle"):
        penstock.resume("scripts", root=project.root)
    end = penstock.cancel if way == "cancel" else penstock.quarantine
    run = end("scripts", reason="over", root=project.root)
    assert run.reason == "over"
    (row,) = penstock.status("scripts", root=project.root)
    assert (row.status, run.status.value[:6]) == ("canceled", f"{way}ed"[:6])
