"""Ctrl-C while a child is being started: it comes late, and leaves no child behind."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from penstock.process.interrupts import interrupts_held
from penstock.process.spawn import start


@pytest.fixture(autouse=True)
def usual_effect() -> Any:
    """Have Ctrl-C do what it does in a program that has set nothing else."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_waits_for_the_end_of_the_block() -> None:
    """What was begun is ended first, and the usual effect is back afterwards."""
    ended = []

    def interrupt() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        ended.append(True)

    with pytest.raises(KeyboardInterrupt), interrupts_held():
        interrupt()
    assert ended == [True]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_somebodys_own_is_left_in_place() -> None:
    """It hears of the signal at once."""
    heard: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: heard.append(number))
    with interrupts_held():
        os.kill(os.getpid(), signal.SIGINT)
        assert heard == [signal.SIGINT]


def test_another_thread_changes_no_handler() -> None:
    """Only the main thread may, and only there the interrupt comes."""
    seen: list[object] = []

    def work() -> None:
        with interrupts_held():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


def test_a_child_whose_start_was_broken_into_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has it in hand, so it must not work on."""
    popen, children = subprocess.Popen, []

    def interrupted(*args: Any, **named: Any) -> subprocess.Popen[bytes]:
        child = popen(*args, **named)
        children.append(child)
        os.kill(os.getpid(), signal.SIGINT)
        return child

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    nothing = subprocess.DEVNULL
    with pytest.raises(KeyboardInterrupt):
        start(["sleep", "600"], cwd=tmp_path, env=dict(os.environ), marker=None,
              stdin=nothing, stdout=nothing, stderr=nothing)  # fmt: skip
    assert [child.returncode for child in children] == [-signal.SIGKILL]
