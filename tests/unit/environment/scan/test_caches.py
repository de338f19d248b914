"""Caches by name, and how large they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.environment.scan.caches import (
    CLEANABLE,
    REPORTED,
    CacheHit,
    CacheNames,
    extent,
    measured,
)
from tests.support.scanning import tree
from tests.support.unprivileged import python


@pytest.mark.parametrize("pattern", [*CLEANABLE, *REPORTED])
def test_the_packaged_patterns(pattern: str) -> None:
    """What tools make anew may go; what holds settings may not, even when it is configured."""
    names = CacheNames([pattern])
    if "/" not in pattern:
        assert names.pattern_of(pattern) == pattern
    assert names.is_cleanable(pattern) == (pattern in CLEANABLE)
    assert names.patterns == (*CLEANABLE, *REPORTED)


def test_names_that_only_look_alike() -> None:
    """They are no caches."""
    names = CacheNames()
    for name in (
        "pycache",
        "__pycache__2",
        "my.mypy_cache",
        "tsbuildinfo",
        "cache",
        "x.eslintcache",
    ):
        assert names.pattern_of(name) is None


def test_a_wildcard_with_letters_that_mean_something_else() -> None:
    """Only `*`, `?` and `[` are wildcards."""
    names = CacheNames(["a.b*", "c[12]", "d?"])
    assert [names.pattern_of(name) for name in ("a.bc", "axbc", "c1", "c3", "de", "d\n")] == [
        "a.b*", None, "c[12]", None, "d?", "d?",
    ]  # fmt: skip


def test_the_size_of_a_cache(tmp_path: Path) -> None:
    """All files below it count, links as such."""
    top = tree(tmp_path, {"c/a": "12", "c/d/b": "345", "f": "6789"})
    (top / "c" / "l").symlink_to("/")
    notes: list[str] = []
    found = measured(CacheHit(str(top / "c"), "__pycache__", folder=True), notes.append)
    assert (found.size_bytes, found.file_count, found.cleanable, notes) == (6, 3, True, [])
    file = measured(CacheHit(str(top / "f"), ".claude", folder=False), notes.append)
    assert (file.size_bytes, file.file_count, file.cleanable) == (4, 1, False)


def test_a_cache_that_is_gone_is_empty(tmp_path: Path) -> None:
    """Its tool may be at work."""
    notes: list[str] = []
    for folder in (True, False):
        found = measured(CacheHit(str(tmp_path / "x"), "x", folder=folder), notes.append)
        assert found.size_bytes == 0
    assert notes == []


def test_what_cannot_be_listed_is_a_note(tmp_path: Path) -> None:
    """And the rest counts."""
    top = tree(tmp_path, {"a": "1", "d/b": "2"})
    (top / "d").chmod(0)
    code = (
        "import sys; from penstock.environment.scan.caches import extent\n"
        "notes = []; print(extent(sys.argv[1], notes.append), notes)"
    )
    try:
        assert python(code, [top], cwd=top) == f"(1, 1) ['{top / 'd'}: Permission denied']\n"
    finally:
        (top / "d").chmod(0o700)
    assert extent(str(top), lambda _note: None) == (2, 2)
