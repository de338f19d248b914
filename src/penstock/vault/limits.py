"""Work that may never come back, such as asking a keyring whose prompt nobody sees."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T:
    """Return what `work` returns, or raise what it raises.

    Raises TimeoutError after `seconds` (s). The thread is then left to itself: it does not keep the
    process from ending.
    """
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed to the caller below
            done.set_exception(error)

    threading.Thread(target=run, name="vault", daemon=True).start()
    try:
        return done.result(timeout=seconds)
    except FutureTimeoutError:
        if done.done():
            raise  # the work's own
        raise TimeoutError(f"no answer within {seconds:g} s") from None
