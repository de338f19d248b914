"""Repositories with submodules: filled without a network, watched, never pooled."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.worktrees.repository import GitRepository
from penstock.worktrees.worktree import GitWorktree
from tests.support.repos import git, make_repo, opened, state_of, write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with a filled submodule `libs/one`."""
    one = make_repo(tmp_path / "one", {"one.txt": "1\n"})
    root = make_repo(tmp_path / "repo")
    file_urls = ("-c", "protocol.file.allow=always")
    git(root, *file_urls, "submodule", "--quiet", "add", str(one), "libs/one")
    git(root, "commit", "--quiet", "-m", "with a submodule")
    return root


def test_it_is_filled_from_the_users_own(root: Path, tree: GitWorktree) -> None:
    """The submodule's files are there, and the user's settings and files are as before."""
    assert (tree.path / "libs/one/one.txt").read_text() == "1\n"
    assert tree.notes == ()
    assert tree.changes().empty


def test_nothing_of_the_users_is_written(root: Path) -> None:
    """Filling a submodule leaves the shared config alone."""
    before = state_of(root)
    repo = opened(root)
    repo.release(repo.lease("a", "r", "workstream/a/r", repo.head()))
    assert state_of(root) == before


def test_an_empty_one_stays_empty_with_a_remark(root: Path, tmp_path: Path) -> None:
    """What the user has not filled is an empty folder, and said."""
    git(tmp_path, "clone", "--quiet", str(root), "clone")
    repo = opened(tmp_path / "clone")
    tree = repo.lease("a", "r", "workstream/a/r", repo.head())
    assert list((tree.path / "libs/one").iterdir()) == []
    assert "libs/one" in tree.notes[0]
    assert tree.changes().empty


def test_an_unknown_commit_leaves_a_remark(root: Path, repo: GitRepository) -> None:
    """A recorded commit that the user's copy lacks cannot be filled, and that is said."""
    entry = f"160000 {'12' * 20} 0\tlibs/one"
    git(root, "update-index", "--index-info", stdin=entry)
    git(root, "commit", "--quiet", "-m", "bad")
    tree = repo.lease("a", "r", "workstream/a/r", repo.head())
    assert "could not be filled" in tree.notes[0]


def test_an_edit_inside_is_seen_and_undone(tree: GitWorktree) -> None:
    """Files changed inside a submodule show as a change of it; revert brings them back."""
    write(tree.path, {"libs/one/one.txt": "2\n", "libs/one/new": "x", "b": "1"})
    changes = tree.changes()
    assert [(c.path, c.submodule) for c in changes.changes] == [("b", False), ("libs/one", True)]
    left = tree.revert(["libs/one"])
    assert [c.path for c in left.changes] == ["b"]
    assert (tree.path / "libs/one/one.txt").read_text() == "1\n"


def test_a_commit_inside_is_seen_and_undone(tree: GitWorktree) -> None:
    """A commit made inside a submodule is a change of its link; a reset takes it back."""
    write(tree.path, {"libs/one/one.txt": "2\n"})
    user = ("-c", "user.name=t", "-c", "user.email=t")
    git(tree.path / "libs/one", *user, "commit", "-qam", "two")
    (change,) = tree.changes().changes
    assert (change.path, change.submodule) == ("libs/one", True)
    tree.reset(tree.head)
    assert (tree.path / "libs/one/one.txt").read_text() == "1\n"
    assert tree.changes().empty


def test_a_deleted_one_is_seen_and_put_back(tree: GitWorktree) -> None:
    """Deleting the submodule's folder is a deletion; revert fills it again."""
    from penstock.worktrees.slots import remove

    remove(tree.path / "libs/one")
    (change,) = tree.changes().changes
    assert (change.kind.value, change.submodule) == ("deleted", True)
    assert tree.revert(["libs/one"]).empty
    assert (tree.path / "libs/one/one.txt").exists()


def test_filters_of_a_tool_inside_do_not_run(tree: GitWorktree, tmp_path: Path) -> None:
    """A clean filter that a tool sets in a submodule's config is not run by our look at it."""
    inside = tree.path / "libs/one"
    git(inside, "config", "filter.evil.clean", f"touch {tmp_path}/ran; cat")
    write(inside, {".gitattributes": "* filter=evil\n", "one.txt": "2\n"})
    assert not tree.changes().empty
    assert not (tmp_path / "ran").exists()


def test_they_are_not_pooled(root: Path, repo: GitRepository, tree: GitWorktree) -> None:
    """A worktree with submodules is removed when it is given back."""
    repo.release(tree)
    assert not tree.path.exists()
    assert repo.overview()["worktrees"] == []
    assert git(root, "worktree", "list", "--porcelain").count("worktree ") == 1


def test_filters_of_a_nested_repository_do_not_run(tmp_path: Path) -> None:
    """Nor is one of a repository that the tool has made in the tree, when we look twice."""
    repo = opened(make_repo(tmp_path / "plain"))
    tree = repo.lease("a", "r", "workstream/a/r", repo.head())
    inside = make_repo(tree.path / "nested", {"one.txt": "1\n"})
    tree.changes()
    git(inside, "config", "filter.evil.clean", f"touch {tmp_path}/ran; cat")
    write(inside, {".gitattributes": "* filter=evil\n", "one.txt": "2\n"})
    assert not tree.changes().empty
    assert not (tmp_path / "ran").exists()
