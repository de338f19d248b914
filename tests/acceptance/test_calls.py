"""The documented functions that call a capability at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import penstock
from tests.support.pipeline import Project
from tests.support.repos import write

GOOD = "open('made.py', 'w').write('x = 1\\n')\n"
PAYLOAD = {"files": ["made.py"], "prompt": "make it", "max_retries": 0}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A repository that is the current folder; code_generation goes to `first`, then `second`."""
    project = Project(tmp_path / "project")
    project.rules(code_generation={"primary": "first", "fallback": ["second"]})
    project.agent(GOOD, "first")
    project.agent(GOOD, "second")
    monkeypatch.chdir(project.root)
    return project


def test_a_capability_is_called_with_its_first_tool(project: Project) -> None:
    """The documented keys, and the file that was made."""
    result = penstock.route_capability("code_generation", PAYLOAD)
    assert set(result) == {"success", "message", "content"}
    assert (result["success"], result["content"]["files_created"]) == (True, ["made.py"])


def test_the_next_tool_is_called_when_the_first_fails(project: Project) -> None:
    """And the failed attempt is told."""
    project.agent("import sys; sys.exit(3)", "first")
    result = penstock.execute_with_aim("code_generation", PAYLOAD)
    assert (result.success, result.tool_id, result.exit_code) == (True, "second", 0)


def test_when_all_fail_both_errors_are_told(project: Project) -> None:
    """AIM's and that of the direct tool, each on its line, with exit code 1."""
    for name in ("first", "second", "agent"):
        project.agent("pass", name)
    result = penstock.execute_with_aim("code_generation", PAYLOAD, fallback_tool="agent")
    assert (result.success, result.exit_code, result.tool_id) == (False, 1, "agent")
    first, second = result.stderr.splitlines()
    assert first.startswith("AIM: All tools failed for capability code_generation: first: ")
    assert second.startswith("Fallback: ")


def test_the_direct_tool_serves_when_aim_cannot(project: Project) -> None:
    """A fallback that works is a success."""
    project.agent("pass", "first")
    project.agent("pass", "second")
    project.agent(GOOD)
    result = penstock.execute_with_aim("code_generation", PAYLOAD, fallback_tool="agent")
    assert (result.success, result.tool_id) == (True, "agent")


def test_without_a_fallback_the_failure_is_aims(project: Project) -> None:
    """The tool id is `aim`."""
    project.agent("pass", "first")
    project.agent("pass", "second")
    result = penstock.execute_with_aim("code_generation", PAYLOAD)
    assert (result.tool_id, result.success) == ("aim", False)


def test_an_unknown_capability_is_a_failed_result(project: Project) -> None:
    """route_capability raises nothing for it."""
    result = penstock.route_capability("tea_making", {})
    assert result["success"] is False
    assert "not defined in coordination rules" in result["message"]


def test_a_refusal_never_reaches_the_direct_tool(project: Project) -> None:
    """A security limit is the last word."""
    project.agent(GOOD)
    payload = {"files": ["../outside.py"], "prompt": "x"}
    result = penstock.execute_with_aim("code_generation", payload, fallback_tool="agent")
    assert result.success is False
    assert "refused" in result.stderr
    assert not (project.root / "made.py").exists()


def test_one_tool_can_be_called_directly(project: Project) -> None:
    """invoke_adapter asks no rules."""
    result = penstock.invoke_adapter("second", "code_generation", PAYLOAD, 10)
    assert (result["success"], result["content"]["outcome"]) == (True, "edited")


def test_aim_switched_off_means_the_fallback(project: Project) -> None:
    """As if there were no registry."""
    write(
        project.root, {"config/aim_config.json": json.dumps({"version": "1", "enable_aim": False})}
    )
    project.agent(GOOD)
    assert penstock.is_aim_available() is False
    result = penstock.execute_with_aim("code_generation", PAYLOAD, fallback_tool="agent")
    assert (result.success, result.tool_id) == (True, "agent")


def test_calls_are_in_the_audit_trail(project: Project) -> None:
    """The call of route_capability, and what record_audit_log is given."""
    penstock.route_capability("code_generation", PAYLOAD)
    made = penstock.record_audit_log("first", "review", {}, {"success": True, "message": "fine"})
    (day,) = (project.root / ".AIM_ai-tools-registry/AIM_audit").glob("2*")
    lines = [json.loads(line) for line in (day / "audit.jsonl").read_text().splitlines()]
    assert [entry["capability"] for entry in lines] == ["code_generation", "review"]
    assert lines[-1]["hash"] == made
