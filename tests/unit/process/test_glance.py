"""What a sweep must look at is found although not everything is read."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from penstock.process import glance, proc
from penstock.process.glance import SPARE, Glance

FAR = 1 << 60
"""A start that no process has yet."""


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The processes that are read, as they are."""
    found: list[int] = []
    plain = proc.entry

    def entry(pid: int) -> proc.Entry | None:
        found.append(pid)
        return plain(pid)

    monkeypatch.setattr(proc, "entry", entry)
    return found


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own."""
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        yield process
        process.kill()


def seen(look: Glance, since: int = 0, running: frozenset[int] = frozenset()) -> set[int]:
    """Return the processes that a glance finds."""
    return {entry.pid for entry in look.entries(since, running)}


def test_everybody_is_found_from_the_beginning_of_time() -> None:
    """Without a start and without running sessions all are found, each time anew."""
    look = Glance()
    assert os.getpid() in seen(look)
    assert os.getpid() in seen(look)


def test_older_ones_are_left_out_and_not_read_again(reads: list[int]) -> None:
    """What was older than a child a moment ago still is."""
    look = Glance()
    assert seen(look, FAR) == set()
    assert os.getpid() in reads
    reads.clear()
    assert seen(look, FAR) == set()
    assert os.getpid() not in reads


def test_what_belongs_to_a_running_child_is_not_read_again(
    child: subprocess.Popen[bytes], reads: list[int]
) -> None:
    """Others that run are no business of the one that has ended, until they end themselves."""
    look = Glance()
    assert child.pid not in seen(look, 0, frozenset({child.pid}))
    reads.clear()
    assert child.pid not in seen(look, 0, frozenset({child.pid}))
    assert child.pid not in reads
    assert child.pid in seen(look)


def test_who_came_since_is_found(reads: list[int]) -> None:
    """A process that was started after the last look is seen by the next."""
    look, since = Glance(), proc.start_of(os.getpid())
    seen(look, FAR)
    with subprocess.Popen(["sleep", "60"]) as process:
        assert process.pid in seen(look, since)
        process.kill()
    assert process.pid in reads


def test_after_a_moment_all_is_read_anew(reads: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers come round in the end: nothing is believed for long."""
    monkeypatch.setattr(glance, "FRESH_S", 0.0)
    look = Glance()
    seen(look, FAR)
    reads.clear()
    seen(look, FAR)
    assert os.getpid() in reads


def test_the_dead_are_left_out() -> None:
    """One that only waits to be collected needs no end."""
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert process.pid not in seen(Glance())
    process.wait()


def test_what_has_gone_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long life with many children does not fill the memory."""
    look, me = Glance(), str(os.getpid())
    monkeypatch.setattr(proc, "entry", lambda pid: proc.Entry(pid, 1, 1, 0, 1, False))
    for first in range(0, 20 * SPARE, SPARE):
        monkeypatch.setattr(
            proc, "names", lambda first=first: [me, *map(str, range(first, first + SPARE))]
        )
        seen(look, FAR)
    assert len(look._known) <= 3 * (SPARE + 1) + SPARE


def test_who_vanishes_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name without a process is passed over."""
    monkeypatch.setattr(proc, "names", lambda: [str(2**22 + 1)])
    assert seen(Glance()) == set()
