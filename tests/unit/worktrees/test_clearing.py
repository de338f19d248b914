"""What makes it safe to remove a worktree, and the removal of idle ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors import GitError
from penstock.model.settings import WorktreeSettings
from penstock.worktrees.repository import GitRepository, open_repository
from tests.support.repos import git, make_repo, write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with two files."""
    return make_repo(tmp_path / "repo", {"a.txt": "a\n", "b.txt": "b\n"})


@pytest.fixture
def repository(root: Path) -> GitRepository:
    """The repository, opened."""
    return open_repository(root, WorktreeSettings())


def commit(root: Path, files: dict[str, str | bytes | None], start: str = "HEAD") -> str:
    """Commit files (None removes one) on top of `start`, on no branch; return the commit."""
    here = git(root, "rev-parse", "HEAD")
    git(root, "checkout", "-q", "--detach", start)
    for name in [name for name, text in files.items() if text is None]:
        git(root, "rm", "-q", name)
    write(root, {name: text for name, text in files.items() if text is not None})
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", "work")
    made = git(root, "rev-parse", "HEAD")
    git(root, "checkout", "-q", "--detach", here)
    return made


@pytest.mark.parametrize(
    ("work", "other", "holds"),
    [
        ({"a.txt": "1\n"}, {"a.txt": "1\n"}, True),
        ({"a.txt": "1\n"}, {"a.txt": "1\n", "b.txt": "2\n", "c.txt": "3\n"}, True),
        ({"a.txt": "1\n", "b.txt": "2\n"}, {"a.txt": "1\n"}, False),
        ({"a.txt": "1\n"}, {"a.txt": "2\n"}, False),
        ({"a.txt": None}, {"a.txt": None}, True),
        ({"a.txt": None}, {}, False),
        ({"new\nname.txt": "1\n"}, {"new\nname.txt": "1\n"}, True),
        ({"new.txt": "1\n"}, {}, False),
        ({}, {"a.txt": "1\n"}, False),
    ],
)
def test_what_holds_the_work_of_a_commit(
    repository: GitRepository,
    root: Path,
    work: dict[str, str | bytes | None],
    other: dict[str, str | bytes | None],
    holds: bool,
) -> None:
    """Each changed path must be there just as it was left; no work at all is held by nothing."""
    base = repository.head()
    assert repository.holds(base, commit(root, work), commit(root, other)) == holds


def test_an_unknown_commit_is_an_error(repository: GitRepository) -> None:
    """What is gone from git proves nothing."""
    with pytest.raises(GitError):
        repository.holds(repository.head(), "0" * 40, repository.head())


def test_an_idle_worktree_is_removed(repository: GitRepository) -> None:
    """Its folder and git's record of it go; another one is made when it is needed."""
    tree = repository.lease("ws-a", "run-1", "workstream/ws-a/run-1", repository.head())
    repository.release(tree)
    (row,) = repository.overview()["worktrees"]
    path = repository.root / row["path"]
    assert repository.discard_idle(path)
    assert not path.exists()
    assert repository.overview()["worktrees"] == []
    assert not repository.discard_idle(path)


def test_a_worktree_at_work_is_not_idle(repository: GitRepository) -> None:
    """One that somebody has is never removed as idle."""
    tree = repository.lease("ws-a", "run-1", "workstream/ws-a/run-1", repository.head())
    assert not repository.discard_idle(tree.path)
    assert tree.path.is_dir()
