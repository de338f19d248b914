"""Secrets planted into real texts are found, and little else is.

The texts are those of the packages that are installed where the tests run; `bench_secrets` does
the same over a fixed list of packages. Kinds and values are drawn afresh for each seed, and these
seeds were not looked at while the rules were written.
"""

from __future__ import annotations

import random
import sysconfig
import time
from pathlib import Path

import pytest

from penstock.leaks.match import LeakFinder
from tests.support.leak_corpus import Planted, found_in, plant, statement, texts
from tests.support.leak_kinds import SHAPED, SHAPELESS, Kind

SITE = Path(sysconfig.get_paths()["purelib"])
MOST_FILES = 3000
FINDER = LeakFinder()


def share_found(planted: list[Planted], root: Path) -> float:
    """The part of the planted secrets that is found in the files they are in."""
    found = [found_in(one, FINDER.find((root / one.path).read_bytes())) for one in planted]
    return sum(found) / len(found)


@pytest.mark.parametrize("seed", [70_001, 70_002, 70_003])
def test_planted_secrets_are_found(seed: int, tmp_path: Path) -> None:
    """Nearly all that have a shape, and most that have none."""
    planted = plant(SITE, seed, tmp_path)
    assert share_found([one for one in planted if one.kind.shaped], tmp_path) >= 0.97
    assert share_found([one for one in planted if not one.kind.shaped], tmp_path) >= 0.6


@pytest.mark.parametrize("kind", [*SHAPED, *SHAPELESS], ids=lambda kind: kind.name)
def test_every_kind_is_found(kind: Kind) -> None:
    """No kind hides behind the others: of each at least three of four, shaped ones nearly all."""
    draws = random.Random(70_004)
    hits = 0
    for _ in range(60):
        value, line = statement(kind, draws)
        planted = Planted("x.py", 2, kind, value, line)
        hits += found_in(planted, FINDER.find(b"a = 1\n" + line.encode() + b"\nb = 2\n"))
    assert hits / 60 >= (0.95 if kind.shaped else 0.75)


def test_little_else_is_found() -> None:
    """At most one finding in two megabytes of what is installed here, tests and all."""
    corpus = [path.read_bytes() for path in texts(SITE)[:MOST_FILES]]
    size = sum(map(len, corpus))
    assert sum(len(FINDER.find(data)) for data in corpus) <= 3 + size / 2_000_000


HOSTILE = {
    "one keyword": b"sk-ant-" * 100_000,
    "heads of keys": b"-----BEGIN PRIVATE KEY-----\n" * 25_000,
    "a key without an end": b"-----BEGIN RSA PRIVATE KEY-----\n" + b"A" * 700_000,
    "tokens without dots": b"-eyJ" * 175_000,
    "addresses": b"://a:" * 140_000,
    "names": b"password_" * 78_000,
    "assignments": b"key=key:" * 88_000,
    "blanks": b"password" + b" " * 700_000,
    "quotes": b"token='\"`" * 78_000,
    "one long word": b"a1" * 350_000,
    "digits": b"pass" + b"1" * 700_000,
    "leads": b"-us1" * 175_000,
    "zeros": b"A" * 700_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_takes_long(name: str) -> None:
    """700 KB made to be tried again and again take seconds, not minutes."""
    started = time.process_time()
    FINDER.find(HOSTILE[name])
    assert time.process_time() - started < 8
