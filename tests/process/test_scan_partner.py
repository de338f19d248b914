"""Many small files are told apart by two processes, which find what one would and end together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from penstock.environment.scan import partner
from penstock.environment.scan.duplicates import DuplicateFinder, candidates
from penstock.environment.scan.partner import Share, Told, look_through, same_elsewhere, shared_out
from penstock.environment.scan.walk import Walker
from penstock.process.spawn import spawned
from tests.support.scanning import found_sets, tree
from tests.support.unprivileged import python

ROOT = Path(__file__).parents[2]
WAITING = """
import os, sys
from tests.support.scanning import *
from penstock.environment.scan import partner
partner.WORTH, partner.START, os.cpu_count = 1, 0, lambda: 2
partner._ARGV = ("sh", "-c", 'echo $$ > "$0".tmp; mv "$0".tmp "$0"; exec sleep 600', sys.argv[2])
DuplicateFinder().find(Walker().files([Path(sys.argv[1])]))
"""
UNREADABLE = """
import os, sys
from tests.support.scanning import *
from penstock.environment.scan import partner
partner.WORTH, partner.START, os.cpu_count = 1, 0, lambda: 2
partner.small_same = None  # it must not be done here
finder = DuplicateFinder()
found = finder.find(Walker().files([Path(sys.argv[1])]))
print(sorted(len(one.files) for one in found), sorted(finder.notes))
"""


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes, however few files there are, and at least two cores."""
    monkeypatch.setattr(partner, "WORTH", 1)
    monkeypatch.setattr(partner, "START", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """Groups of files of six sizes and of odd names, in each two sets and a file alone."""
    files: dict[str, bytes | str] = {}
    for size in range(10, 16):
        kinds = zip(["a", "b\nc", os.fsdecode(b"\xff"), "d", "e"], "xxyyz", strict=True)
        files |= {f"{size}/{name}": kind * size for name, kind in kinds}
    return tree(tmp_path / "top", files)


def never(*_: object) -> None:
    """Stand where this process must not do the work itself."""
    raise AssertionError("not told apart by a process of its own")


def ended(pid: int) -> bool:
    """Tell whether a process is no more."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something holds; fail after a minute."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.usefixtures("eager")
def test_two_processes_find_the_same(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets, hashes and their order are those of one process."""
    together = DuplicateFinder().find(Walker().files([top]))
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert DuplicateFinder().find(Walker().files([top])) == together
    assert len(together) == 12


@pytest.mark.usefixtures("eager")
def test_half_of_it_is_done_elsewhere(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One process is started for it, and its files are not read here."""
    groups = candidates(Walker().files([top]))
    here, elsewhere = shared_out(groups)
    assert (len(here), len(elsewhere)) == (3, 3)
    assert sorted([*here, *elsewhere]) == sorted(groups)
    before = spawned()
    monkeypatch.setattr(partner, "small_same", never)
    assert len(same_elsewhere(elsewhere, never)) == 6
    assert spawned() == before + 1


def test_few_files_are_not_worth_a_process(top: Path) -> None:
    """They are read here, and nothing is started."""
    groups, before = candidates(Walker().files([top])), spawned()
    assert shared_out(groups) == (groups, ())
    assert len(found_sets(top)) == 12
    assert spawned() == before


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    "argv",
    [
        ("false",),
        ("echo", "no json"),
        ("echo", "{}"),
        ("echo", '{"same": [["00", [0, 999]]], "unread": []}'),
        ("no-such-program",),
    ],
)
def test_without_a_process_it_is_done_here(
    top: Path, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...]
) -> None:
    """A process that cannot be started, fails or tells rubbish costs nothing but time."""
    monkeypatch.setattr(partner, "_ARGV", argv)
    assert len(found_sets(top)) == 12


def test_files_that_cannot_be_read_are_notes_of_both(top: Path) -> None:
    """By their paths, and the others are compared; one that has gone is left out."""
    for size in range(10, 16):
        (top / f"{size}/d").chmod(0)
    notes = [f"{top}/{size}/d: Permission denied" for size in range(10, 16)]
    assert python(UNREADABLE, [top], cwd=ROOT) == f"{[2] * 6} {notes}\n"


@pytest.mark.usefixtures("eager")
def test_files_that_are_gone_or_others_by_then(top: Path) -> None:
    """They are left out without a word, as by one process."""
    entries = list(Walker().files([top]))
    for size in range(10, 16):
        (top / f"{size}/a").unlink()
        (top / f"{size}/d").write_bytes(b"longer than it was")
    finder = DuplicateFinder()
    assert finder.find(entries) == ()
    assert finder.notes == []


def test_it_ends_with_who_wanted_it(top: Path) -> None:
    """When its parent is another than it was told, nobody waits for what it would tell."""
    groups = candidates(Walker().files([top]))
    packed = partner._packed(groups)
    assert look_through(packed) is None
    done = subprocess.run(
        partner._ARGV, input=b'{"groups":[[1,2]],"parent":1}\na\0b\0', check=False
    )
    assert done.returncode == 1
    head, _, paths = packed.partition(b"\n")
    share = msgspec.json.decode(head, type=Share)
    ours = msgspec.structs.replace(share, parent=os.getppid())
    told = look_through(msgspec.json.encode(ours) + b"\n" + paths)
    assert isinstance(told, Told)
    assert len(told.same) == 12


def test_an_interruption_ends_both(top: Path, tmp_path: Path) -> None:
    """Ctrl-C leaves no process behind, however long it would have gone on."""
    mark = tmp_path / "pid"
    child = subprocess.Popen(
        [sys.executable, "-c", WAITING, top, mark], cwd=ROOT, stderr=subprocess.PIPE
    )
    wait_for(mark.exists)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=60)
    assert b"KeyboardInterrupt" in said
    wait_for(lambda: ended(int(mark.read_text())))


def test_what_is_not_yet_read_is_left_when_it_is_stopped(top: Path) -> None:
    """The thread that reads here goes no further than the file it is at."""
    finder = DuplicateFinder()
    with pytest.raises(KeyboardInterrupt), finder._threads(1):
        raise KeyboardInterrupt
    assert finder._small_here(candidates(Walker().files([top]))) == []
