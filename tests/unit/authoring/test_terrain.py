"""A plan sees the repository as git does, and nothing outside of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.authoring import terrain
from penstock.authoring.terrain import GitTerrain
from penstock.worktrees.git import find_git
from tests.support.repos import git, make_repo, write

FILES = {"src/a.py": "A = 1\n", "src/b.py": "B = 1\n", "ü b.txt": "x", ".gitignore": "*.log\n"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with two commits, of which the second changes two files."""
    root = make_repo(tmp_path / "project", FILES)
    write(root, {"src/a.py": "A = 2\n", "src/c.py": "C = 1\n"})
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=second")
    return root


def of(root: Path) -> GitTerrain:
    """The terrain of a repository."""
    return GitTerrain(find_git(root), root)


def test_tracked_and_untracked_files_are_seen_and_ignored_ones_not(root: Path) -> None:
    """Names are whole, whatever letters they have, and sorted."""
    write(root, {"new.txt": "x", "noise.log": "x"})
    assert of(root).files() == (
        ".gitignore", "new.txt", "src/a.py", "src/b.py", "src/c.py", "ü b.txt"
    )  # fmt: skip


def test_a_name_that_no_bundle_can_hold_is_left_out(root: Path) -> None:
    """Bytes that are no UTF-8 cannot be written into JSON."""
    (root / os.fsdecode(b"bad-\xff.txt")).write_text("x")
    assert "src/a.py" in of(root).files()
    assert not [name for name in of(root).files() if name.startswith("bad")]


def test_history_is_newest_first(root: Path) -> None:
    """Each commit tells the files that it changed."""
    second, first = of(root).history()
    assert sorted(second) == ["src/a.py", "src/c.py"]
    assert sorted(first) == sorted(FILES)


def test_history_has_bounds(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the latest commits are looked at."""
    monkeypatch.setattr(terrain, "COMMITS", 1)
    assert len(list(of(root).history())) == 1


def test_without_a_commit_there_is_no_history(tmp_path: Path) -> None:
    """A repository that was just made has files all the same."""
    git(tmp_path, "init", "--quiet")
    write(tmp_path, {"a.txt": "x"})
    assert (of(tmp_path).files(), list(of(tmp_path).history())) == (("a.txt",), [])


def test_sizes_are_told(root: Path) -> None:
    """What is no file, is gone or cannot be named has none."""
    sizes = {name: of(root).size(name) for name in ("src/a.py", "src", "gone", "a\0b")}
    assert sizes == {"src/a.py": 6, "src": 0, "gone": 0, "a\0b": 0}


def test_files_are_read_within_bounds(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is read up to a limit."""
    assert of(root).read("src/a.py") == b"A = 2\n"
    monkeypatch.setattr(terrain, "READ_MAX", 3)
    assert of(root).read("src/a.py") == b"A ="


@pytest.mark.parametrize("name", ["link", "pipe", "src", "gone"])
def test_only_regular_files_are_read(root: Path, name: str) -> None:
    """A link may lead out of the repository, and a pipe would be waited for."""
    (root / "link").symlink_to("/etc/hostname")
    os.mkfifo(root / "pipe")
    with pytest.raises(OSError, match=r"\S"):
        of(root).read(name)
    assert of(root).size(name) == 0
