"""Caches of check results: entries for them, a clock, and a process that works on one.

    python -m tests.support.caches save|share PATH NUMBER [ROUNDS]

`save` saves batches until it is killed and names each that is kept; `share` saves and looks up in
turns and ends with exit code 1 when it finds anything but what belongs there.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from hashlib import blake2b
from pathlib import Path

from penstock.model.inspection import CacheEntry
from penstock.store.cachefile import open_cache_file
from penstock.store.checkcache import CheckCache, open_check_cache

BATCH = 25
START = 1_800_000_000.0


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def key(name: object) -> bytes:
    """A key made of a name."""
    return blake2b(str(name).encode(), digest_size=20).digest()


def value(name: object) -> bytes:
    """The value that belongs to a name, of some hundred bytes."""
    return f"value of {name} ".encode() * 20


def entry(
    name: object,
    *,
    plugin: str = "lint",
    path: str | None = None,
    data: bytes | None = None,
    parts: bytes = b"parts",
    expires_at: float | None = None,
) -> CacheEntry:
    """A result whose value belongs to its name."""
    return CacheEntry(
        key=key(name),
        plugin_id=plugin,
        path=f"{name}.py" if path is None else path,
        parts=parts,
        value=value(name) if data is None else data,
        expires_at=expires_at,
    )


def entries(names: Sequence[object]) -> list[CacheEntry]:
    """Results by their names."""
    return [entry(name) for name in names]


def small(path: Path, clock: Clock, **bounds: int) -> CheckCache:
    """A cache with a clock and bounds of our own."""
    return CheckCache(open_cache_file(path), clock=clock, **bounds)


def fill(path: Path, count: int) -> list[bytes]:
    """Make a cache with so many results, close it, and return their keys."""
    with closing(open_check_cache(path)) as cache:
        cache.save(entries(range(count)))
    return [key(number) for number in range(count)]


def run_sql(path: Path, *statements: str) -> list[tuple[object, ...]]:
    """Run SQL on a database file and return the rows of the last statement."""
    rows: list[tuple[object, ...]] = []
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            rows = connection.execute(statement).fetchall()
    return rows


def works(path: Path) -> bool:
    """Tell whether a cache at a path keeps what it is given, without a note."""
    with closing(open_check_cache(path)) as cache:
        cache.save(entries(["probe"]))
        return cache.lookup([key("probe")]) == {key("probe"): value("probe")} and not cache.notes


def _save_for_ever(path: Path, number: int) -> None:
    batch = 0
    with closing(open_check_cache(path)) as cache:
        while not cache.notes:
            cache.save(entries([f"{number}-{batch}-{n}" for n in range(BATCH)]))
            print(batch, flush=True)
            batch += 1


def _share(path: Path, number: int, rounds: int) -> int:
    wrong = 0
    for turn in range(rounds):
        with closing(open_check_cache(path)) as cache:
            names = [f"shared-{(number + turn * 7 + n) % 400}" for n in range(60)]
            known = {key(name): value(name) for name in names}
            found = cache.lookup(list(known))
            wrong += sum(known[k] != v for k, v in found.items())
            cache.save(entries([name for name in names if key(name) not in found]))
            cache.save(entries([f"{number}-{turn}"]))
            cache.remember({f"fact-{turn}": "same"})
            wrong += len(cache.lookup(list(known))) != len(known)
            wrong += sum("set aside" not in note for note in cache.notes)
    return 1 if wrong else 0


def main() -> int:
    """Do what the arguments say."""
    what, path, number, *rest = sys.argv[1:]
    if what == "share":
        return _share(Path(path), int(number), int(rest[0]))
    _save_for_ever(Path(path), int(number))
    return 1


if __name__ == "__main__":
    sys.exit(main())
