"""Refining a plan with real processes: the scripted tool and programs of the user's."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any

import pytest
from msgspec import structs

from penstock.errors import (
    AIMAllToolsFailedError,
    AIMCapabilityNotFoundError,
    AIMRegistryNotFoundError,
    ClaimError,
    RepositoryError,
    UsageError,
)
from penstock.planning.refining.api import ANSWER_FILE, Refined
from penstock.wiring import Workspace
from tests.support.cli import PENSTOCK, plain_environment
from tests.support.pipeline import Project
from tests.support.refining import FILES, PLAN, Proposal, make_plan
from tests.support.repos import git, state_of, write

PLANNING = {"primary": "scripted", "context_requirements": {"prompt": "required"}}
BETTER = (
    "import json\n"
    f"name = {ANSWER_FILE!r}\n"
    "plan = json.load(open(name))\n"
    "plan['workstreams'][1]['files_scope'].append('docs/more.md')\n"
    "json.dump(plan, open(name, 'w'))\n"
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A repository with the files of the plan, where planning goes to the scripted tool."""
    project = Project(tmp_path / "project")
    write(project.root, {name: f"{name}\n" for name in (*FILES, PLAN)})
    git(project.root, "add", "--all")
    git(project.root, "commit", "--quiet", "--message=files")
    project.rules(planning=PLANNING)
    return project


@pytest.fixture
def workspace(project: Project) -> Iterator[Workspace]:
    """The project, opened."""
    with project.workspace() as opened:
        yield opened


def turn(proposal: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return the scripted turn that writes a proposal down."""
    return {"edits": {ANSWER_FILE: json.dumps(proposal), **more}}


def widened() -> Proposal:
    """Return a proposal that adds a file that is there to the second workstream."""
    proposal = Proposal()
    proposal.stream("ws-plan-g2")["files_scope"].append("docs/more.md")
    return proposal


def refined(workspace: Workspace, proposal: Proposal, **more: Any) -> Refined:
    """Have the scripted tool write a proposal down, and judge it."""
    return workspace.refine(make_plan(), script=[turn(proposal.json, **more)])


def test_the_scripted_tool_makes_a_plan_better(workspace: Workspace) -> None:
    """Its answer is taken, and told to be its own."""
    found = refined(workspace, widened())
    assert (found.refused, found.tool_id, found.changed) == ((), "scripted", True)
    assert found.plan.bundles[1].bundle.files_scope == ("docs/guide.md", "docs/more.md")


def test_the_checkout_and_the_worktrees_stay_as_they_were(
    project: Project, workspace: Workspace
) -> None:
    """What the tool does besides is gone with its tree, and its branch too."""
    before = state_of(project.root)
    refined(workspace, widened(), **{"src/a.py": "broken", "made.py": "x"})
    assert state_of(project.root) == before
    assert git(project.root, "branch", "--list", "workstream/*") == ""


def test_a_bad_answer_is_refused_with_its_diff(workspace: Workspace) -> None:
    """A path that does not exist is not taken."""
    proposal = Proposal()
    proposal.stream("ws-plan-g2")["files_scope"].append("docs/none.md")
    found = refined(workspace, proposal)
    assert found.refused == ("ws-plan-g2: docs/none.md: does not exist, and is not to be created",)
    assert (found.plan, "docs/none.md" in found.diff) == (make_plan(), True)


def test_a_link_out_of_the_repository_is_refused(project: Project, workspace: Workspace) -> None:
    """Also for a file that is to be created behind it."""
    (project.root / "away").symlink_to(project.root.parent, target_is_directory=True)
    proposal = Proposal()
    proposal.stream("ws-plan-g2")["files_create"].append("away/x.md")
    (reason,) = refined(workspace, proposal).refused
    assert reason == "ws-plan-g2: away/x.md: away/x.md leads out of the repository"


def test_no_change_leaves_the_draft(workspace: Workspace) -> None:
    """A tool that finds nothing to make better has not failed."""
    found = workspace.refine(make_plan(), script=[{"output": "fine as it is"}])
    assert (found.plan, found.refused, found.changed) == (make_plan(), (), False)


def test_a_tool_sees_what_is_not_committed(project: Project, workspace: Workspace) -> None:
    """Its tree is laid from the checkout as it is."""
    project.rules(planning={"primary": "first", "context_requirements": {}})
    project.agent(f"assert open('fresh.txt').read() == 'x'\n{BETTER}", "first")
    write(project.root, {"fresh.txt": "x"})
    found = workspace.refine(make_plan())
    assert (found.changed, found.tool_id) == (True, "first")


def test_the_next_tool_gets_the_draft_as_it_was(project: Project, workspace: Workspace) -> None:
    """Whatever the one before has left behind when it failed."""
    project.rules(planning={"primary": "first", "fallback": ["second"], "max_retries": 0})
    project.agent(f"open({ANSWER_FILE!r}, 'w').write('half')\nraise SystemExit(3)", "first")
    project.agent(BETTER, "second")
    found = workspace.refine(make_plan())
    assert (found.changed, found.tool_id, found.refused) == (True, "second", ())


def test_when_all_tools_fail_each_is_named(project: Project, workspace: Workspace) -> None:
    """And the hint tells how to plan without them."""
    project.rules(planning={"primary": "first", "max_retries": 0})
    project.agent("raise SystemExit(3)", "first")
    with pytest.raises(AIMAllToolsFailedError, match="first") as caught:
        workspace.refine(make_plan())
    assert "without --refine" in str(caught.value.hint)


@pytest.mark.parametrize(
    "code",
    [
        f"import os; os.unlink({ANSWER_FILE!r})",
        f"import os; os.unlink({ANSWER_FILE!r}); os.mkdir({ANSWER_FILE!r})",
        f"import os; os.unlink({ANSWER_FILE!r}); os.symlink('/etc/passwd', {ANSWER_FILE!r})",
        f"import os; os.unlink({ANSWER_FILE!r}); os.mkfifo({ANSWER_FILE!r})",
        f"import os; os.truncate({ANSWER_FILE!r}, 1 << 30)",
    ],
    ids=["gone", "folder", "link", "pipe", "huge"],
)
def test_an_answer_that_is_no_file_is_an_error(
    project: Project, workspace: Workspace, code: str
) -> None:
    """Nothing waits for it and nothing else is read."""
    project.rules(planning={"primary": "first"})
    project.agent(code, "first")
    with pytest.raises(UsageError, match="there is no answer"):
        workspace.refine(make_plan())


def test_without_aim_nothing_is_refined(project: Project, workspace: Workspace) -> None:
    """The error names the switch."""
    write(
        project.root, {"config/aim_config.json": json.dumps({"version": "1", "enable_aim": False})}
    )
    with pytest.raises(AIMRegistryNotFoundError, match="AIM"):
        workspace.refine(make_plan())


def test_without_a_rule_nothing_is_refined(project: Project, workspace: Workspace) -> None:
    """A registry may know no capability `planning`."""
    project.rules(code_generation={"primary": "scripted"})
    with pytest.raises(AIMCapabilityNotFoundError, match="planning"):
        workspace.refine(make_plan())


def test_nothing_is_asked_where_nothing_is_open(workspace: Workspace) -> None:
    """No tool is called: there is no script that it could play."""
    empty = structs.replace(make_plan(), bundles=(), needs_scope=())
    assert workspace.refine(empty) == Refined(plan=empty)


def test_without_a_tool_for_the_work_nothing_is_asked(workspace: Workspace) -> None:
    """What needs a scope could not become a workstream, so that no tool is paid for it."""
    plan = make_plan()
    bare = structs.replace(plan, options=structs.replace(plan.options, tool=None))
    with pytest.raises(UsageError, match="which tool does the work"):
        workspace.refine(bare)


def test_outside_of_a_repository_nothing_is_refined(tmp_path: Path) -> None:
    """There is no tree to work in."""
    with Workspace(tmp_path) as workspace, pytest.raises(RepositoryError):
        workspace.refine(make_plan())


def waits(project: Project) -> tuple[Path, Popen[bytes]]:
    """Begin to refine a plan in another process, with a tool that never ends; return its mark."""
    mark = project.root.parent / "mark"
    project.rules(planning={"primary": "first"})
    project.configure(default_tool="scripted")
    project.agent(f"import time\nopen({str(mark)!r}, 'w').close()\ntime.sleep(600)", "first")
    write(project.root, {PLAN: "- [ ] Change `src/a.py`\n"})
    process = Popen(
        [*PENSTOCK, "plan", PLAN, "--refine", "--no-input"],
        cwd=project.root, env=plain_environment(), stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not mark.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert mark.exists(), "the tool was never started"
    return mark, process


def test_a_stop_ends_the_tool(project: Project) -> None:
    """Ctrl-C ends it with 130; nothing is written and nothing is left."""
    _mark, process = waits(project)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert git(project.root, "branch", "--list", "workstream/*") == ""
    assert list((project.root / "workstreams").glob("*.json")) == []


def test_two_at_once_do_not_meet(project: Project) -> None:
    """The second is told so, and after a kill -9 of the first the next one has the place."""
    _mark, process = waits(project)
    with process, project.workspace() as workspace:
        with pytest.raises(ClaimError, match="another process is refining"):
            workspace.refine(make_plan())
        process.kill()
        process.wait(60)
        project.rules(planning=PLANNING)
        found = refined(workspace, widened())
    assert (found.changed, found.refused) == (True, ())
    assert git(project.root, "branch", "--list", "workstream/*") == ""


def test_secrets_do_not_reach_the_tool(
    project: Project, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a task holds of them is masked, and comes back whole."""
    secret = "sk-live-0123456789abcdefghij"  # penstock: allow-secret
    monkeypatch.setenv("MY_API_KEY", secret)
    proposal = Proposal()
    plan = proposal.with_task("ws-plan-g2", f"Write the guide with {secret}").plan
    project.rules(planning={"primary": "first"})
    project.agent(f"assert {secret!r} not in open({ANSWER_FILE!r}).read()\n{BETTER}", "first")
    found = workspace.refine(plan)
    assert (found.refused, found.changed) == ((), True)
    assert found.plan.bundles[1].bundle.tasks == (f"Write the guide with {secret}",)
