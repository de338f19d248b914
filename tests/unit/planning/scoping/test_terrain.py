"""A plain folder as a repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.planning.scoping.terrain import FolderTerrain, read_regular


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with files, tools' folders and links."""
    for name in ("b.py", "src/a.py", "node_modules/x.js", ".git/config", "文/é.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "src/link.py").symlink_to(tmp_path / "b.py")
    os.mkfifo(tmp_path / "pipe.py")
    return tmp_path


def test_the_files_of_a_folder(root: Path) -> None:
    """Regular files are told, sorted, without links, pipes and what tools keep."""
    assert FolderTerrain(root).files() == ("b.py", "src/a.py", "文/é.md")


def test_files_are_bounded(root: Path) -> None:
    """A whole disk is not walked through to its end."""
    assert len(FolderTerrain(root, most=2).files()) == 2


def test_names_that_are_no_text_are_left_out(tmp_path: Path) -> None:
    """A name of other bytes than UTF-8, or with a line end, can be written into no plan."""
    for name in (b"\xff.py", b"a\nb.py"):
        (tmp_path / os.fsdecode(name)).write_text("")
    assert FolderTerrain(tmp_path).files() == ()


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    """What cannot be entered holds nothing."""
    assert FolderTerrain(tmp_path / "gone").files() == ()


def test_sizes_and_contents(root: Path) -> None:
    """Files have sizes and contents; what is not there has the size 0."""
    terrain = FolderTerrain(root)
    assert (terrain.size("b.py"), terrain.size("gone"), terrain.size("\0")) == (4, 0, 0)
    assert terrain.read("b.py") == b"text"


def test_a_folder_has_no_history(root: Path) -> None:
    """Without git nothing changed together."""
    assert list(FolderTerrain(root).history()) == []


@pytest.mark.parametrize("name", ["src/link.py", "pipe.py", "src", "gone"])
def test_only_regular_files_are_read(root: Path, name: str) -> None:
    """No link is followed, no pipe waited for, no folder read."""
    with pytest.raises(OSError, match=r"."):
        read_regular(root / name, 10)


def test_reading_is_bounded(root: Path) -> None:
    """No more is read than is asked for."""
    assert read_regular(root / "b.py", 2) == b"te"
