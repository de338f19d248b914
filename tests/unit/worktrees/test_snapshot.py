"""A commit of a tree as it is now, without a trace in branches, index or files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.errors import RepositoryError
from penstock.worktrees.repository import GitRepository
from penstock.worktrees.worktree import GitWorktree
from tests.support.repos import git, make_repo, opened, state_of, write


def names(root: Path, commit: str) -> set[str]:
    """Return the paths of a commit."""
    return set(git(root, "ls-tree", "-r", "--name-only", commit).splitlines())


def test_it_holds_what_is_not_committed(repo: GitRepository, root: Path) -> None:
    """Edited, new, staged and deleted files; ignored ones are left out."""
    write(root, {"src/a.py": "A = 2\n", "new.py": "n", "staged.py": "s", "README.md": None,
                 "x.log": "ignored"})  # fmt: skip
    git(root, "add", "staged.py")
    made = repo.snapshot(root)
    assert git(root, "show", f"{made}:src/a.py") == "A = 2"
    assert {"new.py", "staged.py"} <= names(root, made)
    assert {"README.md", "x.log"}.isdisjoint(names(root, made))
    assert git(root, "rev-parse", f"{made}^") == repo.head()


def test_nothing_else_changes(repo: GitRepository, root: Path) -> None:
    """Neither the files nor HEAD, the index, the branches."""
    write(root, {"src/a.py": "A = 2\n", "new.py": "n"})
    before = state_of(root)
    repo.snapshot(root)
    assert state_of(root) == before
    assert git(root, "branch", "--format=%(refname:short)") == "main"


def test_of_a_clean_tree_it_is_the_same_tree(repo: GitRepository, root: Path) -> None:
    """As HEAD has it."""
    assert repo.tree_of(repo.snapshot(root)) == repo.tree_of("HEAD")


def test_of_a_worktree_of_ours(repo: GitRepository, tree: GitWorktree, root: Path) -> None:
    """With its own commits and edits, and not those of the checkout."""
    write(tree.path, {"src/a.py": "A = 3\n"})
    tree.changes()
    commit = tree.commit("turn", {})
    write(tree.path, {"src/b.py": "B = 3\n"})
    write(root, {"src/b.py": "mine\n"})
    made = repo.snapshot(tree.path)
    assert git(root, "rev-parse", f"{made}^") == commit
    assert git(root, "show", f"{made}:src/b.py") == "B = 3"


def test_what_we_placed_in_a_worktree_is_left_out(root: Path) -> None:
    """It belongs to no commit."""
    write(root, {".env": "mine\n"})
    repo = opened(root, copy=(".env",))
    tree = repo.lease("ws-a", "run-1", "workstream/ws-a/run-1", repo.head())
    assert (tree.path / ".env").exists()
    assert ".env" not in names(root, repo.snapshot(tree.path))


def test_what_git_cannot_stage_is_left_out(repo: GitRepository, root: Path) -> None:
    """A nested repository without a commit, and a pipe; the rest is there."""
    write(root, {"new.py": "n"})
    (root / "nested").mkdir()
    git(root / "nested", "init", "-q")
    os.mkfifo(root / "pipe")
    assert "new.py" in names(root, repo.snapshot(root))


def test_another_tree_is_refused(repo: GitRepository, tmp_path: Path) -> None:
    """Only the checkout and worktrees of ours have one."""
    other = make_repo(tmp_path / "other")
    with pytest.raises(RepositoryError, match="is no worktree of ours"):
        repo.snapshot(other)


def test_a_worktree_can_be_laid_at_it(repo: GitRepository, root: Path) -> None:
    """Which is what it is for."""
    write(root, {"src/a.py": "A = 2\n", "new.py": "n"})
    laid = repo.lease("ws-b", "run-1", "workstream/ws-b/run-1", repo.snapshot(root))
    assert (laid.path / "new.py").read_text() == "n"
    assert laid.changes().empty
