"""The documented class of run life cycles, over real runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock.errors import (
    BundleError,
    ClaimLostError,
    InvalidTransitionError,
    NotFoundError,
    PreFlightError,
    UsageError,
)
from penstock.process.identity import this_process
from tests.support.pipeline import Project, says
from tests.support.repos import git

RUN_STATES = ("pending", "running", "succeeded", "failed", "quarantined", "canceled")
ENDED = RUN_STATES[2:]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with one bundle and another that depends on it."""
    project = Project(tmp_path / "project")
    project.bundle("ws-a", says("bad\n"), says("good\n"))
    project.bundle("ws-b", says("fine\n", "ws-b.txt"), depends_on=["ws-a"])
    return project


@pytest.fixture
def orchestrator(project: Project) -> penstock.Orchestrator:
    """An orchestrator of the project."""
    return penstock.Orchestrator(project.root)


def one(**more: Any) -> dict[str, Any]:
    """A bundle as a dict."""
    return {
        "id": "ws-c",
        "openspec_change": "c",
        "ccpm_issue": 1,
        "gate": 1,
        "files_scope": ["ws-c.txt"],
        "tasks": [],
        "tool": "scripted",
        "metadata": {"scripted": [says("text\n", "ws-c.txt")]},
        **more,
    }


def kinds(orchestrator: penstock.Orchestrator, run_id: str) -> list[str]:
    """The types of a run's events, in order."""
    return [event["event_type"] for event in orchestrator.get_run_events(run_id)]


# -- creating --------------------------------------------------------------------------------------
def test_a_run_is_created_pending(orchestrator: penstock.Orchestrator) -> None:
    """Nothing starts: the run and its workstreams wait, and the id comes from the clock."""
    run_id = orchestrator.create_run(["ws-a", "ws-b"])
    assert run_id.startswith("run-")
    found = orchestrator.get_run_status(run_id)
    assert (found["status"], found["started_at"]) == ("pending", None)
    assert [(ws["ws_id"], ws["status"]) for ws in found["workstreams"]] == [
        ("ws-a", "pending"),
        ("ws-b", "pending"),
    ]
    assert kinds(orchestrator, run_id)[0] == "run_created"


def test_workstreams_are_given_in_many_ways(
    orchestrator: penstock.Orchestrator, project: Project, tmp_path: Path
) -> None:
    """An id, a path, a Bundle and a dict make one run together."""
    (value,) = penstock.load("ws-a", root=project.root)
    file = tmp_path / "more.json"
    file.write_text(
        json.dumps([one(id="ws-d", files_scope=["d"]), one(id="ws-e", files_scope=["e"])])
    )
    run_id = orchestrator.create_run([value, "ws-b", file, one()], run_id="run-x")
    held = [ws["ws_id"] for ws in orchestrator.get_run_status(run_id)["workstreams"]]
    assert held == ["ws-a", "ws-b", "ws-c", "ws-d", "ws-e"]


def test_one_workstream_needs_no_list(
    orchestrator: penstock.Orchestrator, project: Project
) -> None:
    """A lone id, dict or path is a run of one file or workstream."""
    specs: list[Any] = ["ws-a", one(), project.root / "workstreams/ws-a.json"]
    for at, spec in enumerate(specs):
        run_id = orchestrator.create_run(spec, run_id=f"run-{at}")
        assert len(orchestrator.get_run_status(run_id)["workstreams"]) == 1


@pytest.mark.parametrize(
    ("spec", "error", "text"),
    [
        ([], BundleError, "at least one"),
        ("ws-none", NotFoundError, "no workstream bundle 'ws-none'"),
        ("none.json", BundleError, "not found"),
        (one(gate=0), BundleError, "gate"),
        ([one(), one()], BundleError, "Duplicate bundle id"),
        ([one(), one(id="ws-d")], BundleError, "overlaps"),
        (one(tool="no-such-tool"), NotFoundError, "no-such-tool"),
        ("ws-b", BundleError, "ws-b needs ws-a"),
        (7, BundleError, "not int"),
        ([None], BundleError, "not NoneType"),
        (one(metadata={"x": object()}), BundleError, "not JSON"),
        (one(metadata={"x": float("nan")}), BundleError, "not JSON"),
    ],
)
def test_a_wrong_specification_makes_no_run(
    orchestrator: penstock.Orchestrator, spec: Any, error: type[Exception], text: str
) -> None:
    """What is wrong is raised in words, and nothing is entered."""
    with pytest.raises(error, match=text):
        orchestrator.create_run(spec)
    assert orchestrator.list_runs() == []


def test_a_taken_id_is_refused(orchestrator: penstock.Orchestrator) -> None:
    """Two runs never share an id."""
    orchestrator.create_run("ws-a", run_id="run-x")
    with pytest.raises(UsageError, match="already"):
        orchestrator.create_run("ws-a", run_id="run-x")


# -- life cycle ------------------------------------------------------------------------------------
def test_by_hand_from_creation_to_the_end(orchestrator: penstock.Orchestrator) -> None:
    """Begin, step by step, complete: each change has its event."""
    run_id = orchestrator.create_run("ws-a")
    begun = orchestrator.start_run(run_id)
    assert (begun["status"], len(begun["base_commit"])) == ("running", 40)
    assert orchestrator.execute_step(run_id, "edit")["success"] is True
    static = orchestrator.execute_step(run_id, "ws-a/static")
    assert (static["ws_id"], static["step_name"], static["success"]) == ("ws-a", "static", True)
    assert orchestrator.execute_step(run_id, "ws-a/runtime")["success"] is True
    done = orchestrator.complete_run(run_id, "succeeded")
    assert (done["status"], done["exit_code"]) == ("succeeded", 0)
    told = [kind for kind in kinds(orchestrator, run_id) if kind.startswith("run_")]
    assert told == [
        "run_created",
        "run_status_changed",
        "run_started",
        "run_status_changed",
        "run_completed",
    ]


def test_a_whole_run_at_once(orchestrator: penstock.Orchestrator, project: Project) -> None:
    """execute_run drives all workstreams to their end and the run with them."""
    run_id = orchestrator.create_run(["ws-a", "ws-b"])
    result = orchestrator.execute_run(run_id)
    assert result["status"] == "succeeded"
    assert [ws["final_status"] for ws in result["workstreams"]] == ["done", "done"]
    assert project.integrated("ws-b.txt", run_id) == "fine"


def test_a_workstream_at_once(orchestrator: penstock.Orchestrator, project: Project) -> None:
    """execute_workstream makes the run when there is none, and leaves it running."""
    result = orchestrator.execute_workstream("ws-a", "run-1")
    assert set(result) == {"run_id", "ws_id", "final_status", "steps"}
    assert result["final_status"] == "done"
    assert orchestrator.get_run_status("run-1")["status"] == "running"
    assert project.integrated("ws-a.txt") == "good"
    (event,) = orchestrator.get_run_events("run-1", event_type="preflight")
    assert event["payload"]["pre_flight_passed"] is True


def test_a_workstream_goes_on_where_it_is(orchestrator: penstock.Orchestrator) -> None:
    """What a step has done is not done again; one that is done stays as it is."""
    run_id = orchestrator.create_run("ws-a")
    orchestrator.execute_step(run_id, "edit")
    for _ in range(2):
        assert orchestrator.execute_workstream("ws-a", run_id)["final_status"] == "done"
    steps = [step["step_name"] for step in orchestrator.get_run_steps(run_id, "ws-a")]
    assert steps[:5] == ["edit", "static", "fix", "static", "runtime"]
    assert steps.count("edit") == 1


def test_dependencies_come_first(orchestrator: penstock.Orchestrator) -> None:
    """A workstream whose dependency is not merged is refused."""
    run_id = orchestrator.create_run(["ws-a", "ws-b"])
    with pytest.raises(UsageError, match="ws-b waits for ws-a"):
        orchestrator.execute_workstream("ws-b", run_id)
    with pytest.raises(UsageError, match="ws-b waits for ws-a"):
        orchestrator.execute_step(run_id, "ws-b/edit")
    orchestrator.execute_workstream("ws-a", run_id)
    assert orchestrator.execute_workstream("ws-b", run_id)["final_status"] == "done"


@pytest.mark.parametrize("state", ENDED)
@pytest.mark.parametrize("target", RUN_STATES)
def test_the_table_of_run_states_holds(
    orchestrator: penstock.Orchestrator, state: str, target: str
) -> None:
    """From an ended run only failed leads on, to quarantined; staying is no move."""
    run_id = orchestrator.create_run("ws-a")
    orchestrator.start_run(run_id)
    orchestrator.complete_run(run_id, state)
    if target == state or (state, target) == ("failed", "quarantined"):
        assert orchestrator.complete_run(run_id, target)["status"] == target
        return
    with pytest.raises(InvalidTransitionError):
        orchestrator.complete_run(run_id, target)
    assert orchestrator.get_run_status(run_id)["status"] == state


def test_a_pending_run_is_begun_before_it_ends_well(orchestrator: penstock.Orchestrator) -> None:
    """pending leads to running and canceled only; beginning twice is no move."""
    run_id = orchestrator.create_run("ws-a")
    with pytest.raises(InvalidTransitionError, match=r"pending to succeeded.*canceled, running"):
        orchestrator.complete_run(run_id, "succeeded")
    orchestrator.start_run(run_id)
    orchestrator.start_run(run_id)
    assert kinds(orchestrator, run_id).count("run_started") == 1
    orchestrator.complete_run(run_id, "failed", reason="no more", error_message="why")
    with pytest.raises(InvalidTransitionError):
        orchestrator.start_run(run_id)
    found = orchestrator.get_run_status(run_id)
    assert (found["exit_code"], found["reason"], found["error_message"]) == (1, "no more", "why")


def test_an_ended_run_executes_nothing(orchestrator: penstock.Orchestrator) -> None:
    """Steps, workstreams and the run itself are refused after its end."""
    run_id = orchestrator.create_run("ws-a")
    orchestrator.complete_run(run_id, "canceled")
    with pytest.raises(UsageError, match="has ended"):
        orchestrator.execute_step(run_id, "edit")
    with pytest.raises(UsageError, match="has ended"):
        orchestrator.execute_workstream("ws-a", run_id)
    with pytest.raises(UsageError, match="has ended"):
        orchestrator.execute_run(run_id)


def test_a_run_that_somebody_works_on_is_left_alone(
    orchestrator: penstock.Orchestrator, project: Project
) -> None:
    """While a process holds the run, nobody else moves it or writes attempts."""
    run_id = orchestrator.create_run("ws-a")
    orchestrator.start_run(run_id)
    with project.workspace() as workspace:
        holder = workspace.open_journal()
        holder.claim_run(run_id, this_process().to_dict())
        with pytest.raises(ClaimLostError, match="being worked on"):
            orchestrator.complete_run(run_id, "succeeded")
        with pytest.raises(ClaimLostError):
            orchestrator.create_step_attempt(run_id, "edit")
        holder.release_run(run_id)
    assert orchestrator.complete_run(run_id, "succeeded")["status"] == "succeeded"


# -- steps -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("step_id", "error", "text"),
    [
        ("edit", UsageError, "no workstream of several"),
        ("ws-z/edit", NotFoundError, "does not hold 'ws-z'"),
        ("ws-a/compile", UsageError, "no step 'compile'"),
        ("ws-a/", UsageError, "names no step"),
        ("ws-a/static", UsageError, "static step cannot be run now"),
    ],
)
def test_a_wrong_step_is_named(
    orchestrator: penstock.Orchestrator, step_id: str, error: type[Exception], text: str
) -> None:
    """A step is WS_ID/STEP, and its turn must have come."""
    run_id = orchestrator.create_run(["ws-a", "ws-b"])
    with pytest.raises(error, match=text):
        orchestrator.execute_step(run_id, step_id)


def test_a_failed_step_is_told(orchestrator: penstock.Orchestrator, project: Project) -> None:
    """A step that a breaker stops raises nothing; its document says why."""
    run_id = orchestrator.create_run(one(metadata={"scripted": [says("bad\n", "ws-c.txt")]}))
    orchestrator.execute_step(run_id, "edit")
    step = orchestrator.execute_step(run_id, "static")
    assert step["success"] is False
    assert orchestrator.get_run_status(run_id)["workstreams"][0]["status"] == "failed"


def test_attempts_of_the_callers_own(orchestrator: penstock.Orchestrator) -> None:
    """They are counted per step, begin in running runs only, and end once."""
    run_id = orchestrator.create_run("ws-a")
    with pytest.raises(InvalidTransitionError, match="running runs only"):
        orchestrator.create_step_attempt(run_id, "review")
    orchestrator.start_run(run_id)
    first = orchestrator.create_step_attempt(run_id, "review", tool_id="me", result={"a": 1})
    second = orchestrator.create_step_attempt(run_id, "ws-a/review")
    assert (first["attempt"], first["status"], second["attempt"]) == (1, "running", 2)
    done = orchestrator.complete_step_attempt(
        first["id"], "completed", exit_code=0, result={"b": 2}
    )
    assert (done["status"], done["result"]) == ("succeeded", {"a": 1, "b": 2})
    for status in ("failed", "running"):
        with pytest.raises(InvalidTransitionError):
            orchestrator.complete_step_attempt(first["id"], status)
    with pytest.raises(NotFoundError):
        orchestrator.complete_step_attempt(999, "failed")
    assert [row["status"] for row in orchestrator.get_run_steps(run_id)] == ["succeeded", "running"]
    assert kinds(orchestrator, run_id).count("step_completed") == 1


# -- asking ----------------------------------------------------------------------------------------
def test_runs_are_listed_newest_first(orchestrator: penstock.Orchestrator) -> None:
    """All of them, or those of one state."""
    for run_id in ("run-1", "run-2"):
        orchestrator.create_run("ws-a", run_id=run_id)
    orchestrator.start_run("run-1")
    assert [run["run_id"] for run in orchestrator.list_runs(limit=1)] == ["run-2"]
    assert [run["run_id"] for run in orchestrator.list_runs("in_progress")] == ["run-1"]
    with pytest.raises(InvalidTransitionError, match="unknown state"):
        orchestrator.list_runs("sleeping")


def test_a_run_that_is_not_there(orchestrator: penstock.Orchestrator) -> None:
    """Every question and every move about it raises NotFoundError, a ValueError."""
    orchestrator.create_run("ws-a")
    asked: list[Callable[[str], Any]] = [
        orchestrator.get_run_status,
        orchestrator.get_run_steps,
        orchestrator.get_run_events,
        orchestrator.start_run,
        orchestrator.execute_run,
        orchestrator._pre_flight_checks,
    ]
    for ask in asked:
        with pytest.raises(NotFoundError):
            ask("run-none")


def test_moves_are_in_the_log_of_the_orchestrator(
    orchestrator: penstock.Orchestrator, project: Project
) -> None:
    """What is done through the class is logged and audited like what a command does."""
    run_id = orchestrator.create_run("ws-a")
    orchestrator.start_run(run_id)
    lines = (project.root / "logs/orchestrator.log").read_text().splitlines()
    assert any(run_id in line and "running" in line for line in lines)


def test_how_far_a_run_has_come(orchestrator: penstock.Orchestrator) -> None:
    """The documented snapshot and metrics, as dicts."""
    run_id = orchestrator.create_run(["ws-a", "ws-b"])
    orchestrator.execute_workstream("ws-a", run_id)
    snapshot = orchestrator.get_run_progress(run_id)
    assert (snapshot["total_tasks"], snapshot["completed_tasks"]) == (2, 1)
    assert snapshot["completion_percent"] == 50
    metrics = orchestrator.get_run_metrics(run_id)
    assert metrics["total_steps"] == len(orchestrator.get_run_steps(run_id))
    assert metrics["total_events"] == len(orchestrator.get_run_events(run_id))


# -- steering --------------------------------------------------------------------------------------
def test_a_gate_and_the_result(orchestrator: penstock.Orchestrator, project: Project) -> None:
    """A gate is approved, the run goes on to its end, and its result is handed over."""
    project.configure(approvals=[1])
    git(project.root, "branch", "target")
    run_id = orchestrator.create_run("ws-a")
    assert orchestrator.execute_run(run_id)["status"] == "running"
    assert orchestrator.approve_gate(run_id, by="ada") == 1
    assert orchestrator.execute_run(run_id)["status"] == "succeeded"
    done = orchestrator.integrate_run(run_id, "target", strategy="squash")
    assert (done["into"], done["missing"]) == ("target", [])
    assert git(project.root, "show", "target:ws-a.txt") == "good"


# -- pre-flight ------------------------------------------------------------------------------------
def test_a_healthy_machine(orchestrator: penstock.Orchestrator) -> None:
    """The documented keys; of versions that nobody has pinned none has drifted."""
    report = orchestrator._pre_flight_checks()
    assert report["pre_flight_passed"] is True
    assert report["health_status"] in ("healthy", "degraded")
    assert report["version_drift"] == 0
    assert set(report["health_summary"]) == {"pass", "warn", "fail"}
    assert sum(report["health_summary"].values()) == len(report["checks"])


def test_checking_makes_nothing(orchestrator: penstock.Orchestrator, project: Project) -> None:
    """Without a run, no journal is made for the sake of looking."""
    orchestrator._pre_flight_checks()
    assert not (project.root / "state").exists()


def test_a_tool_that_is_not_there_fails(
    orchestrator: penstock.Orchestrator, project: Project
) -> None:
    """The tools of the run are looked at, and nothing starts without one."""
    profiles = {"gone": {"type": "ai", "command": "no-such-program-anywhere"}}
    (project.root / "config/tool_profiles.json").write_text(json.dumps(profiles))
    project.configure(static_tools=[], runtime_tools=[])
    run_id = orchestrator.create_run(one(tool="gone"))
    with pytest.raises(PreFlightError, match=r"System health check failed: tool gone"):
        orchestrator.execute_workstream("ws-c", run_id)
    (event,) = orchestrator.get_run_events(run_id, event_type="preflight")
    assert event["payload"]["health_status"] == "unhealthy"
    assert orchestrator.get_run_steps(run_id) == []


def test_too_little_room_fails(orchestrator: penstock.Orchestrator, project: Project) -> None:
    """It is a RuntimeError, as documented, and names limit and key."""
    project.configure(limits={"min_free_mb": 1 << 40})
    with pytest.raises(RuntimeError, match=r"disk: .* needed \(limits\.min_free_mb\)"):
        orchestrator._pre_flight_checks()


def test_a_broken_configuration_fails(
    orchestrator: penstock.Orchestrator, project: Project
) -> None:
    """The file that cannot be read is named."""
    (project.root / "config/pipeline.yaml").write_text("limits: 7\n")
    with pytest.raises(PreFlightError, match=r"config: .*pipeline\.yaml"):
        orchestrator._pre_flight_checks()


def test_outside_of_a_repository(tmp_path: Path) -> None:
    """git is what is missing there."""
    with pytest.raises(PreFlightError, match=r"git: .*not inside a git repository"):
        penstock.Orchestrator(tmp_path)._pre_flight_checks()
