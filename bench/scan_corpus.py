"""A tree of files for the benches of scans: drawn from a seed, with duplicates and near-duplicates."""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

POOL_BYTES = 32 * 1024 * 1024
PER_FOLDER = 100
SIGMA = 1.35
"""Spread of the sizes: log-normal, as measured over many file systems (Agrawal and others, "A
five-year study of file-system metadata", FAST 2007)."""
DUPLICATES = 0.3
NEAR = 0.1


class Corpus(NamedTuple):
    """What was written: files, bytes, and how many of the files are a copy of an earlier one."""

    files: int
    size_bytes: int
    copies: int


def make_corpus(folder: Path, files: int, total_bytes: int, seed: int) -> Corpus:
    """Write `files` files of about `total_bytes` in all.

    DUPLICATES of them are copies of an earlier file. NEAR of them have an earlier file's size, and
    its content but for one byte at the beginning, in the middle or at the end.
    """
    rng = random.Random(seed)  # noqa: S311 - a bench shall be repeatable
    pool = rng.randbytes(POOL_BYTES)
    mean = total_bytes / files
    kept: list[tuple[int, int, int]] = []
    written = copies = 0
    for number in range(files):
        roll = rng.random()
        if kept and roll < DUPLICATES + NEAR:
            start, size, stamp = rng.choice(kept)
        else:
            size = min(
                int(mean * rng.lognormvariate(-SIGMA * SIGMA / 2, SIGMA)) + 16, POOL_BYTES // 2
            )
            start, stamp = rng.randrange(POOL_BYTES - size), number
            kept.append((start, size, stamp))
        content = bytearray(pool[start : start + size])
        content[:8] = stamp.to_bytes(8, "big")
        if roll < DUPLICATES:
            copies += bool(number)
        elif roll < DUPLICATES + NEAR:
            content[rng.choice((9, size // 2, size - 1))] ^= 0x55
        _write(folder, number, content)
        written += size
    return Corpus(files, written, copies)


def _write(folder: Path, number: int, content: bytes | bytearray) -> None:
    place = folder / f"d{number // PER_FOLDER // 40:03}" / f"e{number // PER_FOLDER:04}"
    if number % PER_FOLDER == 0:
        place.mkdir(parents=True, exist_ok=True)
    (place / f"file-{number:06}.bin").write_bytes(content)
