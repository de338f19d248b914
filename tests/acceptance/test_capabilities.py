"""A workstream names a capability: the work lands whatever becomes of the first choice."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest

from penstock.audit.trail import FileTrail
from penstock.errors import AIMAuditLogError
from penstock.model.events import EventType
from tests.support.pipeline import Project, says
from tests.support.repos import git, write

GOOD = "open('ws-a.txt', 'w').write('fine\\n')\n"
CAPABLE = {"capability": "code_generation", "capability_payload": {"max_retries": 0}}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose code_generation goes to `first`, then to `second`."""
    project = Project(tmp_path / "project")
    project.rules(code_generation={"primary": "first", "fallback": ["second"]})
    project.agent(GOOD, "first")
    project.agent(GOOD, "second")
    return project


def tools(project: Project) -> list[tuple[str | None, str]]:
    """Return (tool, outcome) of each EDIT turn."""
    return [
        (a.tool_id, a.result["outcome"]) for a in project.attempts("ws-a") if a.step_name == "edit"
    ]


def test_the_first_tool_takes_it(project: Project) -> None:
    """The rule's primary does the work, not the bundle's own tool."""
    project.bundle("ws-a", says("no\n"), **CAPABLE)
    assert project.run_one().final_status == "done"
    assert tools(project) == [("first", "edited")]


FAULTS = {
    "crashed": "import sys; sys.exit(3)",
    "no_change": "pass",
    "killed": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "outside the scope": "open('ws-a.txt', 'w').write('x'); open('README.md', 'w').write('mine')",
}


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_the_next_tool_takes_over(project: Project, fault: str) -> None:
    """What the first one did is undone and kept as a patch, and the second one's work lands."""
    project.agent(FAULTS[fault], "first")
    project.bundle("ws-a", says("no\n"), **CAPABLE)
    assert project.run_one().final_status == "done"
    assert [tool for tool, _ in tools(project)] == ["first", "second"]
    assert project.integrated("ws-a.txt") == "fine"
    assert project.integrated("README.md") == "a project"


def test_a_tool_that_is_not_installed_is_passed_over(project: Project) -> None:
    """It is not even started, and the routing says why."""
    project.rules(code_generation={"primary": "jules", "fallback": ["second"]})
    project.bundle("ws-a", says("no\n"), **CAPABLE)
    assert project.run_one().final_status == "done"
    assert tools(project) == [("second", "edited")]
    (event,) = project.events(EventType.CAPABILITY_ROUTED)
    assert event.payload["rejected"][0]["tool_id"] == "jules"


def test_a_silent_tool_is_not_repeated(project: Project) -> None:
    """The wall limit of the payload ends it, and the next one is tried."""
    project.agent("import time; time.sleep(60)", "first")
    project.bundle(
        "ws-a",
        says("no\n"),
        capability="code_generation",
        capability_payload={"timeout_ms": 1000, "max_retries": 3},
    )
    assert project.run_one().final_status == "done"
    assert tools(project) == [("first", "timeout"), ("second", "edited")]


def test_a_crash_is_tried_once_more_first(project: Project) -> None:
    """max_retries of the payload counts."""
    project.agent("import sys; sys.exit(3)", "first")
    project.bundle(
        "ws-a", says("no\n"), capability="code_generation", capability_payload={"max_retries": 1}
    )
    assert project.run_one().final_status == "done"
    assert [tool for tool, _ in tools(project)] == ["first", "first", "second"]


def test_a_crash_is_tried_once_more_where_nothing_is_said(project: Project) -> None:
    """One retry is the usual thing, without a word of the payload or the rule."""
    project.agent("import sys; sys.exit(3)", "first")
    project.bundle("ws-a", says("no\n"), capability="code_generation")
    assert project.run_one().final_status == "done"
    assert [tool for tool, _ in tools(project)] == ["first", "first", "second"]


def test_the_bundles_own_tool_is_the_last_resort(project: Project) -> None:
    """When all of the rule fail, the direct tool is asked."""
    project.agent(FAULTS["no_change"], "first")
    project.agent(FAULTS["no_change"], "second")
    project.bundle("ws-a", says("fine\n"), **CAPABLE)
    assert project.run_one().final_status == "done"
    assert [tool for tool, _ in tools(project)] == ["first", "second", "scripted"]


def test_when_all_fail_one_message_lists_every_attempt(project: Project) -> None:
    """Each with its cause."""
    for name in ("first", "second"):
        project.agent(FAULTS["no_change"], name)
    project.bundle("ws-a", {}, **CAPABLE)
    reason = project.run_one().reason or ""
    assert "All tools failed for capability code_generation" in reason
    for tool in ("first", "second", "scripted"):
        assert f"{tool}: {tool} changed nothing" in reason


def test_a_forbidden_path_is_refused_before_anything_starts(project: Project) -> None:
    """No tool is started, the direct one neither."""
    write(project.root, {"build/out.py": "x"})
    git(project.root, "add", "-f", "build/out.py")
    git(project.root, "commit", "-qm", "a build")
    payload = {"files": ["build/out.py"], "prompt": "x"}
    project.bundle("ws-a", says("fine\n"), capability="code_generation", capability_payload=payload)
    found = project.run_one()
    assert found.final_status == "failed"
    assert "refused" in (found.reason or "")
    assert found.steps == ()
    (day,) = (project.root / ".AIM_ai-tools-registry/AIM_audit").glob("2*")
    assert '"event_type":"error"' in (day / "audit.jsonl").read_text()


def test_a_workstream_may_wish_for_a_tool(project: Project) -> None:
    """`tool` of the payload comes first, the rule's tools stay its fallbacks."""
    project.agent("pass")
    payload = {"tool": "agent", "max_retries": 0}
    project.bundle("ws-a", says("no\n"), capability="code_generation", capability_payload=payload)
    assert project.run_one().final_status == "done"
    assert [tool for tool, _ in tools(project)] == ["agent", "first"]


def test_aim_switched_off_means_the_bundles_own_tool(project: Project) -> None:
    """With the documented warning."""
    write(
        project.root, {"config/aim_config.json": json.dumps({"version": "1", "enable_aim": False})}
    )
    project.bundle("ws-a", says("fine\n"), **CAPABLE)
    assert project.run_one().final_status == "done"
    assert tools(project) == [("scripted", "edited")]
    (event,) = project.events(EventType.AIM_UNAVAILABLE)
    assert "AIM unavailable, using direct invocation" in event.payload["message"]


def test_a_tool_of_the_command_line_beats_a_capability(project: Project) -> None:
    """--tool is the user's word."""
    project.bundle("ws-a", says("fine\n"), **CAPABLE)
    assert project.run_one(tool="scripted").final_status == "done"
    assert tools(project) == [("scripted", "edited")]


def test_a_broken_tool_cools_down(project: Project) -> None:
    """A tool that cannot be used is not asked again by the next run."""
    project.rules(code_generation={"primary": "scripted", "fallback": ["second"]})
    project.bundle("ws-a", {"claim": "auth"}, **CAPABLE)
    project.run()
    assert [tool for tool, _ in tools(project)] == ["scripted", "second"]
    project.run(run_id="run-2")
    second = [a.tool_id for a in project.attempts("ws-a", "run-2") if a.step_name == "edit"]
    assert second == ["second"]


def test_every_turn_is_in_the_audit_trail(project: Project) -> None:
    """Both attempts with outcome and routing, the beginning and the end of the workstream."""
    project.agent(FAULTS["no_change"], "first")
    project.bundle("ws-a", says("no\n"), **CAPABLE)
    project.run()
    (day,) = (project.root / ".AIM_ai-tools-registry/AIM_audit").glob("2*")
    entries = [json.loads(line) for line in (day / "audit.jsonl").read_text().splitlines()]
    calls = [e for e in entries if e["kind"] == "invocation"]
    assert [(c["tool_id"], c["result"]["success"]) for c in calls] == [
        ("first", False), ("second", True),
    ]  # fmt: skip
    assert {e["event_type"] for e in entries if e["kind"] == "event"} >= {
        "workstream_start", "workstream_end",
    }  # fmt: skip


def test_auditing_can_be_switched_off(project: Project) -> None:
    """Then nothing is written."""
    switches = {"version": "1", "enable_audit_logging": False}
    write(project.root, {"config/aim_config.json": json.dumps(switches)})
    project.bundle("ws-a", says("no\n"), **CAPABLE)
    assert project.run_one().final_status == "done"
    assert not (project.root / ".AIM_ai-tools-registry/AIM_audit").exists()


@pytest.mark.parametrize(("text", "status"), [("x = 1\n", "done"), ("import os\n", "failed")])
def test_a_linter_is_judged_by_its_result(
    project: Project, text: str, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a change it may pass; what it finds fails the workstream, and nobody is asked after."""
    beside_python = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", os.pathsep.join((beside_python, os.environ["PATH"])))
    write(project.root, {"code.py": text})
    git(project.root, "add", "code.py")
    git(project.root, "commit", "-qm", "code")
    project.configure(static_tools=[], runtime_tools=[])
    project.rules(linting={"primary": "ruff", "fallback": ["second"]})
    project.bundle("ws-a", says("no\n"), capability="linting", files_scope=["code.py"])
    assert project.run_one().final_status == status
    assert [tool for tool, _ in tools(project)] == ["ruff"]


ADAPTER = """\
import json, sys
asked = json.load(sys.stdin)
if asked["payload"]["prompt"]:
    open("ws-a.txt", "w").write("by an adapter\\n")
print(json.dumps({"success": True, "message": "done", "content": {"files_created": ["ws-a.txt"]}}))
"""


def test_an_adapter_of_the_registry_takes_a_capability(project: Project) -> None:
    """A Python program that reads one JSON object and writes one is a tool like any other."""
    registry = {
        "tools": {"mine": {"name": "Mine", "detectCommands": ["python3"]}},
    }
    write(
        project.root,
        {
            ".AIM_ai-tools-registry/AIM_registry.json": json.dumps(registry),
            ".AIM_ai-tools-registry/AIM_adapters/AIM_mine.py": ADAPTER,
        },
    )
    project.rules(code_generation={"primary": "mine", "fallback": ["second"]})
    project.bundle("ws-a", says("no\n"), **CAPABLE)
    assert project.run_one().final_status == "done"
    assert tools(project) == [("mine", "edited")]
    assert project.integrated("ws-a.txt") == "by an adapter"


def test_an_unwritable_trail_stops_a_run_before_it_starts(project: Project) -> None:
    """Work that leaves no trail is not begun."""
    write(project.root, {".AIM_ai-tools-registry/AIM_audit": "a file where the folder should be"})
    project.bundle("ws-a", says("no\n"), **CAPABLE)
    with pytest.raises(AIMAuditLogError):
        project.run()
    assert project.steps("ws-a") == []


def test_old_days_of_the_trail_go_with_the_next_run(project: Project) -> None:
    """audit_log_retention_days takes effect; the rest still verifies."""
    project.bundle("ws-a", says("no\n"), **CAPABLE)
    folder = project.root / ".AIM_ai-tools-registry/AIM_audit"
    old = FileTrail(folder, clock=lambda: time.time() - 40 * 86_400)
    old.event("error", "long ago")
    old.close()
    (day,) = folder.glob("2*")
    project.run()
    assert not (day / "audit.jsonl").exists()
    with project.workspace() as workspace:
        assert workspace.trail is not None
        assert workspace.trail.verify().ok


def test_when_all_are_rate_limited_the_stated_reset_is_waited_for(project: Project) -> None:
    """The only tool of the rule says until when; after that it is asked again."""
    project.rules(code_generation={"primary": "scripted"})
    project.bundle("ws-a", {"claim": "rate_limited", "reset_in_s": 0.5}, says("fine\n"), **CAPABLE)
    assert project.run_one().final_status == "done"
    assert tools(project) == [("scripted", "rate_limited"), ("scripted", "edited")]


def test_a_wait_that_is_too_long_survives_a_restart(project: Project) -> None:
    """Beyond wait_s the run stays running and says until when; a later resume goes on."""
    project.configure(limits={"wait_s": 0})
    project.rules(code_generation={"primary": "scripted"})
    project.bundle("ws-a", {"claim": "rate_limited", "reset_in_s": 2}, says("fine\n"), **CAPABLE)
    assert project.run().status == "running"
    row = project.row("ws-a")
    assert (row.reason, row.reason_until is not None) == ("rate_limit", True)
    project.configure()
    assert project.resume().status == "succeeded"
