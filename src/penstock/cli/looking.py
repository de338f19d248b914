"""Looking at a run's journal from time to time, from beside whoever works on it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from penstock.errors import JournalError, NotFoundError
from penstock.model.progress import RunNow
from penstock.wiring import Workspace

if TYPE_CHECKING:
    from penstock.engine.progress import ProgressReader

Look = Callable[[str], RunNow | None]
"""Returns a run as it is now; None when it cannot be seen at the moment."""
LEAST_S = 1.0
SHARE = 0.01
"""The share of a core that looking may take."""


def looker(workspace: Workspace) -> Look:
    """Return what looks at runs through a connection of its own, opened at the first look.

    A journal that is busy, or a run that is not in it yet, is looked at again later: whoever works
    on the run reports what is wrong with it.
    """
    readers: dict[str, ProgressReader] = {}

    def look(run_id: str) -> RunNow | None:
        from penstock.engine.progress import ProgressReader

        try:
            if run_id not in readers:
                journal = workspace.existing_journal()
                readers[run_id] = ProgressReader(journal, run_id, workspace.settings)
            return readers[run_id].look(time.time())
        except (JournalError, NotFoundError):
            return None

    return look


class Pace:
    """Spaces looks so that they take no more than their share of a core together, and each at least
    a second after the one before."""

    def __init__(self, look: Look | None, clock: Callable[[], float] = time.perf_counter) -> None:
        self._look = look
        self._clock = clock
        self._next = 0.0

    def take(self, run_id: str) -> RunNow | None:
        """Look when it is time to; None when it is not, or when nothing could be seen."""
        begun = self._clock()
        if self._look is None or not run_id or begun < self._next:
            return None
        found = self._look(run_id)
        ended = self._clock()
        self._next = ended + max(LEAST_S, (ended - begun) / SHARE)
        return found
