"""One workstream from EDIT to its merge, with real git, processes and files."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.model.events import EventType
from tests.support.pipeline import Project, says
from tests.support.repos import git, state_of, write


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a linter and tests."""
    return Project(tmp_path / "project")


def test_a_good_edit_is_checked_and_merged(project: Project) -> None:
    """EDIT, STATIC and RUNTIME once each, then the work is on the integration branch."""
    project.bundle("ws-a", says("fine\n"))
    result = project.run()
    assert (result.status, result.workstreams[0].final_status) == ("succeeded", "done")
    assert project.steps("ws-a") == [(s, "succeeded") for s in ("edit", "static", "runtime")]
    assert project.integrated("ws-a.txt") == "fine"


def test_the_users_checkout_stays_as_it_was(project: Project) -> None:
    """Not a byte of files, index, HEAD, config or branches of the user's changes."""
    project.bundle("ws-a", says("fine\n"))
    (project.root / "README.md").write_text("half an edit of the user\n")
    before = state_of(project.root)
    project.run()
    assert state_of(project.root) == before


def test_the_commit_says_who_made_it(project: Project) -> None:
    """Trailers name run, workstream, step and tool."""
    project.bundle("ws-a", says("fine\n"))
    found = project.run_one()
    message = git(project.root, "log", "-1", "--format=%B", found.commit or "")
    for trailer in (
        "Penstock-Run: run-1",
        "Penstock-Workstream: ws-a",
        "Penstock-Step: edit 1",
        "Penstock-Tool: scripted",
    ):
        assert trailer in message.splitlines()


def test_a_static_finding_is_repaired_by_a_fix_turn(project: Project) -> None:
    """The fix turn is told the finding, and the checks run again."""
    project.bundle("ws-a", says("bad\n"), says("good\n"))
    assert project.run_one().final_status == "done"
    steps = [step for step, _ in project.steps("ws-a")]
    assert steps == ["edit", "static", "fix", "static", "runtime"]
    prompt = (project.root / "state/prompts/run-1/ws-a_fix_1.txt").read_text()
    assert "ws-a.txt:1:1: L1 bad is not allowed" in prompt


def test_a_second_fix_turn_is_told_what_the_first_one_changed(project: Project) -> None:
    """One finding mended, one moved and still there, one that came in."""
    project.bundle("ws-a", says("bad1\nbad2\n"), says("fine\nfine\nbad2\nbad3\n"), says("good\n"))
    assert project.run_one().final_status == "done"
    first, second = (
        (project.root / f"state/prompts/run-1/ws-a_fix_{n}.txt").read_text() for n in (1, 2)
    )
    assert "Since the previous check" not in first
    assert "Since the previous check: 1 new, 1 still there, 1 fixed." in second
    assert "New:\n- ws-a.txt:4:1: L1 bad3" in second
    assert "Still there:\n- ws-a.txt:3:1: L1 bad2" in second
    assert "stay so):\n- ws-a.txt:1:1: L1 bad1" in second


def test_a_runtime_failure_is_repaired_and_static_runs_again(project: Project) -> None:
    """After a runtime fix both kinds of checks must pass."""
    project.bundle("ws-a", says("fail\n"), says("good\n"))
    assert project.run_one().final_status == "done"
    last = project.attempts("ws-a")[-2]
    assert [c["check_id"] for c in last.result["checks"]] == ["lint", "tests"]


def test_a_runtime_fix_that_breaks_the_linter_is_no_success(project: Project) -> None:
    """The linter's finding fails the runtime step, and no test starts."""
    project.bundle("ws-a", says("fail\n"), says("bad\n"))
    assert project.run_one().final_status == "failed"
    last = project.attempts("ws-a")[-1]
    assert [c["check_id"] for c in last.result["checks"]] == ["lint"]


def test_runtime_does_not_start_when_static_failed(project: Project) -> None:
    """A workstream that ends in STATIC has no runtime attempt."""
    project.bundle("ws-a", says("bad1\n"), says("bad2 bad3\n"), says("bad4\n"))
    assert project.run_one().final_status == "failed"
    assert "runtime" not in [step for step, _ in project.steps("ws-a")]


def test_a_flaky_check_costs_no_fix_turn(project: Project) -> None:
    """A runtime check that passes the second time is marked and reported."""
    project.bundle("ws-a", says("flaky\n"))
    assert project.run_one().final_status == "done"
    assert [e.payload["check"] for e in project.events(EventType.FLAKY_CHECK)] == ["tests"]
    assert project.attempts("ws-a")[-2].result["flaky"] == ["tests"]


def test_a_missing_check_tool_is_no_matter_for_a_fix_turn(project: Project) -> None:
    """The workstream fails at once and says what is missing."""
    project.configure(static_tools=["gitleaks"])
    project.bundle("ws-a", says("fine\n"))
    found = project.run_one()
    assert found.final_status == "failed"
    assert "gitleaks" in (found.reason or "")
    assert "fix" not in [step for step, _ in project.steps("ws-a")]


def test_findings_beyond_the_scope_cost_no_fix_turn(project: Project) -> None:
    """What the base brought along cannot be mended here, and the reason says what can be done."""
    write(project.root, {"old.txt": "bad\n"})
    git(project.root, "add", "old.txt")
    git(project.root, "commit", "-qm", "an old sin")
    project.bundle("ws-a", says("fine\n"))
    found = project.run_one()
    assert "files that ws-a may not change (old.txt)" in (found.reason or "")
    assert [step for step, _ in project.steps("ws-a")] == ["edit", "static"]


def test_no_configured_checks_are_skipped_and_said(project: Project) -> None:
    """An empty list means none, and the report says so."""
    project.configure(static_tools=[], runtime_tools=[])
    project.bundle("ws-a", says("bad fail\n"))
    found = project.run_one()
    assert found.final_status == "done"
    assert [s.outcome for s in found.steps] == ["edited", "skipped", "skipped", "skipped"]


def test_a_required_gate_without_a_check_fails(project: Project) -> None:
    """GATE_UNIT cannot be passed by running nothing."""
    project.configure(runtime_tools=[])
    project.bundle("ws-a", says("fine\n"), test_gates=[{"type": "GATE_UNIT"}])
    assert "GATE_UNIT" in (project.run_one().reason or "")


def test_acceptance_commands_run_in_the_worktree(project: Project) -> None:
    """A command is run, prose is not, and its failure fails RUNTIME."""
    project.bundle(
        "ws-a", says("fine\n"), acceptance_tests=["python3 -c 'open(\"ws-a.txt\")'", "It is nice."]
    )
    assert project.run_one().final_status == "done"
    project.bundle("ws-a", says("fine\n"), acceptance_tests=["python3 -c 'open(\"nope\")'"])
    assert project.run_one(run_id="run-2").final_status == "failed"


def test_a_check_that_cannot_be_run_costs_no_turn(project: Project) -> None:
    """An acceptance command that needs a shell is refused before the tool is started."""
    project.bundle("ws-a", says("fine\n"), acceptance_tests=["pytest -q && echo ok"])
    found = project.run_one()
    assert (found.final_status, found.steps) == ("failed", ())
    assert "not begun" in (found.reason or "")


def test_tokens_and_cost_are_recorded(project: Project) -> None:
    """What the tool reports is added up; unknown stays unknown."""
    usage = {"input_tokens": 10, "output_tokens": 5, "cost_usd": 0.25}
    project.bundle("ws-a", says("bad\n", usage=usage), says("good\n", usage=usage))
    found = project.run_one()
    assert (found.cost_usd, found.input_tokens, found.output_tokens) == (0.5, 20, 10)
    project.bundle("ws-a", says("bad\n", usage=usage), says("good\n"))
    assert project.run_one(run_id="run-2").cost_usd is None


def test_a_finished_worktree_goes_back_to_the_pool(project: Project) -> None:
    """The second workstream takes the worktree of the first."""
    project.bundle("ws-a", says("fine\n"))
    project.bundle("ws-b", says("fine\n", "ws-b.txt"), depends_on=["ws-a"])
    project.run()
    slots = [p for p in (project.root / ".worktrees/.pool").iterdir() if p.is_dir()]
    assert len(slots) == 1
    assert not (project.root / ".worktrees/ws-a").exists()


def test_the_worktree_of_a_failure_is_kept(project: Project) -> None:
    """Whoever looks in the morning finds it as it ended."""
    project.bundle("ws-a", says("bad\n"))
    project.run()
    assert (project.root / ".worktrees/ws-a/ws-a.txt").read_text() == "bad\n"


def test_what_checks_leave_behind_is_never_committed(project: Project) -> None:
    """A file that the test runner drops is not taken for the tool's work."""
    (project.root / "tools/lint.py").write_text("open('dropped.txt', 'w').write('bad')\n" + _LINT)
    git(project.root, "commit", "-qam", "a linter that drops files")
    project.bundle("ws-a", says("bad\n"), says("good\n"))
    project.run()
    assert project.integrated("dropped.txt") is None
    assert project.events(EventType.SCOPE_VIOLATION) == []


_LINT = """
import pathlib, sys
sys.exit(pathlib.Path("ws-a.txt").read_text() == "bad\\n")
"""


def test_our_folders_are_hidden_from_git(project: Project) -> None:
    """A run leaves no untracked file of ours in the user's status."""
    project.bundle("ws-a", says("fine\n"))
    project.run()
    untracked = git(project.root, "status", "--porcelain", "--untracked-files=all")
    assert {line[3:].split("/")[0] for line in untracked.splitlines()} <= {"workstreams", "config"}


def test_every_line_of_the_log_carries_its_ids(project: Project) -> None:
    """logs/orchestrator.log can be read by run and workstream."""
    project.bundle("ws-a", says("fine\n"))
    project.run()
    lines = (project.root / "logs/orchestrator.log").read_text().splitlines()
    assert len(lines) > 10
    assert all(" run=run-1 ws=" in line for line in lines)


def test_what_is_kept_is_for_its_owner_alone(project: Project) -> None:
    """Files below state/ and logs/ are 0600, folders 0700."""
    project.bundle("ws-a", says("fine\n"))
    project.run()
    wrong = [
        str(path)
        for place in ("state", "logs")
        for path in [project.root / place, *(project.root / place).rglob("*")]
        if path.stat().st_mode & 0o077
    ]
    assert wrong == []


def test_a_secret_of_the_environment_is_kept_nowhere(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in a log, the journal, a prompt or a commit, when tool and task both name it."""
    secret = "correct-horse-battery"
    monkeypatch.setenv("DEPLOY_TOKEN", secret)
    project.bundle("ws-a", says("fine\n", output=f"it is {secret}\n"), tasks=[f"use {secret}"])
    found = project.run_one()
    kept = project.everything_kept()
    assert secret.encode() not in kept
    assert b"[REDACTED]" in kept
    assert secret not in git(project.root, "log", "-1", "--format=%B", found.commit or "")
