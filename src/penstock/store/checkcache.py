"""The cache of check results: one SQLite file, shared by all processes that check this repository.

It holds nothing that could not be found out anew. So nothing here raises for what happens to the
file: the work is done without it, and a note tells the user once. A result is handed out only under
the very key that it was saved under, and only when its seal says that no bit of it has changed.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar

from penstock.errors import EnvironmentProblem
from penstock.model.inspection import CacheEntry
from penstock.store.cachefile import CacheFile, fault, is_spoiled, open_cache_file, set_aside
from penstock.store.codec import clean_text
from penstock.store.database import immediate
from penstock.store.queries import query

MAX_RESULTS = 200_000
MAX_BYTES = 256 * 1024 * 1024
MAX_FACTS = 20_000
_KEPT = 0.9  # pruning goes down to this part of a bound, so that it is not due again at once
_PRUNE_AFTER = 2_000  # results saved by one process
_ROW_BYTES = 200  # what a result costs beside its own bytes, indexes included
_USE_STEP_S = 6 * 3600.0  # uses are noted no finer than this: a warm run writes nothing
_CHUNK = 200
_CLOCK_SLACK_S = 60.0
T = TypeVar("T")


class NoCache:
    """The cache of a run that keeps nothing; `notes` may say why."""

    def __init__(self, notes: Sequence[str] = ()) -> None:
        self._notes = tuple(notes)

    def lookup(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:  # noqa: ARG002
        """Find nothing."""
        return {}

    def save(self, entries: Sequence[CacheEntry]) -> None:
        """Keep nothing."""

    def last_parts(self, plugin_id: str, paths: Sequence[str]) -> dict[str, bytes]:  # noqa: ARG002
        """Know nothing of earlier results."""
        return {}

    def facts(self, names: Sequence[str]) -> dict[str, str]:  # noqa: ARG002
        """Remember nothing."""
        return {}

    def remember(self, facts: Mapping[str, str]) -> None:
        """Forget them."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Why there is no cache."""
        return self._notes

    def close(self) -> None:
        """Do nothing."""


class CheckCache:
    """Results by key in an open cache file. Thread-safe; see checks.api.ResultCache.

    Beyond `max_results` results or `max_bytes` bytes the least recently used go.
    """

    def __init__(
        self,
        file: CacheFile,
        *,
        clock: Callable[[], float] = time.time,
        max_results: int = MAX_RESULTS,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._file: CacheFile | None = file
        self._clock = clock
        self._max_results = max_results
        self._max_bytes = max_bytes
        self._notes = list(file.notes)
        self._lock = threading.Lock()
        self._writes = True
        self._used: dict[int, float] = {}
        self._bad: set[int] = set()
        self._saved = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know: set aside, locked, full."""
        return tuple(dict.fromkeys(self._notes))

    def lookup(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the values of those keys that are there, and mark them as used."""
        return self._reading(lambda connection: self._find(connection, keys), {})

    def _find(self, connection: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        now = self._clock()
        stale = now - _USE_STEP_S
        found: dict[bytes, bytes] = {}
        for start in range(0, len(keys), _CHUNK):
            chunk = keys[start : start + _CHUNK]
            sql = f"{query('checkcache.find')} ({','.join('?' * len(chunk))})"
            for key, value, seal, used_at, row in connection.execute(
                sql, (now, now + _CLOCK_SLACK_S, *chunk)
            ):
                if seal != seal_of(key, value):
                    self._bad.add(row)
                    continue
                found[key] = value
                if used_at < stale:
                    self._used[row] = now
        if self._bad:
            self._notes.append("damaged results in the check cache were left out")
        return found

    def save(self, entries: Sequence[CacheEntry]) -> None:
        """Keep results, all or none; prune what is beyond the bounds."""
        now = self._clock()
        rows = [row for entry in entries for row in self._row(entry, now)]
        if rows and self._writing(lambda connection: self._keep(connection, rows)):
            self._saved += len(rows)
        if self._saved >= _PRUNE_AFTER:
            self._writing(self._prune)

    def _row(self, entry: CacheEntry, now: float) -> Iterator[tuple[object, ...]]:
        """Yield the row of a result, unless it would leave no room for others."""
        path = clean_text(entry.path)
        size = _ROW_BYTES + len(entry.value) + len(entry.parts) + 2 * len(path)
        if size <= self._max_bytes // 4:
            seal = seal_of(entry.key, entry.value)
            yield (entry.key, entry.plugin_id, path, entry.parts, entry.value, seal, size,
                   now, now, entry.expires_at)  # fmt: skip

    def _keep(self, connection: sqlite3.Connection, rows: Sequence[tuple[object, ...]]) -> None:
        self._settle(connection)
        connection.executemany(query("checkcache.save"), rows)

    def _settle(self, connection: sqlite3.Connection) -> None:
        """Write down what was used, and drop what was found damaged."""
        used, bad = [(at, row, at) for row, at in self._used.items()], [(r,) for r in self._bad]
        connection.executemany(query("checkcache.used"), used)
        connection.executemany(query("checkcache.drop"), bad)
        self._used.clear()
        self._bad.clear()

    def _prune(self, connection: sqlite3.Connection) -> None:
        """Drop what has expired, and what was used least recently while there is too much."""
        connection.execute(query("checkcache.drop_expired"), (self._clock(),))
        connection.execute(query("checkcache.drop_facts"), (MAX_FACTS,))
        count, size = connection.execute(query("checkcache.extent")).fetchone()
        if count > self._max_results or size > self._max_bytes:
            last = self._last_to_go(connection, count, size)
            connection.execute(query("checkcache.drop_unused"), last)
        self._saved = 0

    def _last_to_go(
        self, connection: sqlite3.Connection, count: int, size: int
    ) -> tuple[float, int]:
        """Return the most recently used of those results that must go."""
        last = (0.0, 0)
        for used_at, row, row_size in connection.execute(query("checkcache.by_use")):
            if count <= self._max_results * _KEPT and size <= self._max_bytes * _KEPT:
                break
            last = (used_at, row)
            count, size = count - 1, size - row_size
        return last

    def last_parts(self, plugin_id: str, paths: Sequence[str]) -> dict[str, bytes]:
        """Return for each path the parts of the newest result of a plugin, where there is one."""

        def find(connection: sqlite3.Connection) -> dict[str, bytes]:
            found: dict[str, bytes] = {}
            for path in paths:
                row = connection.execute(
                    query("checkcache.last_parts"), (plugin_id, clean_text(path))
                ).fetchone()
                if row is not None:
                    found[path] = row[0]
            return found

        return self._reading(find, {})

    def facts(self, names: Sequence[str]) -> dict[str, str]:
        """Return small remembered facts."""

        def find(connection: sqlite3.Connection) -> dict[str, str]:
            found: dict[str, str] = {}
            for name in names:
                row = connection.execute(query("checkcache.fact"), (clean_text(name),)).fetchone()
                if row is not None:
                    found[name] = row[0]
            return found

        return self._reading(find, {})

    def remember(self, facts: Mapping[str, str]) -> None:
        """Keep small facts; the oldest of many go."""
        rows = [(clean_text(name), clean_text(value)) for name, value in facts.items()]
        if rows:
            self._writing(lambda c: c.executemany(query("checkcache.remember"), rows))

    def close(self) -> None:
        """Prune when results were added, and give the file back; a second time does nothing."""
        if self._saved and self._writing(self._prune):
            # as a script, because each of its steps gives one page back, as a row without columns
            self._reading(lambda c: c.executescript("PRAGMA incremental_vacuum"), None)
        if self._used or self._bad:
            self._writing(self._settle)
        with self._lock:
            self._leave()

    def _reading(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Do something with the file; `otherwise` is the answer when that cannot be done."""
        with self._lock:
            if self._file is None:
                return otherwise
            try:
                return work(self._file.connection)
            except sqlite3.Error as error:
                self._give_up(self._file, error, reading=True)
                return otherwise

    def _writing(self, work: Callable[[sqlite3.Connection], object]) -> bool:
        """Do something in one write transaction; tell whether that could be done."""
        with self._lock:
            if self._file is None or not self._writes:
                return False
            try:
                with immediate(self._file.connection):
                    work(self._file.connection)
            except sqlite3.Error as error:
                self._give_up(self._file, error, reading=False)
                return False
            return True

    def _give_up(self, file: CacheFile, error: sqlite3.Error, *, reading: bool) -> None:
        """Go on without the file, or with a fresh one when it is spoiled."""
        if is_spoiled(error):
            self._leave()
            self._start_afresh(file, fault(error))
            return
        self._writes = False
        if reading:
            self._leave()
            self._notes.append(f"checked without a cache: {file.path} {fault(error)}")
        else:
            self._notes.append(f"results were not kept: the check cache {file.path} {fault(error)}")

    def _start_afresh(self, file: CacheFile, why: str) -> None:
        try:
            self._notes += set_aside(file.path, why, file.identity)
            self._file = open_cache_file(file.path)
        except EnvironmentProblem as problem:
            self._notes.append(f"checked without a cache: {problem}")
        else:
            self._notes += self._file.notes

    def _leave(self) -> None:
        """Close the file, and forget what was to be written about its rows."""
        if self._file is not None:
            self._file.close()
        self._file = None
        self._used.clear()
        self._bad.clear()


def seal_of(key: bytes, value: bytes) -> bytes:
    """Return a digest over a key and its value: SQLite does not see bits that change in a value."""
    seal = blake2b(key, digest_size=8)
    seal.update(value)
    return seal.digest()


def open_check_cache(path: Path) -> CheckCache | NoCache:
    """Open the cache of check results at `path`, making it when there is none. Never raises.

    What is no cache of ours (a damaged file, the JSON cache of an earlier implementation) is set
    aside beside it; where there can be no cache, one that keeps nothing is returned. `notes` tells.
    """
    try:
        return CheckCache(open_cache_file(path))
    except EnvironmentProblem as problem:
        return NoCache((f"checked without a cache: {problem}",))
