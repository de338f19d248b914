"""The size of a diff between two commits."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.errors import GitError
from penstock.model.figures import DiffStat
from penstock.wiring import open_workspace
from penstock.worktrees.git import find_git
from penstock.worktrees.numstat import diff_stat
from tests.support.cli import git, make_repository


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository whose second commit adds, renames, removes, and has a binary file."""
    folder = make_repository(tmp_path / "r")
    (folder / "old.txt").write_text("one\ntwo\nthree\n" * 5, encoding="utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "Second")
    git(folder, "mv", "old.txt", "new\tname\n.txt")
    (folder / "README.md").write_text("a\nb\n", encoding="utf-8")
    (folder / "data.bin").write_bytes(b"\x00\x01" * 50)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "Third")
    return folder


def test_lines_and_files_are_counted(repo: Path) -> None:
    """A rename is one file without lines, a binary file one without lines, odd names are one line."""
    found = diff_stat(find_git(repo), "HEAD~1", "HEAD")
    assert found == DiffStat(files=3, insertions=2, deletions=1)


def test_a_commit_that_is_gone_cannot_be_measured(repo: Path) -> None:
    """Git's error comes through, and the workspace makes it unknown."""
    with pytest.raises(GitError):
        diff_stat(find_git(repo), "HEAD", "f" * 40)
    with open_workspace(repo) as workspace:
        assert workspace.diff_stat("HEAD", "f" * 40) is None
        assert workspace.diff_stat(None, "HEAD") is None
        assert workspace.diff_stat("HEAD", "HEAD") == DiffStat()
