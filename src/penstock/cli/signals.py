"""Ctrl-C and TERM during a run: the first asks to stop, the second to stop at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from penstock.cli import output
from penstock.process.api import Stop

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
FIRST = "Stopping: the running tool is being ended. Once more to stop at once."
SECOND = "Stopping at once."


@contextmanager
def stop_on_signals(stop: Stop) -> Iterator[Stop]:
    """Turn signals into wishes to stop while the block runs; a third one has its usual effect.

    Outside of the main thread, where no handler can be set, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    wanted = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    old: dict[Any, Any] = {}

    def handle(number: int, _frame: FrameType | None) -> None:
        again = stop.asked
        stop.ask()
        if again:
            signal.signal(number, signal.default_int_handler)
        output.warn(SECOND if again else FIRST)

    for number in wanted:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays in force
            old[number] = signal.signal(number, handle)
    try:
        yield stop
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
