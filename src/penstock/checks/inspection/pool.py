"""Running batches side by side, as many as the machine's cores take."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from penstock.checks.inspection.batches import Batch
from penstock.process.api import Stop


class Pool:
    """Runs batches on threads (each waits for a process) within a number of cores.

    A batch takes the cores of its manifest, at most all there are. The given order is kept as far
    as room allows: one that needs more than is free lets smaller ones pass.
    """

    def __init__(self, cores: int) -> None:
        self._cores = max(1, cores)
        self._free = self._cores
        self._changed = threading.Condition()

    def run(self, batches: Sequence[Batch], work: Callable[[Batch], None], stop: Stop) -> None:
        """Call `work` with every batch; after a stop no further one begins.

        Passes on the first exception that `work` raised, when all threads have ended.
        """
        if len(batches) == 1:
            work(batches[0])
            return
        waiting, failures = list(batches), list[BaseException]()
        threads = [
            threading.Thread(target=self._serve, args=(waiting, work, stop, failures), daemon=True)
            for _ in range(min(self._cores, len(batches)))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def _serve(
        self,
        waiting: list[Batch],
        work: Callable[[Batch], None],
        stop: Stop,
        failures: list[BaseException],
    ) -> None:
        while not stop.asked and not failures:
            batch = self._next(waiting)
            if batch is None:
                return
            try:
                work(batch)
            except BaseException as error:  # noqa: BLE001 - handed to the caller by `run`
                failures.append(error)
            finally:
                self._give_back(self._need(batch))

    def _next(self, waiting: list[Batch]) -> Batch | None:
        """Take the first batch that there is room for; wait for room; None when none is left."""
        with self._changed:
            while waiting:
                for at, batch in enumerate(waiting):
                    if self._need(batch) <= self._free:
                        self._free -= self._need(batch)
                        return waiting.pop(at)
                self._changed.wait()
            return None

    def _need(self, batch: Batch) -> int:
        return min(max(1, batch.plugin.manifest.resources.cores), self._cores)

    def _give_back(self, cores: int) -> None:
        with self._changed:
            self._free += cores
            self._changed.notify_all()
