"""Issues are told what becomes of their workstreams, through a `gh` that is a real process."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from penstock.engine.ports import RunRequest
from penstock.model.events import EventType
from tests.support.cli import child
from tests.support.fake_gh import FakeGh
from tests.support.pipeline import Project, says
from tests.support.repos import git, write

VARIABLES = ("ENABLE_GH_SYNC", "GITHUB_OWNER", "GITHUB_REPO", "GITHUB_TOKEN", "GH_TOKEN")


@pytest.fixture
def gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeGh:
    """A `gh` on PATH, and none of its variables set."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    made = FakeGh(tmp_path / "gh")
    made.put_first(monkeypatch)
    return made


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with one workstream of issue 12 that succeeds."""
    made = Project(tmp_path / "project", plan={"issue_comments": True})
    made.bundle("ws-a", says("fine test\n"), ccpm_issue=12, openspec_change="add-login")
    return made


def told(project: Project) -> list[dict[str, Any]]:
    """What the journal says about telling issues."""
    return [dict(event.payload) for event in project.events(EventType.ISSUE_TOLD)]


def test_an_issue_hears_of_start_end_and_integration(gh: FakeGh, project: Project) -> None:
    """Each stage is a comment on the issue that the bundle names, and an event of the journal."""
    assert project.run_one().final_status == "done"
    assert [call.argv for call in gh.calls] == [("issue", "comment", "12", "--body-file", "-")] * 3
    assert [event["stage"] for event in told(project)] == ["started", "done", "integrated"]
    assert all(event["success"] for event in told(project))
    assert "`ws-a` is being worked on" in gh.calls[0].body
    assert "- Change: `add-login`" in gh.calls[2].body
    assert "- Branch: `integration/run-1`" in gh.calls[2].body


def test_nobody_is_told_unless_that_is_wanted(gh: FakeGh, project: Project) -> None:
    """By default nothing is started; a switch that is off goes before the file."""
    project.configure()
    assert project.run_one().final_status == "done"
    assert gh.calls == ()
    assert told(project) == []


def test_the_switch_goes_before_the_file(
    gh: FakeGh, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Off for one run, although the file says on."""
    monkeypatch.setenv("ENABLE_GH_SYNC", "0")
    project.run()
    assert gh.calls == ()


def test_the_documented_variables(
    gh: FakeGh, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They switch it on and name the repository."""
    project.configure()
    for name, value in zip(VARIABLES, ("1", "acme", "shop"), strict=False):
        monkeypatch.setenv(name, value)
    project.run()
    assert {call.argv[2:5] for call in gh.calls} == {("12", "--repo", "acme/shop")}
    assert {event["repository"] for event in told(project)} == {"acme/shop"}


def test_half_a_repository_tells_nobody_and_says_why(
    gh: FakeGh, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is none the worse for it."""
    monkeypatch.setenv("GITHUB_OWNER", "acme")
    assert project.run_one().final_status == "done"
    assert gh.calls == ()
    (event,) = told(project)
    assert not event["success"]
    assert "set both, or neither" in event["reason"]


def test_a_failure_is_told_without_secrets(
    gh: FakeGh, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its reason is in a fence, what is known to be secret in neither comment nor journal."""
    monkeypatch.setenv("SHOP_API_KEY", "k3y-of-the-sh0p")
    gh.behave(code=1, says="refused k3y-of-the-sh0p")
    project.bundle("ws-a", says("bad-k3y-of-the-sh0p\n"), ccpm_issue=12)
    assert project.run_one().final_status == "failed"
    assert "has failed" in gh.calls[-1].body
    assert "```text" in gh.calls[-1].body
    kept = project.everything_kept() + "".join(call.body for call in gh.calls).encode()
    assert b"k3y-of-the-sh0p" not in kept
    assert "gh exit code 1: refused" in told(project)[-1]["reason"]


def test_labels_follow(gh: FakeGh, project: Project) -> None:
    """After the comment, by the stage."""
    project.configure(
        plan={"issue_comments": True, "issue_labels": {"started": "wip", "done": "review"}}
    )
    project.run()
    edits = [call.argv[3:] for call in gh.calls if call.argv[1] == "edit"]
    assert edits == [
        ("--add-label", "wip", "--remove-label", "review"),
        ("--add-label", "review", "--remove-label", "wip"),
    ]


def test_only_bundles_with_an_issue_are_told_of(gh: FakeGh, project: Project) -> None:
    """Neither names nor the numbers of a plan of another kind."""
    plan = {"dialect": "task-master", "id": "master", "path": "tasks.json"}
    turns = [says("fine test\n", "ws-b.txt")]
    project.bundle("ws-a", says("fine test\n"), ccpm_issue="login")
    project.bundle("ws-b", ccpm_issue=3, metadata={"scripted": turns, "plan": plan})
    assert project.run().status == "succeeded"
    assert gh.calls == ()


EPIC = """\
---
name: cart
status: open
github: https://github.com/acme/shop/issues/31
---
# Task: cart

## Technical Details
- `src/cart.py`

## Acceptance Criteria
- [ ] it adds up
"""


def test_a_planned_epic_tells_the_issues_of_its_tasks(gh: FakeGh, project: Project) -> None:
    """The number is that of GitHub, not that of the file."""
    write(
        project.root,
        {
            ".claude/epics/shop/epic.md": "---\nname: shop\nstatus: in-progress\n---\n# shop\n",
            ".claude/epics/shop/003.md": EPIC,
            "src/cart.py": "TOTAL = 0\n",
        },
    )
    git(project.root, "add", "-A")
    git(project.root, "commit", "-qm", "plan")
    project.agent("open('src/cart.py', 'w').write('TOTAL = 1\\n')")
    said = child("plan", "shop", "--tool", "agent", "--output-dir", "planned", cwd=project.root)
    assert said.code == 0, said.err
    with project.workspace() as workspace:
        report = workspace.load_bundles((project.root / "planned",))
        bundles = tuple(item.bundle for item in report.bundles)
        workspace.run(RunRequest(bundles=bundles, run_id="run-1"))
    assert {call.argv[2] for call in gh.calls} == {"31"}


def test_a_failing_gh_changes_nothing(gh: FakeGh, project: Project) -> None:
    """After three failures it is left alone."""
    gh.behave(code=1, says="HTTP 502")
    for name in ("ws-b", "ws-c"):
        project.bundle(name, says("fine test\n", f"{name}.txt"), ccpm_issue=13)
    assert project.run().status == "succeeded"
    assert len(gh.calls) == 3
    assert [event["success"] for event in told(project)] == [False] * 3


def test_a_hanging_gh_delays_no_run(gh: FakeGh, project: Project) -> None:
    """The run has ended while it hangs; soon after it is ended too."""
    gh.behave(hangs=True)
    assert project.run_one().final_status == "done"
    (event,) = told(project)
    assert not event["success"]
    assert len(gh.calls) == 1
    assert gone(gh.calls[0].pid)


def test_without_gh_a_run_is_as_good(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal says what is missing, once."""
    monkeypatch.setattr("penstock.forge.gh.find_executable", lambda *_: None)
    assert project.run_one().final_status == "done"
    assert [event["reason"] for event in told(project)] == ["gh is not installed"]


def test_events_tell_it_in_words(gh: FakeGh, project: Project) -> None:
    """As a line each, in the log of the orchestrator too."""
    project.run()
    said = child("events", "run-1", cwd=project.root)
    assert "issue #12 was told: integrated" in said.out
    log = (project.root / "logs" / "orchestrator.log").read_text()
    assert log.count(" issue_told ") == 3


def test_a_dry_run_tells_nobody(gh: FakeGh, project: Project) -> None:
    """It does nothing at all."""
    said = child(
        "run", "ws-a", "--dry-run", cwd=project.root, env={"PATH": f"{gh.folder}:/usr/bin:/bin"}
    )
    assert said.code == 0, said.err
    assert gh.calls == ()


def gone(pid: int) -> bool:
    """Tell whether a process is gone, or goes within a while."""
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return not Path(f"/proc/{pid}").exists()
