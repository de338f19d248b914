"""Which checkout a folder lies in, without asking git."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.environment.repository import find_checkout, find_place
from tests.support.cli import git, make_repository


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one commit."""
    return make_repository(tmp_path / "project").resolve()


def test_from_any_folder_inside(root: Path) -> None:
    """The top is found from below, as git finds it."""
    (root / "a" / "b").mkdir(parents=True)
    place = find_place(root / "a" / "b")
    assert place is not None
    assert (place.root, place.git_dir, place.common_dir) == (root, root / ".git", root / ".git")
    assert str(place.root) == git(root / "a", "rev-parse", "--show-toplevel")


def test_outside_of_any(tmp_path: Path) -> None:
    """A folder without a repository, or with a broken one, is in none."""
    assert find_place(tmp_path) is None
    (tmp_path / ".git").mkdir()
    assert find_place(tmp_path) is None


@pytest.mark.parametrize("text", ["nonsense", "gitdir: a\0b", ""])
def test_a_git_file_that_is_none(tmp_path: Path, text: str) -> None:
    """Rubbish in the place of `.git` is no repository."""
    (tmp_path / ".git").write_text(text)
    assert find_place(tmp_path) is None


def test_a_linked_worktree_of_the_user(root: Path, tmp_path: Path) -> None:
    """The user's own linked worktree is a checkout of its own that shares git's folder."""
    git(root, "worktree", "add", "-q", str(tmp_path / "linked"))
    place = find_place(tmp_path / "linked")
    assert place is not None
    assert place.root == (tmp_path / "linked").resolve()
    assert place.common_dir == root / ".git"


def test_in_one_of_our_worktrees_the_main_checkout_is_meant(root: Path) -> None:
    """Looking around in `.worktrees/ws-a` still finds the journal."""
    git(root, "worktree", "add", "-q", str(root / ".worktrees" / "ws-a"))
    place = find_place(root / ".worktrees" / "ws-a")
    assert place is not None
    assert place.root == root


def test_a_submodule_is_its_own_repository(root: Path, tmp_path: Path) -> None:
    """Inside a submodule the submodule is meant."""
    other = make_repository(tmp_path / "other")
    git(root, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other), "sub")
    place = find_place(root / "sub")
    assert place is not None
    assert place.root == root / "sub"
    assert place.common_dir == root / ".git" / "modules" / "sub"


def test_the_checkout_of_our_worktree_is_the_worktree(tmp_path: Path) -> None:
    """Other than the place of the journal, the checkout is the nearest one."""
    main = make_repository(tmp_path / "main")
    tree = main / ".worktrees" / "ws-a"
    git(main, "worktree", "add", "-q", str(tree))
    (tree / "deep").mkdir()
    assert find_checkout(tree / "deep") == tree.resolve()
    assert find_checkout(main) == main.resolve()
