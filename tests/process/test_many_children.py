"""Hundreds of children at once cost little while they are silent, and end at once when asked to."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.process.api import End, Outcome, Stop
from penstock.process.run import run
from penstock.process.spawn import live_sessions
from tests.support.children import command, eventually

MANY = 100


def cpu() -> float:
    """Return the processor time of this process in seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@contextmanager
def watching(cwd: Path, stop: Stop) -> Iterator[list[Outcome]]:
    """Watch MANY silent children from a thread each; at the end they are stopped and collected."""
    outcomes: list[Outcome] = []
    before = live_sessions()

    def watch() -> None:
        outcomes.append(run(command("sleep", "60", cwd=cwd, idle_s=60.0), stop))

    threads = [threading.Thread(target=watch) for _ in range(MANY)]
    for thread in threads:
        thread.start()
    try:
        assert eventually(lambda: len(live_sessions() - before) == MANY)
        yield outcomes
    finally:
        stop.ask()
        for thread in threads:
            thread.join()


def test_silent_children_cost_nothing(tmp_path: Path) -> None:
    """Nobody looks again and again: watching waits until something happens."""
    with watching(tmp_path, Stop()):
        cpu_before, began = cpu(), time.monotonic()
        while time.monotonic() - began < 1.0:
            time.sleep(0.25)
        assert cpu() - cpu_before < 0.05 * (time.monotonic() - began)


def test_a_wish_reaches_them_all(tmp_path: Path) -> None:
    """One ask ends every child, and each outcome says why."""
    stop = Stop()
    with watching(tmp_path, stop) as outcomes:
        stop.ask()
        assert eventually(lambda: len(outcomes) == MANY)
    assert {outcome.end for outcome in outcomes} == {End.INTERRUPTED}


def test_without_a_descriptor_the_wish_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Out of descriptors the wish is heard a little later, not never."""

    def none_left(_stop: Stop) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(Stop, "descriptor", none_left)
    stop = Stop()
    threading.Timer(0.2, stop.ask).start()
    outcome = run(command("sleep", "60", cwd=tmp_path), stop)
    assert outcome.end is End.INTERRUPTED
    assert outcome.duration_s < 20
