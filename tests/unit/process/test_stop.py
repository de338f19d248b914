"""The wish to stop, heard by whoever polls for it."""

from __future__ import annotations

import gc
import os
import select
from concurrent.futures import ThreadPoolExecutor

from penstock.process.api import Stop


def readable(descriptor: int) -> bool:
    """Tell whether there is something to be read."""
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(0))


def test_the_descriptor_tells_of_the_wish() -> None:
    """It is silent before, and readable ever after."""
    stop = Stop()
    assert not readable(stop.descriptor())
    stop.ask()
    assert readable(stop.descriptor())
    assert readable(stop.descriptor())


def test_a_wish_of_before_is_heard() -> None:
    """Who begins to listen after the wish hears of it all the same."""
    stop = Stop()
    stop.ask()
    assert readable(stop.descriptor())


def test_all_listen_to_one_descriptor() -> None:
    """Many threads that begin to listen at once cost no more than one."""
    stop = Stop()
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: stop.descriptor(), range(64)))) == 1


def test_asking_for_ever_does_not_block() -> None:
    """A user who holds the key down hangs nobody, though nobody reads."""
    stop = Stop()
    stop.descriptor()
    for _ in range(70_000):
        stop.ask()
    assert stop.asked
    assert stop.now


def test_the_descriptors_go_with_it() -> None:
    """Nothing stays open behind a Stop that nobody needs any more."""
    gc.collect()  # what earlier tests have left to it
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208
    stop = Stop()
    stop.descriptor()
    assert len(os.listdir("/dev/fd")) == before + 2  # noqa: PTH208
    del stop
    gc.collect()
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208
