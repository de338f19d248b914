"""Laying a worktree on a commit that its branch does not come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors import GitError
from penstock.worktrees.repository import GitRepository
from penstock.worktrees.worktree import GitWorktree
from tests.support.repos import git, write
from tests.unit.worktrees.test_merging import grown


def worked(tree: GitWorktree) -> str:
    """Commit a piece of work."""
    write(tree.path, {"work.txt": "1\n", "src/a.py": "A = 2\n"})
    tree.changes()
    return tree.commit("work", {})


def test_the_branch_goes_to_any_commit(repo: GitRepository, tree: GitWorktree) -> None:
    """Tree, index and branch are at the commit, clean, whatever lay there before."""
    worked(tree)
    other = grown(repo.root, "other", {"new.txt": "n\n", "src/b.py": None})
    write(tree.path, {"work.txt": "edited\n", "loose.txt": "x", "staged.txt": "y"})
    git(tree.path, "add", "staged.txt")
    tree.lay(other, base=other)
    assert (tree.head, tree.base) == (other, other)
    assert git(tree.path, "rev-parse", "HEAD", tree.branch).split() == [other, other]
    assert git(tree.path, "status", "--porcelain") == ""
    assert tree.unrecorded_work() == b""
    assert (tree.changes().empty, tree.scope_since_base()) == (True, ())


def test_later_diffs_are_against_the_base(repo: GitRepository, tree: GitWorktree) -> None:
    """With a base below the commit, the diff since it is what lies between the two."""
    base = grown(repo.root, "base", {"base.txt": "b\n"})
    commit = grown(repo.root, "more", {"more.txt": "m\n"}, start="base")
    tree.lay(commit, base=base)
    assert [change.path for change in tree.scope_since_base()] == ["more.txt"]
    assert "more.txt" in tree.diff_text(max_bytes=10_000)
    write(tree.path, {"fix.txt": "f\n"})
    changes = tree.changes()
    assert [change.path for change in changes.changes] == ["fix.txt"]
    fixed = tree.commit("fix", {})
    assert tree.diff_hash() == changes.diff_hash
    assert [change.path for change in tree.scope_since_base()] == ["fix.txt", "more.txt"]
    tree.reset(commit)
    assert (git(tree.path, "rev-parse", "HEAD"), tree.base) == (commit, base)
    assert fixed not in git(tree.path, "rev-list", tree.branch)


def test_the_hash_is_that_of_the_diff(repo: GitRepository, tree: GitWorktree) -> None:
    """The committed diff hashes as it did when it was taken, also when it is opened again."""
    assert tree.diff_hash() == tree.changes().diff_hash
    write(tree.path, {"docs/moved.md": "".join(f"line {n}\n" for n in range(40))})
    (tree.path / "docs/long.md").unlink()
    taken = tree.changes().diff_hash
    head = tree.commit("move", {})
    assert tree.diff_hash() == taken
    again = repo.reopen(tree.path, tree.branch, tree.base, head)
    assert again is not None
    assert again.diff_hash() == taken


def test_laid_and_opened_again(repo: GitRepository, tree: GitWorktree) -> None:
    """After a death, the new base and commit are all that is needed to go on."""
    worked(tree)
    other = grown(repo.root, "other", {"new.txt": "n\n"})
    tree.lay(other, base=other)
    again = repo.reopen(tree.path, tree.branch, other, other)
    assert again is not None
    assert (again.unrecorded_work(), again.changes().empty) == (b"", True)


def test_a_death_before_it_was_recorded(repo: GitRepository, tree: GitWorktree) -> None:
    """Opened with the old commit, it goes back there, and can be laid again."""
    start, head = tree.base, worked(tree)
    other = grown(repo.root, "other", {"new.txt": "n\n"})
    tree.lay(other, base=other)
    again = repo.reopen(tree.path, tree.branch, start, head)
    assert again is not None
    again.reset(head)
    assert git(tree.path, "rev-parse", tree.branch) == head
    again.lay(other, base=other)
    assert git(tree.path, "status", "--porcelain") == ""


def test_ignored_things_do_not_stand_in_the_way(repo: GitRepository, tree: GitWorktree) -> None:
    """An ignored folder where the commit has a file goes; what it no longer ignores goes too."""
    files = {"build": "a file now\n", ".gitignore": "*.log\n"}
    other = grown(repo.root, "other", files)
    write(tree.path, {"build/out.o": "o", "node_modules/x.js": "x", "run.log": "kept\n"})
    tree.lay(other, base=other)
    assert (tree.path / "build").read_text() == "a file now\n"
    assert not (tree.path / "node_modules").exists()
    assert (tree.path / "run.log").exists()
    assert git(tree.path, "status", "--porcelain") == ""


def test_flags_and_locks_of_a_tool_are_no_hindrance(repo: GitRepository, tree: GitWorktree) -> None:
    """Hidden edits and a left lock are cleared before the tree is laid."""
    other = grown(repo.root, "other", {"new.txt": "n\n"})
    git(tree.path, "update-index", "--skip-worktree", "src/a.py")
    write(tree.path, {"src/a.py": "hidden\n"})
    (tree.slot.admin / "index.lock").touch()
    tree.lay(other, base=other)
    assert (tree.path / "src/a.py").read_text() == "A = 1\n"
    assert git(tree.path, "status", "--porcelain") == ""


def test_a_commit_that_is_not_there(tree: GitWorktree) -> None:
    """The worktree stays as it was."""
    head, base = worked(tree), tree.base
    with pytest.raises(GitError):
        tree.lay("1" * 40, base="1" * 40)
    assert (tree.head, tree.base) == (head, base)
    assert git(tree.path, "rev-parse", "HEAD") == head


def test_given_back_and_leased_anew(repo: GitRepository, tree: GitWorktree, root: Path) -> None:
    """A laid worktree can be released, and the next lease of its branch starts clean."""
    other = grown(repo.root, "other", {"new.txt": "n\n"})
    tree.lay(other, base=other)
    repo.release(tree)
    assert not tree.path.exists()
    again = repo.lease("ws-a", "run-1", tree.branch, other)
    assert git(again.path, "status", "--porcelain") == ""
    assert root == repo.root
