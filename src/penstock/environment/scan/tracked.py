"""Which files git tracks, asked once for each checkout and again when that was a while ago."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from pathlib import Path

from penstock.environment.repository import find_checkout

MAX_AGE_S = 1.0
"""What git said longer ago than this is asked anew."""


class TrackedFiles:
    """Tells whether git tracks a path or something below it. `listing` returns what a checkout
    tracks, relative to its top; it may raise GitError, ToolMissingError."""

    def __init__(
        self,
        listing: Callable[[Path], Sequence[str]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._listing = listing
        self._clock = clock
        self._known: dict[Path, tuple[float, list[str]]] = {}

    def __call__(self, path: Path) -> bool:
        top = find_checkout(path.parent)
        if top is None:
            return False
        names = self._names(top)
        wanted = path.relative_to(top).as_posix()
        place = bisect_left(names, wanted)
        if place < len(names) and names[place] == wanted:
            return True
        place = bisect_left(names, f"{wanted}/")
        return place < len(names) and names[place].startswith(f"{wanted}/")

    def _names(self, top: Path) -> list[str]:
        now = self._clock()
        asked, names = self._known.get(top, (0.0, []))
        if top not in self._known or now - asked > MAX_AGE_S:
            names = sorted(self._listing(top))
            self._known[top] = (self._clock(), names)
        return names
