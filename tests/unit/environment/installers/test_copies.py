"""Copies of what is about to be changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.environment.api import Manager
from penstock.environment.installers.copies import Copies

NPM = Manager.NPM


@pytest.fixture
def copies(tmp_path: Path) -> Copies:
    """An empty set of copies."""
    return Copies(tmp_path / "before")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with all kinds of files."""
    home = tmp_path / "installed" / "demo"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "run").write_text("one")
    (home / "bin" / "run").chmod(0o755)
    (home / "link").symlink_to("bin/run")
    (home / "dangling").symlink_to("/no/where")
    os.mkfifo(home / "pipe")
    return home


def replace(home: Path) -> None:
    """Do what managers do: put a new file in the place of the old one."""
    fresh = home / "bin" / "fresh"
    fresh.write_text("two")
    fresh.replace(home / "bin" / "run")


def test_what_was_replaced_is_put_back(copies: Copies, home: Path) -> None:
    """Contents, modes and links; once, then the copy is gone."""
    copies.keep(NPM, "@scope/demo", home)
    replace(home)
    (home / "more").write_text("new")
    assert copies.put_back(NPM, "@scope/demo")
    assert (home / "link").read_text() == "one"
    assert (home / "bin" / "run").stat().st_mode & 0o777 == 0o755
    assert (home / "dangling").is_symlink()
    assert not (home / "more").exists()
    assert not copies.put_back(NPM, "@scope/demo")


def test_what_was_removed_is_put_back(copies: Copies, home: Path) -> None:
    """With the folders above it."""
    copies.keep(NPM, "demo", home)
    home.rename(home.parent.parent / "gone")
    home.parent.rmdir()
    assert copies.put_back(NPM, "demo")
    assert (home / "bin" / "run").read_text() == "one"


def test_the_first_copy_counts(copies: Copies, home: Path) -> None:
    """It is of the time before the first change, also before that of a process that was killed."""
    copies.keep(NPM, "demo", home)
    replace(home)
    copies.keep(NPM, "demo", home)
    copies.put_back(NPM, "demo")
    assert (home / "bin" / "run").read_text() == "one"


def test_a_copy_that_was_not_finished_is_none(copies: Copies, home: Path, tmp_path: Path) -> None:
    """Half a copy is made anew, and never put back."""
    half = tmp_path / "before" / "npm" / "demo" / "tree"
    half.mkdir(parents=True)
    (half / "old").write_text("")
    assert not copies.put_back(NPM, "demo")
    assert (home / "bin" / "run").exists()
    copies.keep(NPM, "demo", home)
    replace(home)
    assert copies.put_back(NPM, "demo")
    assert not (home / "old").exists()


def test_what_cannot_be_copied_has_no_copy(copies: Copies, home: Path, tmp_path: Path) -> None:
    """A folder that is not there, and a place that cannot be written: nobody is kept from working."""
    copies.keep(NPM, "gone", tmp_path / "gone")
    assert not copies.put_back(NPM, "gone")
    blocked = Copies(tmp_path / "file")
    (tmp_path / "file").write_text("")
    blocked.keep(NPM, "demo", home)
    assert not blocked.put_back(NPM, "demo")


def test_another_file_system_has_no_copies(
    copies: Copies, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Links cannot be made across, and copying gigabytes is nobody's wish."""

    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    copies.keep(NPM, "demo", home)
    assert not copies.put_back(NPM, "demo")
    assert (home / "bin" / "run").read_text() == "one"


def test_a_failed_exchange_leaves_what_there_is(copies: Copies, home: Path, tmp_path: Path) -> None:
    """The folder is never without either state."""
    copies.keep(NPM, "demo", home)
    replace(home)
    tree = tmp_path / "before" / "npm" / "demo" / "tree"
    tree.rename(tmp_path / "elsewhere")
    assert not copies.put_back(NPM, "demo")
    assert (home / "bin" / "run").read_text() == "two"


def test_all_copies_are_dropped(copies: Copies, home: Path, tmp_path: Path) -> None:
    """What they were of stays; dropping nothing is harmless."""
    copies.keep(NPM, "demo", home)
    copies.drop()
    copies.drop()
    assert not (tmp_path / "before").exists()
    assert (home / "bin" / "run").read_text() == "one"
