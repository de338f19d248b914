"""The tree that scans are measured on."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bench.scan_corpus import make_corpus

from penstock.environment.scan.duplicates import DuplicateFinder
from penstock.environment.scan.walk import Walker


def digest(folder: Path) -> str:
    """A hash of all names and contents below a folder."""
    hasher = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        hasher.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return hasher.hexdigest()


def test_a_seed_draws_one_tree(tmp_path: Path) -> None:
    """The same seed draws the same files, another one others, of about the size that is asked for."""
    made = [make_corpus(tmp_path / str(n), 250, 500_000, n % 2) for n in range(3)]
    assert made[0] == made[2] != made[1]
    assert digest(tmp_path / "0") == digest(tmp_path / "2") != digest(tmp_path / "1")
    assert all(250_000 < one.size_bytes < 1_000_000 for one in made)


def test_three_in_ten_are_copies(tmp_path: Path) -> None:
    """At least those are found; two that differ from a third in the same byte are one another's copy."""
    made = make_corpus(tmp_path / "t", 300, 600_000, 5)
    assert 60 < made.copies < 120
    found = DuplicateFinder().find(Walker().files([tmp_path / "t"]))
    copies = sum(len(one.files) - 1 for one in found)
    assert made.copies <= copies < made.copies + 20
