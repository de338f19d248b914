"""The documented functions around one workstream, called as the documents show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock.errors import UsageError
from tests.support.pipeline import Project, says
from tests.support.repos import git


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project that is the current folder."""
    project = Project(tmp_path / "project")
    monkeypatch.chdir(project.root)
    return project


def bundle_of(project: Project, ws_id: str) -> dict[str, Any]:
    """Read a bundle back as JSON has it."""
    found: dict[str, Any] = json.loads((project.root / f"workstreams/{ws_id}.json").read_text())
    return found


def test_a_workstream_runs_from_its_bundle(project: Project) -> None:
    """The result has exactly the documented keys."""
    project.bundle("ws-a", says("bad\n"), says("good\n"))
    result = penstock.run_single_workstream_from_bundle("ws-a", "run-1")
    assert set(result) == {"run_id", "ws_id", "final_status", "steps"}
    assert (result["run_id"], result["final_status"]) == ("run-1", "done")
    assert set(result["steps"][0]) == {"step_name", "success", "details", "error_message"}


def test_a_bundle_may_be_given_as_a_dict(project: Project) -> None:
    """run_workstream takes what was loaded elsewhere; the id given wins."""
    project.bundle("ws-a", says("fine\n"))
    result = penstock.run_workstream("run-1", "ws-b", bundle_of(project, "ws-a"))
    assert (result["ws_id"], result["final_status"]) == ("ws-b", "done")


def test_a_dry_run_writes_nothing(project: Project) -> None:
    """No folder of ours, no branch, and the result says that it was dry."""
    project.bundle("ws-a", says("fine\n"))
    result = penstock.run_single_workstream_from_bundle("ws-a", None, {"dry_run": True})
    assert (result["dry_run"], result["final_status"]) == (True, "done")
    assert not (project.root / "state").exists()
    assert not (project.root / "logs").exists()
    assert git(project.root, "branch", "--list", "workstream/*", "integration/*") == ""


def test_the_context_chooses_the_checks(project: Project) -> None:
    """static_tools and runtime_tool of the context beat the configuration."""
    project.bundle("ws-a", says("bad fail\n"))
    context = {"static_tools": [], "runtime_tool": "lint"}
    result = penstock.run_single_workstream_from_bundle("ws-a", "run-1", context)
    assert result["final_status"] == "failed"
    assert [s["step_name"] for s in result["steps"][:3]] == ["edit", "static", "runtime"]


def test_the_steps_can_be_taken_one_by_one(project: Project) -> None:
    """EDIT, a static check, STATIC with fixes, RUNTIME: each works on its own step only."""
    project.bundle("ws-a", says("bad\n"), says("good\n"))
    edit = penstock.run_edit_step("run-1", "ws-a", bundle_of(project, "ws-a"))
    assert (edit["step_name"], edit["success"]) == ("edit", True)
    assert penstock.run_static_step("run-1", "ws-a")["success"] is False
    assert penstock.run_static_with_fix("run-1", "ws-a")["success"] is True
    assert project.row("ws-a").status.value == "runtime_tests"
    assert penstock.run_runtime_step("run-1", "ws-a")["success"] is True
    assert penstock.run_runtime_with_fix("run-1", "ws-a")["success"] is True
    assert project.integrated("ws-a.txt") == "good"


def test_a_step_out_of_turn_is_refused(project: Project) -> None:
    """RUNTIME cannot be run before EDIT."""
    project.bundle("ws-a", says("fine\n"))
    penstock.run_edit_step("run-1", "ws-a", bundle_of(project, "ws-a"))
    with pytest.raises(UsageError, match="its runtime step cannot be run now"):
        penstock.run_runtime_with_fix("run-1", "ws-a")
