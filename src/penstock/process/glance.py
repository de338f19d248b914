"""Which processes a sweep must look at, without reading all of /proc for each child that ends."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator

from penstock.process import proc

FRESH_S = 1.0
"""How long the start and the session of a process are believed: numbers of processes do not come
round that fast, and a process that leaves a session still belongs to what runs in it."""
SPARE = 256


class Glance:
    """Remembers for a moment what processes there are. Thread-safe.

    With hundreds of children most of what /proc shows is older than the child that has just ended,
    or belongs to one that still runs; reading all that again at each end would cost more than
    everything else that is done for a child.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, proc.Entry]] = {}
        self._line: tuple[float, frozenset[int]] = (0.0, frozenset())

    def ancestors(self) -> frozenset[int]:
        """Return this process and its ancestors. Raises OSError out of descriptors."""
        until, found = self._line
        if time.monotonic() >= until or os.getpid() not in found:
            found = proc.ancestors(os.getpid())
            self._line = (time.monotonic() + FRESH_S, found)
        return found

    def entries(self, since: int, running: Collection[int]) -> Iterator[proc.Entry]:
        """Read all living user processes that were started at `since` (clock ticks) or later and
        are in none of the `running` sessions.
        """
        names, now, book = proc.names(), time.monotonic(), self._known
        if len(book) > 2 * len(names) + SPARE:
            book = self._known = {name: book[name] for name in names if name in book}
        for name in names:
            known = book.get(name)
            if known is not None and now < known[0] and _is_spared(known[1], since, running):
                continue
            found = proc.entry(int(name))
            if found is not None:
                book[name] = (now + FRESH_S, found)
                if not (found.dead or _is_spared(found, since, running)):
                    yield found


def _is_spared(entry: proc.Entry, since: int, running: Collection[int]) -> bool:
    return entry.start < since or entry.session in running or entry.parent == proc.KTHREADD
