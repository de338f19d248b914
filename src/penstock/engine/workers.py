"""Threads for the workstreams at work: waiting is on processes and the journal, so threads do."""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

import msgspec


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of work that came to its end; `error` is what it raised."""

    name: str
    error: BaseException | None = None


class Workers:
    """Runs named pieces of work side by side, each in a thread. For one thread to use.

    Leaving it as a context waits for all that is under way.
    """

    def __init__(self, most: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers=most, thread_name_prefix="penstock")
        self._ended: queue.SimpleQueue[Ended] = queue.SimpleQueue()
        self._busy: set[str] = set()

    @property
    def busy(self) -> frozenset[str]:
        """The names of what is under way, up to the moment when `wait` has told its end."""
        return frozenset(self._busy)

    def __len__(self) -> int:
        return len(self._busy)

    def __contains__(self, name: object) -> bool:
        return name in self._busy

    def start(self, name: str, work: Callable[[], object]) -> None:
        """Begin a piece of work; its name must not be at work already."""
        if name in self._busy:
            raise ValueError(f"{name} is at work already")
        self._busy.add(name)
        self._pool.submit(work).add_done_callback(lambda future: self._tell(name, future))

    def _tell(self, name: str, future: Future[object]) -> None:
        self._ended.put(Ended(name=name, error=future.exception()))

    def wait(self, timeout_s: float) -> list[Ended]:
        """Return all that has ended, waiting up to `timeout_s` (s) for the first."""
        found: list[Ended] = []
        try:
            found.append(self._ended.get(timeout=timeout_s))
            while True:
                found.append(self._ended.get_nowait())
        except queue.Empty:
            self._busy.difference_update(ended.name for ended in found)
            return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True)
