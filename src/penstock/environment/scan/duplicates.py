"""Files of the same content: told apart by size, then by their ends, then by all of their bytes.

Hard links to one file are one file, and symbolic links are none. What is the same was compared byte
for byte, or by SHA-256 where a hash is known from an earlier scan.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import groupby

from penstock.environment.scan.api import DuplicateSet, Entry, HashIndex, Identity, NoIndex
from penstock.environment.scan.contents import (
    AT_ONCE,
    WHOLE_BYTES,
    Same,
    compared,
    hashed,
    same_ends,
    small_same,
)
from penstock.environment.scan.partner import same_elsewhere, shared_out

_THREADS = max(2, min(4, os.cpu_count() or 1))
_BATCH_BYTES = 8 * 1024 * 1024
_KEPT_BYTES = 256 * 1024
"""Hashes of smaller files are not kept: reading those takes no longer than looking them up."""
_SETTLED_NS = 2_000_000_000
"""A file changed so shortly before a scan may change again within one tick of its time stamps."""


class DuplicateFinder:
    """One search. `on_read` hears of bytes done and bytes in all; `notes` fills up with files that
    could not be read. `clock` gives nanoseconds since the epoch."""

    def __init__(
        self,
        index: HashIndex | None = None,
        *,
        on_read: Callable[[int, int], None] = lambda _done, _total: None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.notes: list[str] = []
        self._index = index if index is not None else NoIndex()
        self._on_read = on_read
        self._settled = clock() - _SETTLED_NS
        self._learnt: dict[Identity, str] = {}
        self._stopped = threading.Event()

    def find(self, entries: Iterable[Entry]) -> tuple[DuplicateSet, ...]:
        """Return the sets of duplicates among files, those that waste most first."""
        groups = candidates(entries)
        total = sum(group[0].size * len(group) for group in groups)
        small = [group for group in groups if group[0].size <= WHOLE_BYTES]
        large = [group for group in groups if group[0].size > WHOLE_BYTES]
        # one after the other: so many short calls and so many threads get in each other's way
        found = self._small(small)
        done = sum(group[0].size * len(group) for group in small)
        with self._threads(_THREADS) as pool:
            for size, future in list(self._submitted(pool, large)):
                found += future.result()
                done += size
                self._on_read(done, total)
        self._index.save(self._learnt)
        return tuple(sorted(map(_duplicate_set, found), key=lambda s: (-s.wasted, s.files)))

    def _small(self, groups: Sequence[list[Entry]]) -> list[Same]:
        """Group small files by their content, half of them in a second process if it is worth it."""
        here, elsewhere = shared_out(groups)
        with self._threads(1) as pool:
            # the thread that hears of interruptions waits for the process, to end it with us
            future = pool.submit(self._small_here, here)
            found = same_elsewhere(elsewhere, self._unread) if elsewhere else []
            return found + future.result()

    def _small_here(self, groups: Sequence[list[Entry]]) -> list[Same]:
        going_on = ((entry for entry in group if not self._stopped.is_set()) for group in groups)
        return [same for group in going_on for same in small_same(group, self._unread)]

    @contextmanager
    def _threads(self, count: int) -> Iterator[ThreadPoolExecutor]:
        """Give threads that leave off early when the block does."""
        pool = ThreadPoolExecutor(count, thread_name_prefix="penstock-scan")
        try:
            yield pool
        except BaseException:
            self._stopped.set()
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def _submitted(
        self, pool: ThreadPoolExecutor, groups: Sequence[list[Entry]]
    ) -> Iterator[tuple[int, Future[list[Same]]]]:
        """Hand groups to the pool in batches; yield the bytes of each with what it comes to."""
        kept = (group for group in groups if group[0].size >= _KEPT_BYTES)
        known = self._index.lookup([entry.identity for group in kept for entry in group])
        batch: list[list[Entry]] = []
        size = 0
        for number, group in enumerate(groups, 1):
            batch.append(group)
            size += group[0].size * len(group)
            if size >= _BATCH_BYTES or number == len(groups):
                yield size, pool.submit(self._told_apart, batch, known)
                batch, size = [], 0

    def _told_apart(self, groups: Sequence[list[Entry]], known: dict[Identity, str]) -> list[Same]:
        found: list[Same] = []
        for group in groups:
            for alike in same_ends(group, self._unread):
                found += self._same(alike, known)
        return found

    def _same(self, alike: Sequence[Entry], known: dict[Identity, str]) -> list[Same]:
        """Group large files of the same size and ends by all of their content."""
        hashes = {entry: known[entry.identity] for entry in alike if entry.identity in known}
        if not hashes and len(alike) <= AT_ONCE:
            found = compared(alike, self._unread)
            for same in found:
                self._learn(same.entries, same.file_hash)
            return found
        fresh = hashed([entry for entry in alike if entry not in hashes], self._unread)
        for entry, digest in fresh.items():
            self._learn((entry,), digest)
        return _by_hash({**hashes, **fresh})

    def _learn(self, entries: Iterable[Entry], digest: str) -> None:
        for entry in entries:
            settled = max(entry.ctime_ns, entry.mtime_ns) < self._settled
            if settled and entry.size >= _KEPT_BYTES:
                self._learnt[entry.identity] = digest

    def _unread(self, path: str, why: str) -> None:
        self.notes.append(f"{path}: {why}")


def candidates(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Return the files whose size others have too, grouped by it, largest first; of hard links to
    one file the first by path."""
    by_size: dict[int, list[Entry]] = {}
    for entry in entries:
        if entry.size:
            by_size.setdefault(entry.size, []).append(entry)
    groups = (_single(group) for group in by_size.values() if len(group) > 1)
    return sorted((g for g in groups if len(g) > 1), key=lambda g: -g[0].size)


def _single(group: list[Entry]) -> list[Entry]:
    """Return one entry for each file of a group."""
    if all(entry.nlink == 1 for entry in group):
        return group
    ordered = sorted(group, key=lambda entry: (entry.dev, entry.ino, entry.path))
    return [next(links) for _, links in groupby(ordered, key=lambda e: (e.dev, e.ino))]


def _by_hash(hashes: dict[Entry, str]) -> list[Same]:
    found: dict[str, list[Entry]] = {}
    for entry, digest in hashes.items():
        found.setdefault(digest, []).append(entry)
    return [Same(digest, tuple(same)) for digest, same in found.items() if len(same) > 1]


def _duplicate_set(same: Same) -> DuplicateSet:
    size = same.entries[0].size
    return DuplicateSet(
        file_hash=same.file_hash,
        files=tuple(sorted(entry.path for entry in same.entries)),
        size_bytes=size,
        wasted=size * (len(same.entries) - 1),
    )
