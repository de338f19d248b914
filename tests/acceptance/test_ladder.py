"""The ladder within a workstream: it chooses the tool of FIX n, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import ConfigError
from penstock.model.events import EventType
from tests.support.pipeline import Project, says
from tests.support.repos import write

FILE = "ws-a.txt"
RIGHT = f"open({FILE!r}, 'w').write('good\\n')\n"
WRONG = f"f = open({FILE!r}, 'a'); f.write('bad\\n')\n"
LIMITS = {"max_attempts_per_step": 5, "max_attempts_per_error_signature": 0}
AGENTS = {"aider": {"tool": "first"}, "codex": {"tool": "second"}, "claude": {"tool": "agent"}}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A workstream whose own edit the linter refuses, and programs for the three agents."""
    project = Project(tmp_path / "project")
    project.bundle("ws-a", says("bad\n"))
    project.breakers(**LIMITS, max_fix_attempts_per_step=3)
    for name in ("first", "second", "agent"):
        project.agent(WRONG, name)
    return project


def ladder(project: Project, **changes: dict[str, Any]) -> None:
    """Write config/agent_profiles.json."""
    agents = {name: {**AGENTS[name], **changes.get(name, {})} for name in AGENTS}
    write(project.root, {"config/agent_profiles.json": json.dumps({"agents": agents})})


def takers(project: Project) -> list[str | None]:
    """Return the tool of each EDIT and FIX turn."""
    return [a.tool_id for a in project.attempts("ws-a") if a.step_name in ("edit", "fix")]


def test_each_fix_goes_one_tier_up(project: Project) -> None:
    """Until one of them mends it."""
    ladder(project)
    project.agent(RIGHT)
    assert project.run_one().final_status == "done"
    assert takers(project) == ["scripted", "first", "second", "agent"]
    turns = [e.payload["turn"] for e in project.events(EventType.FIX_ESCALATED)]
    assert turns == [1, 2, 3]


def test_the_budgets_stay_those_of_the_breakers(project: Project) -> None:
    """With two FIX turns allowed, the third tier is never asked."""
    ladder(project)
    project.breakers(**LIMITS, max_fix_attempts_per_step=2)
    assert project.run_one().final_status == "failed"
    assert takers(project) == ["scripted", "first", "second"]
    assert project.tripped() == ["fix_attempts"]


def test_without_the_file_there_is_no_ladder(project: Project) -> None:
    """The workstream's own tool takes its FIX turns."""
    project.bundle("ws-a", says("bad\n"), says("good\n"))
    assert project.run_one().final_status == "done"
    assert takers(project) == ["scripted", "scripted"]
    assert project.events(EventType.FIX_ESCALATED) == []


def test_the_tool_that_the_user_names_beats_it(project: Project) -> None:
    """`--tool` is for every turn."""
    ladder(project)
    project.agent(RIGHT)
    assert project.run_one(tool="agent").final_status == "done"
    assert takers(project) == ["agent"]


def test_an_agent_that_is_not_installed_is_passed_over(project: Project) -> None:
    """And the event says why."""
    profiles = json.loads((project.root / "config/tool_profiles.json").read_text())
    profiles["first"]["command"] = "no-such-program"
    write(project.root, {"config/tool_profiles.json": json.dumps(profiles)})
    ladder(project)
    project.agent(RIGHT, "second")
    assert project.run_one().final_status == "done"
    assert takers(project) == ["scripted", "second"]
    (event,) = project.events(EventType.FIX_ESCALATED)
    assert "no-such-program is not on the PATH" in event.payload["passed_over"][0]["reason"]


def test_a_tier_brings_its_variables_and_flags(project: Project) -> None:
    """They reach the tool's process, and a secret among them stays out of every file of ours."""
    ladder(project, aider={"env_vars": {"MY_API_KEY": "s3cret-value-1"}, "flags": ["--deep"]})
    telling = "import os, sys; print(sys.argv[1:], os.environ['MY_API_KEY'], flush=True)\n"
    project.agent(telling + RIGHT, "first")
    assert project.run_one().final_status == "done"
    kept = project.everything_kept()
    assert b"['--deep'] [REDACTED]" in kept
    assert b"s3cret-value-1" not in kept


def test_a_tier_brings_its_time_limit(project: Project) -> None:
    """It takes the place of the usual one."""
    ladder(project, aider={"timeout_seconds": 0.5})
    project.agent("import time; time.sleep(60)", "first")
    project.agent(RIGHT, "second")
    assert project.run_one().final_status == "done"
    outcomes = [a.result["outcome"] for a in project.attempts("ws-a") if a.step_name == "fix"]
    assert outcomes == ["timeout", "edited"]


def test_a_capability_is_routed_with_the_tiers_tool_first(project: Project) -> None:
    """The other tools of the rule stay its fallbacks."""
    project.rules(code_generation={"primary": "agent", "fallback": ["second"]})
    project.bundle("ws-a", tool="scripted", capability="code_generation", capability_payload={})
    ladder(project)
    project.agent("import sys; sys.exit(3)\n", "first")
    project.agent(RIGHT, "second")
    project.agent(f"open({FILE!r}, 'w').write('bad\\n')\n")
    done = project.run_one()
    assert (done.final_status, takers(project)[0]) == ("done", "agent")
    assert "first" in takers(project)


def test_a_profile_that_names_no_tool_of_ours_is_refused_before_the_run(project: Project) -> None:
    """With the file and the key."""
    ladder(project, codex={"tool": "codx"})
    with pytest.raises(ConfigError, match=r"agents.codex.tool: there is no tool 'codx'"):
        project.run()


def test_with_nobody_on_the_ladder_the_workstreams_own_tool_goes_on(project: Project) -> None:
    """No agent can be started, and the event says so."""
    project.bundle("ws-a", says("bad\n"), says("good\n"))
    ladder(project, **{name: {"tool": "gone"} for name in AGENTS})
    profiles = json.loads((project.root / "config/tool_profiles.json").read_text())
    profiles["gone"] = {"type": "ai", "command": "no-such-program"}
    write(project.root, {"config/tool_profiles.json": json.dumps(profiles)})
    assert project.run_one().final_status == "done"
    assert takers(project) == ["scripted", "scripted"]
    (event,) = project.events(EventType.FIX_ESCALATED)
    assert (event.payload["agent"], event.payload["tool_id"]) == (None, "scripted")


def test_a_tier_that_names_a_capability_is_routed_by_its_rule(project: Project) -> None:
    """Though the bundle has a tool of its own."""
    project.rules(code_generation={"primary": "second"})
    agents = {"agents": {"aider": {"capability": "code_generation"}}}
    write(project.root, {"config/agent_profiles.json": json.dumps(agents)})
    project.agent(RIGHT, "second")
    assert project.run_one().final_status == "done"
    assert takers(project) == ["scripted", "second"]
