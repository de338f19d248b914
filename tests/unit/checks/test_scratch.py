"""Scratch folders: private, empty when lent, gone in the end."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.checks.scratch import ScratchFolders
from penstock.folders import remove_tree
from tests.support.repofiles import write_files


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that scratch folders are made in."""
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    return place


def test_a_folder_is_private(temporary: Path) -> None:
    """Nobody else can look into it."""
    with ScratchFolders().lend() as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert folder.parent == temporary.resolve()


def test_a_folder_that_stays_empty_is_lent_again(temporary: Path) -> None:
    """Two at once are different, one after the other are the same."""
    folders = ScratchFolders()
    with folders.lend() as first, folders.lend() as second:
        assert first != second
    with folders.lend() as third:
        assert third in (first, second)


def test_all_are_removed_in_the_end(temporary: Path) -> None:
    """With the object the idle folders go."""
    folders = ScratchFolders()
    with folders.lend():
        pass
    assert len(list(temporary.iterdir())) == 1
    del folders
    assert list(temporary.iterdir()) == []


def replaced_by_link(folder: Path) -> None:
    """Put a link in the folder's place."""
    folder.rmdir()
    folder.symlink_to("/etc")


SPOILT: dict[str, Callable[[Path], object]] = {
    "full": lambda folder: write_files(folder, {"a/b/c": "x"}),
    "link inside": lambda folder: (folder / "link").symlink_to("/etc"),
    "gone": lambda folder: folder.rmdir(),
    "open to all": lambda folder: folder.chmod(0o777),
    "link": replaced_by_link,
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_folder_is_never_lent_again(temporary: Path, how: str) -> None:
    """A folder that was filled, opened or replaced is removed, and nothing behind a link is."""
    folders = ScratchFolders()
    with folders.lend() as first:
        SPOILT[how](first)
    with folders.lend() as second:
        assert second != first
        assert list(second.iterdir()) == []
    assert not first.is_symlink()
    assert Path("/etc/passwd").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root removes everything at once")
def test_closed_folders_are_removed(tmp_path: Path) -> None:
    """Folders that forbid listing and changing are opened up first."""
    write_files(tmp_path, {"x/a/b/c": "", "x/d/e": ""})
    (tmp_path / "x" / "link").symlink_to("/etc")
    for name in ("x/a/b", "x/a", "x/d", "x"):
        (tmp_path / name).chmod(0)
    remove_tree(tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_folder_spoilt_while_idle_is_not_lent(temporary: Path) -> None:
    """What happened to an idle folder is seen before it is lent."""
    folders = ScratchFolders()
    with folders.lend() as first:
        pass
    write_files(first, {"late": ""})
    with folders.lend() as second:
        assert second != first


def test_what_cannot_be_removed_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that will not go is no reason to fail a check."""
    write_files(tmp_path, {"a/b": ""})

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    with monkeypatch.context() as patched:
        patched.setattr(os, "rmdir", refuse)
        remove_tree(tmp_path / "a")
    assert (tmp_path / "a").is_dir()
