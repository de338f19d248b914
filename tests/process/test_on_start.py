"""Whoever wants to know hears of each child as soon as it lives."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.process import proc
from penstock.process.api import End, Stop
from penstock.process.identity import ProcessIdentity, is_alive, this_process
from penstock.process.run import run
from tests.support.children import command, is_running


class Told:
    """Takes down what it is told of."""

    def __init__(self) -> None:
        self.children: list[tuple[int, int]] = []

    def __call__(self, pid: int, start: int) -> None:
        """Take down one child; its number is its own at this moment, even if it has ended."""
        assert proc.start_of(pid) == start
        self.children.append((pid, start))


@pytest.mark.parametrize("argv", [("true",), ("false",), ("sleep", "0.1"), ("sh", "-c", "kill $$")])
def test_each_child_is_told_of_once(tmp_path: Path, argv: tuple[str, ...]) -> None:
    """However short its life is, nothing ends unnoticed."""
    told = Told()
    run(command(*argv, cwd=tmp_path, on_start=told))
    assert len(told.children) == 1


def test_what_is_told_identifies_the_child(tmp_path: Path) -> None:
    """Process id and start time make an identity that lives while the child does."""
    alive: list[bool] = []

    def look(pid: int, start: int) -> None:
        here = this_process().to_dict()
        alive.append(is_alive(ProcessIdentity.from_dict({**here, "pid": pid, "start": start})))

    run(command("sleep", "0.2", cwd=tmp_path, on_start=look))
    assert alive == [True]


@pytest.mark.parametrize("argv", [("no-such-tool",), ("/",)])
def test_what_never_started_is_not_told_of(tmp_path: Path, argv: tuple[str, ...]) -> None:
    """There is no process to tell of."""
    told = Told()
    run(command(*argv, cwd=tmp_path, on_start=told))
    assert told.children == []


def test_after_a_stop_nothing_is_started(tmp_path: Path) -> None:
    """A stop that was asked for before leaves nothing to be told."""
    told, stop = Told(), Stop()
    stop.ask()
    assert run(command("true", cwd=tmp_path, on_start=told), stop).end is End.INTERRUPTED
    assert told.children == []


def test_when_it_cannot_be_noted_the_child_is_ended(tmp_path: Path) -> None:
    """A child that nobody could find again after a crash does not go on; the error is passed on."""
    pids: list[int] = []

    def fail(pid: int, _start: int) -> None:
        pids.append(pid)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        run(command("sleep", "60", cwd=tmp_path, on_start=fail))
    assert not is_running(pids[0])
