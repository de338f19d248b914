"""Checking the chain over ranges of files, fast: several processes, each in few passes.

A range is checked as a whole; where something is wrong it only says so, and `diagnose` looks at the
lines one by one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import msgspec

from penstock.audit.line import HASH, STAMP
from penstock.typed import typed_json

BLOCK = 1 << 19
PARALLEL_FROM = 48 << 20
"""Bytes from which on a second process is worth its start."""
MOST_WORKERS = 8

# without line ends: where the hashed part ends, where `<prev>","hash":"<hash>"}` begins
_HASHED = -(len(HASH) + 66)
_LINK = _HASHED - 65
_BETWEEN = f'"{HASH.decode()}'
_END = '"}'


class Range(NamedTuple):
    """Part of a file, from the beginning of a line to the end of one."""

    path: str
    start: int
    end: int


class Chain(NamedTuple):
    """What a range holds: whether its lines are chained in order of time, and its two ends."""

    ok: bool
    lines: int = 0
    first_prev: str = ""
    last_hash: str = ""
    first_stamp: str = ""
    last_stamp: str = ""


def split(path: Path, size: int, pieces: int) -> list[Range]:
    """Cut the first `size` bytes of a file into about so many ranges of whole lines."""
    step = max(size // pieces, BLOCK)
    cuts = [0]
    with path.open("rb") as file:
        while cuts[-1] + step < size:
            file.seek(cuts[-1] + step)
            file.readline()
            cuts.append(min(file.tell(), size))
    if cuts[-1] < size:
        cuts.append(size)
    return [Range(str(path), *pair) for pair in pairwise(cuts)]


def check_all(ranges: Sequence[Range]) -> list[Chain]:
    """Check ranges, large amounts in several processes; the results are in the order asked."""
    total = sum(part.end - part.start for part in ranges)
    workers = min(os.cpu_count() or 1, MOST_WORKERS, total // PARALLEL_FROM + 1)
    shares = _shares(ranges, workers)
    found: list[list[Chain]] = [[] for _ in shares]
    threads = [
        Thread(target=lambda n=n: found.__setitem__(n, _in_child(shares[n])))
        for n in range(1, len(shares))
    ]
    for thread in threads:
        thread.start()
    found[0] = [check(part) for part in shares[0]]
    for thread in threads:
        thread.join()
    return [chain for share in found for chain in share]


def check(part: Range) -> Chain:
    """Check one range."""
    whole: Chain | None = None
    for lines in _blocks(part):
        chain = _check_lines(lines)
        whole = chain if whole is None else joined(whole, chain)
        if not whole.ok:
            return Chain(ok=False)
    return whole or Chain(ok=True)


def _blocks(part: Range) -> Iterator[list[bytes]]:
    """Yield the lines of a range, without their ends, in blocks."""
    left, carry = part.end - part.start, b""
    with Path(part.path).open("rb") as file:
        file.seek(part.start)
        while left > 0 and (data := file.read(min(BLOCK, left))):
            left -= len(data)
            *lines, carry = (carry + data).split(b"\n")
            if lines:
                yield lines
    if carry or left:
        yield [carry]


def _check_lines(lines: list[bytes]) -> Chain:
    hashes = [sha256(text[:_HASHED]).hexdigest() for text in lines]
    first_prev = lines[0][_LINK : _LINK + 64].decode("latin-1")
    links = _BETWEEN.join([f"{digest}{_END}{digest}" for digest in hashes])
    expected = f"{first_prev}{_BETWEEN}{links}"[:-64]
    stamps = [text[STAMP] for text in lines]
    return Chain(
        ok=b"".join([text[_LINK:] for text in lines]) == expected.encode()
        and stamps == sorted(stamps),
        lines=len(lines),
        first_prev=first_prev,
        last_hash=hashes[-1],
        first_stamp=stamps[0].decode("latin-1"),
        last_stamp=stamps[-1].decode("latin-1"),
    )


def joined(one: Chain, other: Chain) -> Chain:
    """Return the chain of two ranges that follow each other."""
    fits = one.last_hash == other.first_prev and one.last_stamp <= other.first_stamp
    return Chain(
        ok=one.ok and other.ok and fits,
        lines=one.lines + other.lines,
        first_prev=one.first_prev,
        last_hash=other.last_hash,
        first_stamp=one.first_stamp,
        last_stamp=other.last_stamp,
    )


# -- other processes -----------------------------------------------------------------------
def _shares(ranges: Sequence[Range], workers: int) -> list[Sequence[Range]]:
    """Deal the ranges out in order, to each worker about as many bytes."""
    total = sum(part.end - part.start for part in ranges)
    shares: list[list[Range]] = [[] for _ in range(workers)]
    done = 0
    for part in ranges:
        shares[min(done * workers // max(total, 1), workers - 1)].append(part)
        done += part.end - part.start
    return list(shares)


def _in_child(ranges: Sequence[Range]) -> list[Chain]:
    """Check ranges in a process of their own; here, when it cannot be started."""
    from penstock.process.api import Command, End
    from penstock.process.environment import child_environment
    from penstock.process.run import run

    asked = [str(value) for part in ranges for value in part]
    argv = (sys.executable, "-I", "-m", "penstock.audit.ranges", *asked)
    outcome = run(Command(argv=argv, cwd=Path.cwd(), env=child_environment()))
    if outcome.end is not End.EXITED or outcome.exit_code != 0:
        return [check(part) for part in ranges]
    return typed_json(outcome.stdout, list[Chain])


def main(asked: Sequence[str]) -> None:
    """Check ranges given as path, start, end, ... and print the chains as JSON."""
    parts = [
        Range(path, int(start), int(end))
        for path, start, end in zip(asked[::3], asked[1::3], asked[2::3], strict=True)
    ]
    sys.stdout.buffer.write(msgspec.json.encode([check(part) for part in parts]))


if __name__ == "__main__":
    main(sys.argv[1:])
