"""Ctrl-C during a run."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from penstock.cli.signals import FIRST, SECOND, stop_on_signals
from penstock.process.api import Stop


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_asks_and_the_second_insists(
    number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """One signal asks to stop, another to stop at once; the user is told both times."""
    with stop_on_signals(Stop()) as stop:
        os.kill(os.getpid(), number)
        assert (stop.asked, stop.now) == (True, False)
        os.kill(os.getpid(), number)
        assert stop.now
    assert capsys.readouterr().err == f"{FIRST}\n{SECOND}\n"


def test_the_third_has_its_usual_effect() -> None:
    """Whoever insists a third time gets out whatever hangs."""
    with stop_on_signals(Stop()):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_handlers_are_put_back() -> None:
    """After a run signals mean what they meant before."""
    before = signal.getsignal(signal.SIGTERM)
    with stop_on_signals(Stop()):
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_an_ignored_signal_stays_ignored() -> None:
    """Under nohup the end of the terminal stops nothing."""
    old = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_on_signals(Stop()) as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop.asked
    finally:
        signal.signal(signal.SIGHUP, old)


def test_other_threads_leave_signals_alone() -> None:
    """A run in a thread of a program touches none of its handlers."""
    before, seen = signal.getsignal(signal.SIGINT), []

    def work() -> None:
        with stop_on_signals(Stop()):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
