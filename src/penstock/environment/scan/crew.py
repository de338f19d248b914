"""Looking through many files for secrets in several processes: each is given names, and tells findings.

What a process is given goes through its standard input, the key of fingerprints with it, and what it
tells holds no value.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from penstock.environment.scan.secrets import Looker, Tally
from penstock.environment.scan.secretsources import file_texts
from penstock.errors import EnvironmentProblem
from penstock.leaks.found import FoundSecret, Skipped, Source
from penstock.leaks.match import LeakFinder
from penstock.leaks.rule import Level
from penstock.typed import typed

SHARE_BYTES = 48 << 20
"""How much is worth the start of a process."""
MOST_WORKERS = 8
TIME_LIMIT_S = 600.0
_ARGV = (sys.executable, "-I", "-m", "penstock.environment.scan.crew")


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """Files below `top` that one process looks through; `key` makes the fingerprints."""

    top: str
    names: tuple[str, ...]
    level: Level
    key: bytes


class Yield(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a share."""

    found: tuple[FoundSecret, ...]
    allowed: int
    files: int
    size_bytes: int
    skipped: tuple[Skipped, ...]


def parts_of(top: Path, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Cut files below a folder into parts that are each worth a process, in order."""
    root = os.fspath(top)
    parts: list[list[str]] = [[]]
    size = 0
    for name in names:
        if size >= SHARE_BYTES:
            parts.append([])
            size = 0
        parts[-1].append(name)
        size += _size(f"{root}/{name}")
    return [tuple(part) for part in parts]


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:  # it is passed over, or told, when it is read
        return 0


def look_together(shares: Sequence[Share], tally: Tally) -> None:
    """Look through shares in as many processes as there are cores; findings come in order."""
    tally.expect(sum(len(share.names) for share in shares))
    workers = min(os.cpu_count() or 1, MOST_WORKERS, len(shares))
    with ThreadPoolExecutor(workers) as pool:
        for result in pool.map(in_child, shares):
            tally.take(Source.TREE, result.found, result.allowed, result.files, result.size_bytes)
            tally.skipped += result.skipped


def in_child(share: Share) -> Yield:
    """Look through a share in a process of its own; here, when that cannot be had."""
    from penstock.process.capture import capture
    from penstock.process.environment import child_environment

    try:
        done = capture(
            _ARGV, Path(share.top), child_environment(), timeout=TIME_LIMIT_S, stdin=_packed(share)
        )
        if done.returncode == 0:
            return typed(json.loads(done.stdout), Yield)
    except (EnvironmentProblem, ValueError):
        pass  # what it would have told is found out here
    return look_through(share)


def look_through(share: Share) -> Yield:
    """Look through a share."""
    tally = Tally()
    looker = Looker(LeakFinder(level=share.level), lambda: share.key)
    looker.look(file_texts(Source.TREE, Path(share.top), share.names, tally), tally)
    return Yield(
        found=tally.sorted(),
        allowed=tally.allowed,
        files=tally.files,
        size_bytes=tally.size_bytes,
        skipped=tuple(tally.skipped),
    )


def _packed(value: Share | Yield) -> bytes:
    """Return a value as JSON in ASCII: names may hold bytes that are no text."""
    return json.dumps(msgspec.to_builtins(value)).encode()


def main() -> None:
    """Look through the share on standard input and print what came of it."""
    share = typed(json.load(sys.stdin), Share)
    sys.stdout.buffer.write(_packed(look_through(share)))


if __name__ == "__main__":
    main()
