"""The bench of the index of symbols measures what it says."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.bench_symbols import measure
from bench.planning_repo import KINDS, LINES, make_repo, path_of, symbol

from penstock.planning.scoping.symbols import open_symbols
from penstock.planning.scoping.terrain import FolderTerrain

FILES = 40


def test_the_repository_is_the_same_each_time(tmp_path: Path) -> None:
    """The same seed gives the same files, of as many bytes as are told."""
    sizes = [make_repo(tmp_path / name, FILES) for name in ("a", "b")]
    files = [sorted(p for p in (tmp_path / name).rglob("*.*")) for name in ("a", "b")]
    assert [p.read_bytes() for p in files[0]] == [p.read_bytes() for p in files[1]]
    assert sizes == [sum(p.stat().st_size for p in files[0])] * 2


def test_symbols_of_every_kind_of_file_are_found(tmp_path: Path) -> None:
    """Each file defines what the bench looks up, under the name that its language spells."""
    make_repo(tmp_path, len(KINDS))
    index = open_symbols(FolderTerrain(tmp_path))
    for number in range(len(KINDS) - 1):
        name = symbol(number, 0)
        spelt = [name, "".join(word.capitalize() for word in name.split("_"))]
        assert [d.path for one in spelt for d in index.find(one)] == [path_of(number)]


def test_all_figures_are_there(tmp_path: Path) -> None:
    """A small repository gives every figure, and the index holds all symbols."""
    make_repo(tmp_path / "repo", FILES)
    figures = measure(tmp_path / "repo", tmp_path / "state", FILES, 1)
    assert {"cold_s", "warm_s", "one_s", "touched_s", "lookups_s"} <= figures.keys()
    assert figures["symbols"] == pytest.approx(FILES * 0.9 * LINES, rel=0.2)
