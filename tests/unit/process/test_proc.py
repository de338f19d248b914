"""Reading /proc whatever processes call themselves and whenever they vanish."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from penstock.process import proc

GONE = 2**22 + 1
"""A number above the highest that Linux gives out."""


def test_what_is_gone_reads_as_nothing() -> None:
    """Every question about a process that does not exist has an empty answer."""
    assert proc.entry(GONE) is None
    assert proc.start_of(GONE) == 0
    assert proc.cwd(GONE) == ""
    assert proc.environ_values(GONE, b"PATH") == []
    assert not proc.writes_to(GONE, {1})
    assert proc.ancestors(GONE) == {GONE}


def test_a_name_with_brackets_and_spaces_does_not_confuse(tmp_path: Path) -> None:
    """A program may be called `) Z 1 (` and is read rightly all the same."""
    program = tmp_path / ") Z 1 ("
    shutil.copy("/bin/sleep", program)
    with subprocess.Popen([program, "60"]) as child:
        entry = proc.entry(child.pid)
        child.kill()
    assert entry is not None
    assert (entry.parent, entry.session, entry.dead) == (os.getpid(), os.getsid(0), False)


def test_the_reading_end_of_a_pipe_does_not_count() -> None:
    """Only who can write to a pipe holds it: a child about to be executed has our reading ends."""
    reading, writing = os.pipe()
    inode = os.fstat(reading).st_ino
    assert proc.writes_to(os.getpid(), {inode})
    os.close(writing)
    assert not proc.writes_to(os.getpid(), {inode})
    os.close(reading)


def test_a_deleted_folder_is_named_as_it_was(tmp_path: Path) -> None:
    """A process whose working directory was deleted is still found by that directory."""
    folder = tmp_path / "gone"
    folder.mkdir()
    with subprocess.Popen(["sleep", "60"], cwd=folder) as child:
        folder.rmdir()
        cwd = proc.cwd(child.pid)
        child.kill()
    assert cwd == str(folder.resolve())


def test_everybody_is_listed() -> None:
    """All living processes are there, this one too."""
    assert os.getpid() in {entry.pid for entry in proc.entries()}
    assert str(os.getpid()) in proc.names()
