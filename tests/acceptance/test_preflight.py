"""The look before `penstock run`, `resume` and `retry`: what it stops, what it shows, what is kept."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from penstock.examining import examining
from penstock.wiring import open_workspace
from tests.support.cli import Said, bundle, write_bundles
from tests.support.machines import Desk, make_desk

AGENT = {"agent": {"type": "ai", "command": "no-such-agent"}}


@pytest.fixture
def desk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    """A repository with one bundle, on a machine with one AI tool."""
    made = make_desk(tmp_path, capsys, monkeypatch)
    write_bundles(made.root, bundle("ws-one"))
    return made


def write_settings(desk: Desk, name: str, value: Any) -> None:
    """Write a file of `config/`, as JSON."""
    folder = desk.root / "config"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(value), encoding="utf-8")


def preflights(desk: Desk, run_id: str = "run-1") -> list[dict[str, Any]]:
    """Return what a run keeps of the looks before it."""
    with open_workspace(desk.root) as workspace:
        events = workspace.reader.list_events(run_id=run_id)
        return [dict(event.payload) for event in events if event.event_type == "preflight"]


def audited(desk: Desk) -> list[dict[str, Any]]:
    """Return the health checks that the audit trail knows of."""
    lines = [json.loads(line) for line in desk.audit_lines()]
    return [line for line in lines if line.get("event_type") == "health_check"]


def run(desk: Desk, *more: str) -> Said:
    """Run the bundle as run-1."""
    return desk.penstock("run", "ws-one", "--run-id", "run-1", *more)


# -- when all is well ------------------------------------------------------------------------
def test_a_healthy_machine_is_not_talked_about(desk: Desk) -> None:
    """Nothing is shown beside the run's own lines, and the run is made."""
    said = run(desk)
    assert said.code == 0, said.err
    assert "Pre-flight" not in said.out + said.err


def test_what_a_run_keeps(desk: Desk) -> None:
    """The documented members, and every program of the run with its version and place."""
    run(desk)
    (kept,) = preflights(desk)
    assert kept["health_status"] == "healthy"
    assert kept["pre_flight_passed"] is True
    assert kept["version_drift"] == 0
    assert kept["tools"]["scripted"]["role"] == "turn"
    assert kept["skipped"] is None
    assert {"name", "status", "message"} == set(kept["checks"][0])


def test_what_the_trail_keeps(desk: Desk) -> None:
    """The same goes into the audit trail, under the run's id."""
    run(desk)
    (entry,) = audited(desk)
    assert entry["run_id"] == "run-1"
    assert entry["details"] == preflights(desk)[0]


def test_a_dry_run_looks_at_nothing(desk: Desk) -> None:
    """It starts and writes nothing, and works without the tool."""
    write_settings(desk, "tool_profiles.json", AGENT)
    assert run(desk, "--dry-run", "--tool", "agent").code == 0
    assert not (desk.root / "state").exists()


# -- what stops a run ------------------------------------------------------------------------
def test_a_tool_that_is_not_there(desk: Desk) -> None:
    """The run is not begun: no run, no worktree, nothing spent."""
    write_settings(desk, "tool_profiles.json", AGENT)
    said = run(desk, "--tool", "agent")
    assert said.code == 2
    assert "System health check failed: tool agent:" in said.err
    assert not (desk.root / ".worktrees").exists()
    assert desk.penstock("status", "--json").json["runs"] == []


def test_a_refusal_is_recorded(desk: Desk) -> None:
    """There is no run to keep it, so the trail does."""
    desk.configure(environment={"healthChecks": {"requiredCommands": ["no-such-program"]}})
    assert run(desk).code == 2
    (entry,) = audited(desk)
    assert entry["severity"] == "warning"
    assert entry["message"] == "pre-flight of a run that was not begun: unhealthy"
    assert "required_commands" in entry["details"]["findings"]


def test_tools_that_the_run_does_not_use_are_no_failure(desk: Desk) -> None:
    """A machine without any AI tool runs what needs none."""
    desk.remove("codex")
    assert desk("health", "verify").code == 1
    said = run(desk)
    assert (said.code, "Pre-flight" in said.err) == (0, False)


def test_a_check_that_is_not_there(desk: Desk) -> None:
    """A program that would judge the work is asked for before the work is paid for."""
    lint = {"lint": {"type": "static-check", "command": "no-such-linter"}}
    write_settings(desk, "tool_profiles.json", lint)
    write_settings(desk, "pipeline.yaml", {"static_tools": ["lint"]})
    said = run(desk)
    assert said.code == 2
    assert "check lint: no-such-linter is not installed" in said.err


def test_a_tool_for_which_others_may_stand_in(desk: Desk) -> None:
    """AIM chooses the tool of a capability, so that the bundle's own need not be there."""
    write_settings(desk, "tool_profiles.json", AGENT)
    with open_workspace(desk.root) as workspace:
        found = workspace.preflight((), optional=["agent"])
    assert found.passed
    (tool,) = [tool for tool in found.tools if tool.tool_id == "agent"]
    assert tool.problem is not None


def test_a_foreign_journal(desk: Desk) -> None:
    """A file that is no journal of ours stops the run, and is left as it is."""
    (desk.root / "state").mkdir()
    (desk.root / "state" / "pipeline.db").write_bytes(b"SQLite format 3\0" + b"rubbish" * 999)
    before = (desk.root / "state" / "pipeline.db").read_bytes()
    said = run(desk)
    assert said.code == 2
    assert (desk.root / "state" / "pipeline.db").read_bytes() == before


def test_an_unknown_tool_is_told_as_ever(desk: Desk) -> None:
    """A name that nobody knows is a mistake in the command line, not the machine's illness."""
    said = run(desk, "--tool", "no-such-tool")
    assert said.code == 2
    assert "no-such-tool" in said.err
    assert "health" not in said.err


def test_a_damaged_trail(desk: Desk) -> None:
    """A run whose evidence would continue a forged chain is not begun."""
    run(desk)
    (file,) = (desk.root / ".AIM_ai-tools-registry/AIM_audit").glob("*/audit.jsonl")
    file.write_bytes(file.read_bytes().replace(b"healthy", b"wealthy", 1))
    said = desk.penstock("run", "ws-one", "--run-id", "run-2")
    assert said.code == 2
    assert "aim audit verify" in said.err


def test_a_git_that_never_answers(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run would wait for it for ever; it is told instead, and git is ended."""
    monkeypatch.setattr(examining, "PATIENCE_S", 0.3)
    real = shutil.which("git", path="/usr/bin:/bin")
    hanging = f'case "$*" in *rev-parse*) exec sleep 60;; *) exec {real} "$@";; esac'
    desk.machine.program("git", hanging)
    with open_workspace(desk.root) as workspace:
        found = workspace.preflight()
    assert not found.passed
    with pytest.raises(RuntimeError, match=r"git: git rev-parse did not answer within 0\.3 s"):
        found.require_passed()


# -- what is only shown ----------------------------------------------------------------------
def test_a_warning_is_shown_and_the_run_made(desk: Desk) -> None:
    """What warns is told on stderr with what mends it, and stdout stays the document."""
    paths = ["gone", ".", "README.md"]
    desk.configure(environment={"healthChecks": {"requiredPaths": paths}})
    said = run(desk, "--json")
    assert said.code == 0
    assert said.json["status"] == "succeeded"
    assert "Pre-flight: degraded (" in said.err
    assert "warn  required_paths: 1 of 3 required paths missing: gone" in said.err


def test_drift_only_warns(desk: Desk) -> None:
    """A tool of another version than pinned is told, counted and no obstacle."""
    desk.configure(environment={"versionPins": {"tools": {"codex": "9.9.9"}}})
    said = run(desk)
    assert said.code == 0
    assert "Version drift detected: 1 tools: codex is 0.50.0, pinned 9.9.9" in said.err
    assert preflights(desk)[0]["version_drift"] == 1


# -- when nobody wants it --------------------------------------------------------------------
def test_without_a_look(desk: Desk) -> None:
    """`--no-preflight` starts at once, and that is kept with the run and in the trail."""
    desk.configure(environment={"healthChecks": {"requiredCommands": ["no-such-program"]}})
    assert run(desk, "--no-preflight").code == 0
    (kept,) = preflights(desk)
    assert (kept["health_status"], kept["skipped"]) == ("skipped", "--no-preflight")
    assert kept["pre_flight_passed"] is None
    assert audited(desk)[0]["details"]["skipped"] == "--no-preflight"


@pytest.mark.parametrize(
    "section",
    [
        {"health": False, "versions": False},
        {"health": True, "versions": False},
    ],
)
def test_settings_that_want_none(desk: Desk, section: dict[str, Any]) -> None:
    """aim_config can switch all of it off, in either place; the run keeps who did."""
    checks = {"enabled": not section["health"], "requiredCommands": ["no-such-program"]}
    desk.configure(environment={"preflight": section, "healthChecks": checks})
    assert run(desk).code == 0
    assert preflights(desk)[0]["skipped"] == "environment.preflight of aim_config"


def test_settings_without_health(desk: Desk) -> None:
    """With `health: false` pins are still compared, and nothing else stops the run."""
    checks = {"requiredCommands": ["no-such-program"]}
    desk.configure(environment={"preflight": {"health": False}, "healthChecks": checks})
    assert run(desk).code == 0
    assert [check["name"] for check in preflights(desk)[0]["checks"]] == ["versions"]


def test_settings_without_versions(desk: Desk) -> None:
    """With `versions: false` nobody looks at pins."""
    pins = {"versionPins": {"tools": {"codex": "9.9.9"}}, "preflight": {"versions": False}}
    desk.configure(environment=pins)
    assert "drift" not in run(desk).err
    assert preflights(desk)[0]["version_drift"] is None


# -- going on --------------------------------------------------------------------------------
def test_going_on_looks_again(desk: Desk) -> None:
    """`retry` and `resume` look, too, at the tools of what is left, and keep it with the run."""
    write_bundles(desk.root, bundle("ws-one", metadata={"scripted": [{"edits": {"x.txt": "x"}}]}))
    assert run(desk).code == 1
    assert desk.penstock("retry", "run-1", "--failed").code == 1
    assert [kept["health_status"] for kept in preflights(desk)] == ["healthy", "healthy"]


def test_going_on_can_be_stopped(desk: Desk) -> None:
    """A machine that has become unfit does not go on; the run waits as it was."""
    with open_workspace(desk.root) as workspace:
        workspace.sync_bundles("run-1", workspace.valid_bundles())
    desk.configure(environment={"healthChecks": {"requiredCommands": ["no-such-program"]}})
    assert desk.penstock("resume", "run-1").code == 2
    desk.configure(environment={})
    assert desk.penstock("resume", "run-1").code == 0


def test_a_step_that_needs_no_tool(desk: Desk) -> None:
    """What is retried from its integration on needs no tool that edits."""
    with open_workspace(desk.root) as workspace:
        workspace.sync_bundles("run-1", workspace.valid_bundles())
        rows = workspace.reader.list_workstreams("run-1")
        assert [one.id for one in workspace.bundles_of(rows)] == ["ws-one"]
        assert workspace.tools_of(workspace.bundles_of(())) == ((), ())
