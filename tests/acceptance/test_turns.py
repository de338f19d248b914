"""What tools do to us: lie, hang, stray, meddle; and what becomes of their turns."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors import EnvironmentProblem, NotFoundError
from penstock.model.events import EventType
from tests.support.pipeline import Project, says
from tests.support.repos import git


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a linter and tests."""
    return Project(tmp_path / "project")


def test_a_claim_without_a_change_is_no_edit(project: Project) -> None:
    """The diff decides, not the terminal event."""
    project.bundle("ws-a", {"claim": "edited", "output": "All done!"})
    found = project.run_one()
    assert (found.final_status, found.steps[0].outcome) == ("failed", "no_change")


def test_exit_code_zero_is_no_proof(project: Project) -> None:
    """A tool that claims a failure has failed, whatever its exit code."""
    project.bundle("ws-a", says("half\n", claim="bad_output", exit_code=0))
    found = project.run_one()
    assert (found.final_status, found.steps[0].outcome) == ("failed", "bad_output")


def test_the_diff_of_a_failed_turn_is_kept_as_a_patch(project: Project) -> None:
    """A crash after half the work loses nothing."""
    project.bundle("ws-a", says("half\n", exit_code=3, claim="crashed"))
    found = project.run_one()
    patch = project.root / str(found.steps[0].details["patch"])
    assert "+half" in patch.read_text()


def test_a_silent_tool_is_ended(project: Project) -> None:
    """The idle limit ends it; the outcome says so."""
    project.configure(limits={"idle_s": 0.5})
    project.bundle("ws-a", {"hang": True})
    assert project.run_one().steps[0].outcome == "idle"


def test_a_tool_that_takes_too_long_is_ended(project: Project) -> None:
    """The wall limit ends it."""
    project.configure(limits={"wall_s": 0.5})
    project.bundle("ws-a", {"hang": True})
    assert project.run_one().steps[0].outcome == "timeout"


def test_an_edit_outside_the_scope_fails_the_turn(project: Project) -> None:
    """Nothing of it is committed; the patch and the event name it."""
    project.bundle("ws-a", {"edits": {"ws-a.txt": "fine\n", "README.md": "mine now\n"}})
    found = project.run_one()
    assert found.final_status == "failed"
    assert "README.md (modified outside the scope)" in (found.reason or "")
    (event,) = project.events(EventType.SCOPE_VIOLATION)
    assert event.payload["policy"] == "fail"
    assert "mine now" in (project.root / event.payload["patch"]).read_text()
    assert project.integrated("ws-a.txt") is None


def test_the_policy_revert_keeps_what_is_inside(project: Project) -> None:
    """The offending file goes back, the rest goes on."""
    project.configure(scope_policy="revert")
    project.bundle("ws-a", {"edits": {"ws-a.txt": "fine\n", "README.md": "mine now\n"}})
    assert project.run_one().final_status == "done"
    assert project.integrated("README.md") == "a project"
    assert project.integrated("ws-a.txt") == "fine"


def test_reverting_everything_leaves_no_change(project: Project) -> None:
    """A turn that only strayed has changed nothing."""
    project.configure(scope_policy="revert")
    project.bundle("ws-a", {"edits": {"README.md": "mine now\n"}})
    assert project.run_one().steps[0].outcome == "no_change"


def test_a_deleted_file_outside_the_scope_is_seen(project: Project) -> None:
    """Deletions count."""
    project.bundle("ws-a", {"edits": {"ws-a.txt": "fine\n", "README.md": None}})
    assert "README.md (deleted outside the scope)" in (project.run_one().reason or "")


def test_protected_paths_beat_the_scope(project: Project) -> None:
    """What is protected is refused even when the bundle claims it."""
    project.configure(protected_paths=["*.txt"])
    project.bundle("ws-a", says("fine\n"))
    assert project.run_one().final_status == "failed"


def test_a_fix_turn_is_held_to_the_scope_too(project: Project) -> None:
    """A good edit followed by a straying fix fails."""
    project.bundle("ws-a", says("bad\n"), {"edits": {"README.md": "mine now\n"}})
    found = project.run_one()
    assert found.final_status == "failed"
    assert "README.md" in (found.reason or "")


AGENT = """\
import os, pathlib, subprocess
pathlib.Path("ws-a.txt").write_text("fine\\n")
{more}
"""


def test_a_commit_of_the_tool_itself_is_judged_like_an_edit(project: Project) -> None:
    """The diff is taken against the recorded start, so nothing hides in the tool's own commit."""
    project.agent(
        AGENT.format(
            more="""
pathlib.Path("README.md").write_text("mine now\\n")
subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@y", "commit", "-qam", "sly"])
"""
        )
    )
    project.bundle("ws-a", tool="agent")
    assert "README.md" in (project.run_one().reason or "")


def test_hidden_index_flags_hide_nothing(project: Project) -> None:
    """assume-unchanged is taken away before the diff."""
    project.agent(
        AGENT.format(
            more="""
subprocess.run(["git", "update-index", "--assume-unchanged", "README.md"])
pathlib.Path("README.md").write_text("mine now\\n")
"""
        )
    )
    project.bundle("ws-a", tool="agent")
    assert "README.md" in (project.run_one().reason or "")


def test_a_symlink_out_of_the_tree_is_a_violation(project: Project) -> None:
    """A link that leads elsewhere would let the next turn write there."""
    project.agent("import os\nos.symlink('/etc/passwd', 'ws-a.txt')\n")
    project.bundle("ws-a", tool="agent")
    assert "symlink out of the tree" in (project.run_one().reason or "")


def test_meddling_with_gits_own_files_is_a_violation(project: Project) -> None:
    """A hook that a tool plants is never run by us and fails the turn."""
    project.configure(checkout_policy="warn")
    hook = project.root / ".git/hooks/pre-commit"
    project.agent(
        AGENT.format(
            more=f"""
hook = pathlib.Path({str(hook)!r})
hook.parent.mkdir(exist_ok=True)
hook.write_text("#!/bin/sh\\ntouch {project.root.parent}/hook-ran\\n")
hook.chmod(0o755)
"""
        )
    )
    project.bundle("ws-a", tool="agent")
    assert project.run_one().final_status == "failed"
    assert not (project.root.parent / "hook-ran").exists()


def test_a_process_left_behind_is_ended(project: Project) -> None:
    """A daemon of the tool does not outlive its turn."""
    pid_file = project.root.parent / "pid"
    project.agent(
        AGENT.format(
            more=f"""
child = subprocess.Popen(["sleep", "300"], start_new_session=True)
pathlib.Path({str(pid_file)!r}).write_text(str(child.pid))
"""
        )
    )
    project.bundle("ws-a", tool="agent")
    found = project.run_one()
    assert found.steps[0].details["swept"] == 1
    assert not Path(f"/proc/{pid_file.read_text()}/cwd").exists()


@pytest.mark.parametrize(("policy", "status"), [("warn", "done"), ("stop", None)])
def test_a_touched_checkout_is_noticed(project: Project, policy: str, status: str | None) -> None:
    """The tripwire names the path; the policy stops the run or goes on."""
    project.configure(checkout_policy=policy)
    git(project.root, "add", "config")
    git(project.root, "commit", "-qm", "settings")
    stray = {"edits": {"ws-a.txt": "fine\n", "../../README.md": "not yours\n"}}
    project.bundle("ws-a", stray)
    if status is None:
        with pytest.raises(EnvironmentProblem, match=r"your own checkout changed.*README\.md"):
            project.run()
    else:
        assert project.run_one().final_status == status
    (event,) = project.events(EventType.MAIN_CHECKOUT_TOUCHED)
    assert event.payload["paths"] == ["README.md"]
    assert event.payload["turns"] == [{"ws_id": "ws-a", "step": "edit", "tool": "scripted"}]


def test_a_file_beside_the_worktrees_is_noticed(project: Project) -> None:
    """`../x` leads from a worktree into our own folder, where nothing of a tool belongs."""
    project.configure(checkout_policy="warn")
    project.bundle("ws-a", {"edits": {"ws-a.txt": "fine\n", "../escape.txt": "out\n"}})
    project.run()
    (event,) = project.events(EventType.MAIN_CHECKOUT_TOUCHED)
    assert event.payload["paths"] == [".worktrees/escape.txt"]


def test_a_stopped_run_takes_the_turn_again(project: Project) -> None:
    """After the user has looked, resume repeats the turn and nothing is lost."""
    project.bundle("ws-a", {"edits": {"ws-a.txt": "one\n", "../../README.md": "not yours\n"}})
    with pytest.raises(EnvironmentProblem):
        project.run()
    project.configure(checkout_policy="warn")
    assert project.resume().status == "succeeded"
    assert [status for _, status in project.steps("ws-a")][:2] == ["canceled", "succeeded"]


def test_a_full_disk_stops_before_the_turn(project: Project) -> None:
    """Below min_free_mb nothing starts, and the run can be resumed."""
    project.configure(limits={"min_free_mb": 1 << 40})
    project.bundle("ws-a", says("fine\n"))
    with pytest.raises(EnvironmentProblem, match="MB are needed"):
        project.run()
    project.configure()
    assert project.resume().status == "succeeded"


def test_an_unknown_tool_is_a_mistake_before_anything_is_made(project: Project) -> None:
    """No run is entered for a tool that nobody knows."""
    project.bundle("ws-a", says("fine\n"), tool="scriptet")
    with pytest.raises(NotFoundError, match="scriptet") as caught:
        project.run()
    assert "did you mean scripted?" in (caught.value.hint or "")
    with project.workspace() as workspace:
        assert workspace.reader.list_runs() == []


def test_a_tool_that_is_not_installed_says_so(project: Project) -> None:
    """The outcome is not_installed, and the reason names it."""
    git(project.root, "rm", "-q", "--cached", "config/tool_profiles.json")
    (project.root / "config/tool_profiles.json").write_text(
        '{"lint": {"type": "static-check", "command": "true"},'
        ' "tests": {"type": "test", "command": "true"},'
        ' "ghost": {"type": "ai", "command": "no-such-program"}}'
    )
    project.bundle("ws-a", tool="ghost")
    found = project.run_one()
    assert found.steps[0].outcome == "not_installed"
    assert "no-such-program" in (found.reason or "")
