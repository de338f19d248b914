"""Fixers rewrite files whole or not at all, and only what they may."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.checks.inspection.fixing import Fixed, FixReport
from tests.support.fixers import UPPER, fixer, leftovers, run
from tests.support.repos import write

APPEND = 'for f; do echo more >>"$f"; done'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with a few files."""
    write(tmp_path / "tree", {"a.py": "a\n", "src/b.py": "b\n", "src/C.py": "C\n"})
    return (tmp_path / "tree").resolve()


def fixed_paths(report: FixReport) -> list[str]:
    """The files that were replaced."""
    return [fixed.path for fixed in report.fixed]


def test_changed_files_are_replaced(tree: Path) -> None:
    """What a fixer changes is changed in the tree, the rest is not touched."""
    before = (tree / "src/C.py").stat()
    report = run(tree, [fixer(tree.parent, "upper", UPPER)], ["a.py", "src/b.py", "src/C.py"])
    assert report.fixed == (
        Fixed(path="a.py", by=("upper",)),
        Fixed(path="src/b.py", by=("upper",)),
    )
    assert (tree / "a.py").read_text() == "A\n"
    assert (tree / "src/b.py").read_text() == "B\n"
    assert (tree / "src/C.py").stat() == before
    assert (report.refused, leftovers(tree)) == ((), [])
    assert report.results[0].metadata["files"] == ["a.py", "src/b.py", "src/C.py"]


def test_only_asked_files_are_changed(tree: Path) -> None:
    """Files that nobody asked about stay as they are."""
    run(tree, [fixer(tree.parent, "upper", UPPER)], ["a.py"])
    assert (tree / "src/b.py").read_text() == "b\n"


def test_fixers_run_in_their_order(tree: Path) -> None:
    """A later fixer sees what an earlier one made of the file."""
    first = fixer(tree.parent, "first", "sed -i 's/^a$/one/' \"$@\"")
    second = fixer(tree.parent, "second", "sed -i 's/^one$/two/' \"$@\"")
    report = run(tree, [first, second], ["a.py"])
    assert (tree / "a.py").read_text() == "two\n"
    assert report.fixed == (Fixed(path="a.py", by=("first", "second")),)
    (tree / "a.py").write_text("a\n")
    run(tree, [second, first], ["a.py"])
    assert (tree / "a.py").read_text() == "two\n", "it came to rest only in a second round"


def test_a_fixer_finds_what_lies_beside(tree: Path) -> None:
    """Configuration, packages and other modules are found from the copy as from the tree."""
    write(tree, {"conf": "c\n", "src/lib/x.py": "x\n", ".venv/bin/y": "y\n"})
    look = 'cat conf src/lib/x.py .venv/bin/y src/C.py ../../../../conf >"$1"'
    run(tree, [fixer(tree.parent, "look", look)], ["src/b.py"])
    assert (tree / "src/b.py").read_text() == "c\nx\ny\nC\nc\n"


def test_nothing_is_written_beside_sources(tree: Path) -> None:
    """What a fixer leaves beside its file does not reach the tree."""
    run(
        tree,
        [fixer(tree.parent, "litter", 'echo x >"$1.orig"; mkdir .cache; echo B >"$1"')],
        ["src/b.py"],
    )
    names = sorted(path.name for path in tree.rglob("*") if ".state" not in path.parts)
    assert names == ["C.py", "a.py", "b.py", "src"]


@pytest.mark.parametrize(
    "name", ["-x.py", "--help", "a b.py", 'it\'s "q".py', "ü-日本.py", "$(id).py", "@f", "a\\b.py"]
)
def test_odd_names_reach_the_fixer_as_they_are(tree: Path, name: str) -> None:
    """No name is taken for an option, a pattern or a piece of shell."""
    write(tree, {name: "x\n"})
    report = run(tree, [fixer(tree.parent, "upper", UPPER)], [name])
    assert fixed_paths(report) == [name]
    assert (tree / name).read_text() == "X\n"
