"""Worktrees, branches and commits that are taken away while a run needs them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from penstock.model.events import EventType
from penstock.model.records import Attempt, NewAttempt
from penstock.model.states import WorkstreamState
from penstock.store.sqlite import SqliteJournal
from tests.support.dying import Death, killed
from tests.support.merging import Merging, steps_of_merge, together
from tests.support.pipeline import Project, says
from tests.support.repos import git, write


@pytest.fixture
def project(tmp_path: Path) -> Merging:
    """A project with a linter and tests, which waits for nothing."""
    return Merging(tmp_path / "project")


# -- worktrees -----------------------------------------------------------------------------
# A tool that does harm at its first turns, as many as the file beside it has bytes.
AGENT = """\
import os, pathlib, shutil, subprocess, sys
left = pathlib.Path({left!r})
here, root = pathlib.Path.cwd(), {root!r}
more = left.read_text()
if more:
    left.write_text(more[1:])
    {harm}
else:
    pathlib.Path("ws-a.txt").write_text("fine\\n")
"""


def harmful(project: Project, harm: str, times: int = 1, **more: Any) -> None:
    """A workstream ws-a whose tool does harm at its first turns, beside an innocent ws-b."""
    left = project.root.parent / "left"
    left.write_text("." * times)
    project.agent(AGENT.format(left=str(left), root=str(project.root), harm=harm))
    project.bundle("ws-a", tool="agent", **more)
    project.bundle("ws-b", says("fine\n", "ws-b.txt"))


VANISH = {
    "its folder": "shutil.rmtree(here)",
    "git's folder for it": 'shutil.rmtree((here / ".git").read_text().split()[1])',
}


@pytest.mark.parametrize("what", VANISH)
def test_what_vanishes_in_a_turn_costs_that_attempt(project: Merging, what: str) -> None:
    """The attempt is unknown, charged to no breaker, and made again in another worktree."""
    harmful(project, VANISH[what])
    assert project.run().status == "succeeded"
    assert project.steps("ws-a")[:2] == [("edit", "unknown"), ("edit", "succeeded")]
    (lost,) = project.told(EventType.ATTEMPT_LOST)
    assert lost["cause"] == "worktree"
    assert set(project.integrations().values()) == {"merged"}


def test_a_tool_that_removes_its_git_file_has_failed(project: Merging) -> None:
    """The file is put back and the turn not kept; nobody takes the worktree for a stray folder."""
    harmful(project, '(here / ".git").unlink()')
    assert project.run().status == "failed"
    (attempt,) = project.attempts("ws-a")
    assert "git was rewritten" in str(attempt.result["error"])
    assert project.told(EventType.MAIN_CHECKOUT_TOUCHED) == []
    assert project.integrations() == {"ws-a": "none", "ws-b": "merged"}


def test_what_vanishes_in_every_turn_is_set_apart(project: Merging) -> None:
    """After limits.max_lost_attempts losses it is quarantined; the others go on."""
    project.configure(limits={"max_lost_attempts": 2})
    harmful(project, VANISH["its folder"], 9)
    assert project.run().status == "failed"
    row = project.row("ws-a")
    assert row.status is WorkstreamState.QUARANTINED
    assert row.reason == "the worktree vanished 2 times during an attempt"
    assert project.integrations()["ws-b"] == "merged"


# An acceptance test that does something at its first run.
ONCE = """\
import os, pathlib, shutil, sys
here, mark = pathlib.Path.cwd(), pathlib.Path(sys.argv[1])
if not mark.exists():
    mark.write_text("")
    {harm}
"""


@pytest.mark.parametrize("what", VANISH)
def test_what_vanishes_under_a_check_is_nobodys_failure(project: Merging, what: str) -> None:
    """The check is run again elsewhere, and no FIX turn is spent on it."""
    write(project.root, {"tools/once.py": ONCE.format(harm=VANISH[what])})
    git(project.root, "add", "tools")
    git(project.root, "commit", "--quiet", "--message=once")
    mark = project.root.parent / "once"
    project.bundle("ws-a", says("fine\n"), acceptance_tests=[f"python3 tools/once.py {mark}"])
    assert project.run().status == "succeeded"
    assert project.steps("ws-a") == [
        ("edit", "succeeded"), ("static", "succeeded"), ("runtime", "unknown"),
        ("runtime", "succeeded"),
    ]  # fmt: skip


def test_what_vanishes_between_two_steps_is_laid_again(project: Merging) -> None:
    """The recorded commit is on the branch, so nothing of it is lost."""
    project.bundle("ws-a", says("bad\n"), says("fine\n"))
    with taken_away_before(project, "fix"):
        assert project.run().status == "succeeded"
    assert ("fix", "succeeded") in project.steps("ws-a")
    assert project.integrated("ws-a.txt") == "fine"


@contextmanager
def taken_away_before(project: Project, step: str, name: str = "") -> Iterator[None]:
    """Remove the worktree of a workstream when the first turn of a step is about to begin."""
    begin, gone = SqliteJournal.begin_attempt, set[str]()

    def wrapped(self: SqliteJournal, intent: NewAttempt, **more: Any) -> Attempt:
        if intent.step_name == step and intent.ws_id not in gone:
            gone.add(intent.ws_id)
            shutil.rmtree(project.root / ".worktrees" / (name or intent.ws_id))
        return begin(self, intent, **more)

    with patch.object(SqliteJournal, "begin_attempt", wrapped):
        yield


def test_what_vanishes_under_the_fix_of_a_merge_is_laid_again(project: Merging) -> None:
    """The turn is taken again on the same merge, and the workstream lands."""
    project.bundle("ws-a", says("fuse\n"))
    project.bundle("ws-b", says("fuse\n", "ws-b.txt"), says("fine\n", "ws-b.txt"))
    with together(2), taken_away_before(project, "fix"):
        assert project.run().status == "succeeded"
    fixes = [status for step, status in steps_of_merge(project, "ws-b") if step == "fix"]
    assert fixes == ["unknown", "succeeded"]
    assert project.integrated("ws-b.txt") == "fine"


def test_the_worktree_of_the_integration_is_laid_again(project: Merging) -> None:
    """What was checked in a worktree that vanished was not checked."""
    test = (
        "python3 -c \"import os,shutil,pathlib as p; m=p.Path('%s'); here=p.Path.cwd(); "
        "gone=here.name=='integration' and not m.exists(); "
        "gone and (m.write_text(''), shutil.rmtree(here))\"" % (project.root.parent / "once")
    )
    project.bundle("ws-a", says("fine\n"), acceptance_tests=[test])
    project.bundle("ws-b", says("fine\n", "ws-b.txt"))
    with together(2):
        assert project.run().status == "succeeded"
    assert [a.status.value for a in project.merges("ws-b")] == ["unknown", "succeeded"]
    assert project.leftovers() == []


def waiting(project: Project, **more: Any) -> None:
    """A run that stands still with ws-a edited, not yet mended, and ws-b not begun."""
    project.configure(limits={"wait_s": 0, "max_parallel": 1}, overlap_policy="merge")
    limited = {"claim": "rate_limited", "reset_in_s": 0.3}
    project.bundle("ws-a", says("bad\n"), limited, says("good\n"))
    project.bundle("ws-b", limited, says("fine\n", "ws-b.txt"))
    assert project.run().status == "running"
    assert project.row("ws-a").head_commit is not None
    project.configure(overlap_policy="merge", **more)


def remove_worktree(project: Project) -> None:
    """Remove the folder."""
    shutil.rmtree(project.root / ".worktrees/ws-a")


def remove_admin(project: Project) -> None:
    """Remove what git keeps for the worktree."""
    text = (project.root / ".worktrees/ws-a/.git").read_text()
    shutil.rmtree(text.removeprefix("gitdir: ").strip())


def prune(project: Project) -> None:
    """Remove both, as `git worktree prune --force` would."""
    remove_worktree(project)
    (admin,) = (project.root / ".git/worktrees").glob("*/gitdir")
    shutil.rmtree(admin.parent)


def move_branch(project: Project) -> None:
    """Move the branch elsewhere."""
    git(project.root, "update-ref", "refs/heads/workstream/ws-a/run-1", "main")


def delete_branch(project: Project) -> None:
    """Delete the branch."""
    git(project.root, "update-ref", "-d", "refs/heads/workstream/ws-a/run-1")


def rebase_branch(project: Project) -> None:
    """Make another commit of the branch's last."""
    place = project.root / ".worktrees/ws-a"
    git(place, "-c", "user.name=U", "-c", "user.email=u@e", "commit", "--amend", "-qm", "mine")


MEDDLING = [remove_worktree, remove_admin, prune, move_branch, delete_branch, rebase_branch]


@pytest.mark.parametrize("meddle", MEDDLING, ids=lambda f: f.__name__)
def test_the_recorded_commit_counts(project: Merging, meddle: Callable[[Project], None]) -> None:
    """Whatever became of worktree and branch meanwhile, the run goes on from what is recorded."""
    waiting(project)
    recorded = str(project.row("ws-a").head_commit)
    meddle(project)
    assert project.resume().status == "succeeded"
    assert project.integrated("ws-a.txt") == "good"
    assert git(project.root, "merge-base", "--is-ancestor", recorded, "integration/run-1") == ""
    assert "mine" not in project.texts_of_history()
    assert git(project.root, "worktree", "list", "--porcelain").count("prunable") == 0


def collect_garbage(project: Project) -> None:
    """Let git forget every commit of ws-a."""
    shutil.rmtree(project.root / ".worktrees/ws-a", ignore_errors=True)
    git(project.root, "worktree", "prune")
    for admin in (project.root / ".git/worktrees").glob("*"):
        git(project.root, "worktree", "unlock", str(admin), ok=False)
        shutil.rmtree(admin)
    delete_branch(project)
    git(project.root, "reflog", "expire", "--expire=now", "--all")
    git(project.root, "gc", "--quiet", "--prune=now")


def test_a_commit_that_is_gone_fails_its_workstream_alone(project: Merging) -> None:
    """The reason names the command that tries it again; the others land, and so does it then."""
    waiting(project)
    collect_garbage(project)
    assert project.resume().status == "failed"
    row = project.row("ws-a")
    assert row.status is WorkstreamState.FAILED
    assert "is gone" in str(row.reason)
    assert "penstock retry run-1 ws-a --from edit" in str(row.reason)
    assert project.integrations() == {"ws-a": "none", "ws-b": "merged"}
    project.bundle("ws-a", says("good\n"))
    with project.workspace() as workspace:
        workspace.retry("run-1", ("ws-a",), from_step="edit")
    assert project.integrated("ws-a.txt") is not None


def test_a_done_commit_that_is_gone_is_not_merged(project: Merging) -> None:
    """It stays done, its reason names the way back, and the others land."""
    project.bundle("ws-a", says("fine\n"))
    project.bundle("ws-b", says("fine\n", "ws-b.txt"))
    killed(project.root, Death(method="git.try_merge", batch=2))
    collect_garbage(project)
    assert project.resume().status == "failed"
    assert project.integrations() == {"ws-a": "conflict", "ws-b": "merged"}
    row = project.row("ws-a")
    assert "is gone" in str(row.reason)
    assert "penstock retry run-1 ws-a --from integrate" in str(row.reason)
