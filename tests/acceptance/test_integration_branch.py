"""The integration branch between kills, other hands and other people's git settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from penstock.checks.api import CheckRun
from penstock.engine.control import set_apart
from penstock.engine.queue import Integration, is_queued
from penstock.errors import EnvironmentProblem, RepositoryError
from penstock.worktrees.repository import GitRepository
from tests.support.dying import Death, killed
from tests.support.merging import Merging, steps_of_merge, together
from tests.support.pipeline import says
from tests.support.repos import git, write

BRANCH = "integration/run-1"


@pytest.fixture
def project(tmp_path: Path) -> Merging:
    """A project in which workstreams may meet."""
    return Merging(tmp_path / "project")


def two(project: Merging, **more: Any) -> None:
    """Two workstreams that have nothing to do with each other."""
    project.bundle("ws-a", says("fine\n"), **more)
    project.bundle("ws-b", says("fine\n", "ws-b.txt"))


MERGES = ["Merge ws-a (run-1)", "Merge ws-b (run-1)"]


# -- what is checked -----------------------------------------------------------------------
def test_a_tree_that_was_checked_is_not_checked_again(project: Merging) -> None:
    """The first to land adds nothing to what its own checks passed on; the second does."""
    project.bundle("ws-a", says("fine\n"))
    project.bundle("ws-b", says("fine\n", "ws-b.txt"), depends_on=["ws-a"])
    assert project.run().status == "succeeded"
    assert not Path(f"{project.mark}.runs").read_text().count("integration")
    (merge,) = project.merges("ws-a")
    assert len(merge.result["known_checks"]) == 2


def test_acceptance_tests_of_the_others_are_run_all_the_same(project: Merging) -> None:
    """A tree that is known to pass its own checks may still break what has landed before."""
    test = "python3 tools/tests.py " + f"{project.mark}"
    project.bundle("ws-a", says("fine\n"), acceptance_tests=[test])
    project.bundle("ws-b", says("fine\n", "ws-b.txt"), depends_on=["ws-a"])
    assert project.run().status == "succeeded"
    assert project.runs() == ["shared ws-a ws-b"]
    (merge,) = project.merges("ws-b")
    assert [check["check_id"] for check in merge.result["checks"]] == [test]


def test_acceptance_tests_of_all_that_is_merged_are_run(project: Merging) -> None:
    """What one has promised holds after the others have landed: the later one is mended."""
    write(project.root, {"tools/no_twos.py": NO_TWOS})
    git(project.root, "add", "tools")
    git(project.root, "commit", "--quiet", "--message=more")
    project.bundle("ws-a", says("fine\n"), acceptance_tests=["python3 tools/no_twos.py"])
    project.bundle("ws-b", says("2\n", "ws-b.txt"), says("3\n", "ws-b.txt"))
    with together(2):
        assert project.run().status == "succeeded"
    assert steps_of_merge(project, "ws-b")[-3:] == [
        ("integrate", "failed"), ("fix", "succeeded"), ("integrate", "succeeded"),
    ]  # fmt: skip
    assert project.integrated("ws-b.txt") == "3"


NO_TWOS = """\
import pathlib, sys
sys.exit(any("2" in path.read_text() for path in pathlib.Path(".").glob("ws-*.txt")))
"""


def test_dependents_begin_where_the_others_have_landed(project: Merging) -> None:
    """The base of a dependent is the integration branch, with the work of its parents in it."""
    project.bundle("ws-a", says("fine\n"))
    project.bundle("ws-b", says("fine\n", "ws-b.txt"))
    project.bundle("ws-c", says("fine\n", "ws-c.txt"), depends_on=["ws-a", "ws-b"])
    project.run()
    base = project.row("ws-c").base_commit
    files = git(project.root, "ls-tree", "--name-only", str(base)).splitlines()
    assert {"ws-a.txt", "ws-b.txt"} <= set(files)
    assert project.history()[-1] == "Merge ws-c (run-1)"


# -- other hands ---------------------------------------------------------------------------
@contextmanager
def before_the_branch_moves(act: Callable[[], object], times: int = 1) -> Iterator[None]:
    """Do something when the branch is about to move, the first `times` times."""
    real, left = GitRepository.advance, [act] * times

    def advance(self: GitRepository, *args: Any, **named: Any) -> bool:
        if left:
            left.pop()()
        return real(self, *args, **named)

    with patch.object(GitRepository, "advance", advance):
        yield


def commit_to_the_branch(project: Merging, name: str = "users.txt") -> None:
    """Add a commit to the integration branch, as a user who has it nowhere checked out."""
    blob = git(project.root, "hash-object", "-w", "--stdin", stdin="hers\n")
    tree = git(project.root, "ls-tree", BRANCH) + f"\n100644 blob {blob}\t{name}\n"
    made = git(project.root, "mktree", stdin=tree)
    commit = git(project.root, "commit-tree", made, "-p", BRANCH, "-m", "hers")
    git(project.root, "update-ref", f"refs/heads/{BRANCH}", commit)


def test_a_branch_that_moved_meanwhile_is_merged_onto_anew(project: Merging) -> None:
    """What the user has put there stays, and the batch is merged and checked on top of it."""
    two(project)
    with together(2), before_the_branch_moves(lambda: commit_to_the_branch(project)):
        assert project.run().status == "succeeded"
    assert project.history() == ["hers", *MERGES]
    assert project.runs() == ["shared ws-a ws-b", "shared users ws-a ws-b"]


def test_a_branch_that_never_rests_stops_the_run(project: Merging) -> None:
    """After a few rounds the process ends with what to do; the run goes on when it is resumed."""
    two(project)
    names = iter(f"users{number}.txt" for number in range(9))
    moving = before_the_branch_moves(lambda: commit_to_the_branch(project, next(names)), 9)
    with together(2), moving, pytest.raises(EnvironmentProblem, match="again and again") as told:
        project.run()
    assert "penstock resume run-1" in str(told.value.hint)
    assert project.resume().status == "succeeded"
    assert project.history()[-2:] == MERGES


def test_a_branch_that_was_deleted_is_asked_for(project: Merging) -> None:
    """Nothing is made up in its place; put back, the run goes on."""
    two(project)
    delete = lambda: git(project.root, "update-ref", "-d", f"refs/heads/{BRANCH}")  # noqa: E731
    with together(2), before_the_branch_moves(delete):  # noqa: SIM117
        with pytest.raises(EnvironmentProblem, match="is gone") as told:
            project.run()
    assert f"git branch {BRANCH}" in str(told.value.hint)
    git(project.root, "branch", BRANCH, "main")
    assert project.resume().status == "succeeded"
    assert project.history() == MERGES


def test_a_branch_that_is_checked_out_is_left_alone(project: Merging) -> None:
    """The user's checkout is never behind its own branch: the run stops, and goes on afterwards."""
    two(project)
    place = project.root.parent / "looking"
    look = lambda: git(project.root, "worktree", "add", "--quiet", str(place), BRANCH)  # noqa: E731
    with together(2), before_the_branch_moves(look):  # noqa: SIM117
        with pytest.raises(RepositoryError, match="checked out"):
            project.run()
    assert git(place, "status", "--porcelain") == ""
    git(project.root, "worktree", "remove", str(place))
    assert project.resume().status == "succeeded"
    assert project.history() == MERGES


@pytest.mark.parametrize("back", [("-d",), ("main",)], ids=["deleted", "moved back"])
def test_what_has_landed_is_not_forgotten(project: Merging, back: tuple[str, ...]) -> None:
    """A branch without what was merged into it is refused, and the hint puts it back."""
    project.configure(limits={"wait_s": 0})
    project.bundle("ws-a", says("fine\n"))
    limited = {"claim": "rate_limited", "reset_in_s": 0.3}
    project.bundle("ws-b", limited, says("fine\n", "ws-b.txt"))
    assert project.run().status == "running"
    move = ("-d", f"refs/heads/{BRANCH}") if back == ("-d",) else (f"refs/heads/{BRANCH}", *back)
    git(project.root, "update-ref", *move)
    with pytest.raises(EnvironmentProblem, match="does not hold what was merged") as told:
        project.resume()
    git(project.root, *str(told.value.hint).split(",")[0].split()[1:])
    project.configure()
    assert project.resume().status == "succeeded"
    assert project.history() == MERGES


def test_what_is_set_aside_while_it_is_checked_does_not_land(project: Merging) -> None:
    """The others of its batch are merged and checked without it."""
    two(project)
    project.bundle("ws-c", says("fine\n", "ws-c.txt"))
    with together(3), rejected_when_checked("ws-b"):
        assert project.run().status == "failed"
    assert project.integrations() == {"ws-a": "merged", "ws-b": "rejected", "ws-c": "merged"}
    assert project.history() == ["Merge ws-a (run-1)", "Merge ws-c (run-1)"]


@contextmanager
def rejected_when_checked(ws_id: str) -> Iterator[None]:
    """Set a workstream aside as soon as a batch with it has been checked."""
    real = Integration._verdict

    def verdict(self: Integration, runs: Sequence[CheckRun]) -> bool:
        job = self._jobs[ws_id]
        if is_queued(job):
            set_apart(job, "not wanted")
        return real(self, runs)

    with patch.object(Integration, "_verdict", verdict):
        yield


CLASHES = {
    "deleted here, edited there": ("shared.txt", None, "shared.txt", "one\ntwo\nTHREE\n"),
    "both added": ("added.md", "one\n", "added.md", "two\n"),
    "a folder here, a file there": ("place/in.md", "one\n", "place", "two\n"),
    "edited here, deleted there": ("shared.txt", "one\ntwo\nTHREE\n", "shared.txt", None),
}


@pytest.mark.parametrize("clash", CLASHES)
def test_every_kind_of_conflict_is_mended(project: Merging, clash: str) -> None:
    """Also those that leave no markers in a file: the turn has the last word."""
    path, ours, other, theirs = CLASHES[clash]
    scope = ["shared.txt", "added.md", "place", "place/**"]
    project.bundle("ws-a", {"edits": {path: ours}}, files_scope=scope)
    mended = {"edits": {path: "both\n"}}
    project.bundle("ws-b", {"edits": {other: theirs}}, mended, files_scope=scope)
    with together(2):
        assert project.run().status == "succeeded"
    assert project.integrated(path) == "both"


HOSTILE = {
    "rerere.enabled": "true",
    "rerere.autoupdate": "true",
    "commit.gpgsign": "true",
    "gpg.program": "false",
    "core.editor": "sh -c 'touch {outside}/edited'",
    "core.hooksPath": "{outside}/hooks",
    "merge.conflictStyle": "merge",
    "merge.ff": "only",
    "merge.renames": "false",
    "core.autocrlf": "true",
}


def test_what_the_user_has_set_for_git_changes_nothing(
    project: Merging, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No hook runs, no editor opens, nothing is signed, and no resolution is remembered."""
    outside = tmp_path / "outside"
    hooks = (
        "pre-merge-commit",
        "pre-commit",
        "commit-msg",
        "post-checkout",
        "reference-transaction",
    )
    write(outside, {f"hooks/{name}": f"#!/bin/sh\ntouch {outside}/ran\nexit 1\n" for name in hooks})
    for hook in (outside / "hooks").iterdir():
        hook.chmod(0o755)
    for name, value in HOSTILE.items():
        git(outside, "config", "--file", "config", name, value.format(outside=outside))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(outside / "config"))
    project.meets("ws-a", "ONE\ntwo\nthree\n")
    project.meets("ws-b", "Eins\ntwo\nthree\n", "both\ntwo\nthree\n")
    with together(2):
        assert project.run().status == "succeeded"
    assert project.integrated("shared.txt") == "both\ntwo\nthree"
    assert sorted(path.name for path in outside.iterdir()) == ["config", "hooks"]
    assert not any((project.root / ".git/rr-cache").glob("*"))


# -- kills ---------------------------------------------------------------------------------
MOMENTS = {
    "before the checks": Death(
        method="journal.begin_attempt", of="'integrate'", after=True, number=2
    ),
    "before the branch moves": Death(method="git.advance"),
    "before it is recorded": Death(method="git.advance", after=True),
    "between two records": Death(
        method="journal.move_integration", of="MERGED", after=True, number=1
    ),
    "before the worktree goes back": Death(method="git.remove_branch"),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_while_it_merges(project: Merging, moment: str) -> None:
    """Nothing lands twice, nothing is left over, and a stack that has passed is not checked again."""
    two(project)
    killed(project.root, msgspec.structs.replace(MOMENTS[moment], batch=2))
    assert project.resume().status == "succeeded"
    assert project.history() == MERGES
    assert project.runs() == ["shared ws-a ws-b"]
    assert project.leftovers() == []


MENDING = {
    "before it is refused": Death(method="journal.finish_attempt", of="'conflicts'"),
    "after it is refused": Death(method="journal.finish_attempt", of="'conflicts'", after=True),
    "with the markers committed": Death(method="git.commit_tree", after=True),
    "with the markers laid": Death(method="journal.update_workstream", of="head_commit"),
    "before its turn": Death(method="journal.begin_attempt", of="'fix'"),
    "in its turn": Death(method="journal.begin_attempt", of="'fix'", after=True),
    "before its turn is kept": Death(method="journal.finish_attempt", of="'edited'", number=3),
    "before the one merge": Death(method="git.commit_tree", number=2),
    "after the one merge": Death(method="git.commit_tree", number=2, after=True),
    "before the mended one lands": Death(method="git.advance", number=2),
}


@pytest.mark.parametrize("moment", MENDING)
def test_killed_while_a_conflict_is_mended(project: Merging, moment: str) -> None:
    """The turn is taken to its end, once, and no marker comes into the history."""
    project.meets("ws-a", "ONE\ntwo\nthree\n")
    project.meets("ws-b", "Eins\ntwo\nthree\n", "both\ntwo\nthree\n")
    killed(project.root, msgspec.structs.replace(MENDING[moment], batch=2))
    assert project.resume().status == "succeeded"
    assert project.integrated("shared.txt") == "both\ntwo\nthree"
    assert project.history() == MERGES
    assert "<<<<<<<" not in project.texts_of_history()
    assert project.leftovers() == []


GIVING_UP = {
    "before its branch goes back": Death(method="journal.record_event", of="BREAKER_TRIP"),
    "before that is recorded": Death(
        method="journal.update_workstream", of="head_commit", number=3
    ),
    "before it is given up": Death(method="journal.move_integration", of="CONFLICT"),
    "after it was given up": Death(method="journal.move_integration", of="CONFLICT", after=True),
}


@pytest.mark.parametrize("moment", GIVING_UP)
def test_killed_while_it_gives_up(project: Merging, moment: str) -> None:
    """The workstream is done and not merged, and its branch at its own work, as without the kill."""
    project.breakers(max_fix_attempts_per_step=1)
    project.meets("ws-a", "ONE\ntwo\nthree\n")
    project.meets("ws-b", "Eins\ntwo\nthree\n", "<<<<<<< a\n>>>>>>> b\n")
    killed(project.root, msgspec.structs.replace(GIVING_UP[moment], batch=2))
    assert project.resume().status == "failed"
    row, own = project.row("ws-b"), project.merges("ws-b")[0].result["head"]
    assert (row.status.value, row.integration.value, row.head_commit) == ("done", "conflict", own)
    assert git(project.root, "rev-parse", "workstream/ws-b/run-1") == own
    assert row.reason is not None
    assert project.leftovers() == []
