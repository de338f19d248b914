"""A result counts only when nothing that it depends on changed while the tool ran."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.checks.inspection.keys import Ledger
from tests.support.ledgers import TOOL, files_in, place_of, plugin, project_plugin, write

LINT = plugin(config_files=("lint.toml",))
TYPES = project_plugin(config_files=("lint.toml",))
FILES = ("pkg/a.py", "pkg/b.py")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small project."""
    write(tmp_path, {"pkg/a.py": "A = 1\n", "pkg/b.py": "B = 1\n", "notes.md": ""})
    return tmp_path


@pytest.fixture
def ledger(tree: Path) -> Ledger:
    """A ledger of it."""
    return Ledger(place_of(tree), listing=files_in(tree))


CHANGES: dict[str, tuple[Callable[[Path], object], bool, bool]] = {
    "nothing": (Path.stat, True, True),
    "an unrelated file": (lambda tree: write(tree, {"notes.md": "x"}), True, True),
    "the file": (lambda tree: write(tree, {"pkg/a.py": "A = 2\n"}), False, False),
    "another file": (lambda tree: write(tree, {"pkg/b.py": "B = 2\n"}), True, False),
    "its end": (lambda tree: (tree / "pkg/a.py").unlink(), False, False),
    "a configuration": (lambda tree: write(tree, {"lint.toml": "x = 1\n"}), False, False),
    "a generated file": (lambda tree: write(tree, {"pkg/gen.py": ""}), True, False),
}


@pytest.mark.parametrize(("change", "alone", "together"), CHANGES.values(), ids=CHANGES)
def test_a_change_while_the_tool_ran_is_seen(
    tree: Path, ledger: Ledger, change: Callable[[Path], object], alone: bool, together: bool
) -> None:
    """Parts made before the run are compared with the disk after it."""
    one = ledger.parts(LINT, TOOL, "pkg/a.py")
    all_of_it = ledger.project_parts(TYPES, TOOL, FILES)
    change(tree)
    assert ledger.still(one, LINT, TOOL, ["pkg/a.py"]) is alone
    assert ledger.still(all_of_it, TYPES, TOOL, FILES) is together
    assert ledger.parts(LINT, TOOL, "pkg/a.py") == one


def test_a_change_and_its_undoing_are_no_change(tree: Path, ledger: Ledger) -> None:
    """What is on disk afterwards decides, for the keys speak of content."""
    one = ledger.parts(LINT, TOOL, "pkg/a.py")
    write(tree, {"pkg/a.py": "A = 2\n"})
    write(tree, {"pkg/a.py": "A = 1\n"})
    assert ledger.still(one, LINT, TOOL, ["pkg/a.py"])


def test_many_looks_see_each_moment(tree: Path, ledger: Ledger) -> None:
    """Each `again` sees the files at its own time, and the first ledger stays as it was."""
    seen = [ledger.content("pkg/a.py")]
    for number in range(3):
        write(tree, {"pkg/a.py": f"A = {number + 5}\n"})
        seen.append(ledger.again().content("pkg/a.py"))
    assert len(set(seen)) == 4
    assert ledger.content("pkg/a.py") == seen[0]


def test_what_was_rewritten_is_looked_at_anew(tree: Path, ledger: Ledger) -> None:
    """After fixers, files that are forgotten and all configuration are read again."""
    before = ledger.parts(LINT, TOOL, "pkg/a.py")
    other = ledger.content("pkg/b.py")
    write(tree, {"pkg/a.py": "A = 3\n", "pkg/b.py": "B = 3\n", "lint.toml": "x = 1\n"})
    ledger.forget(["pkg/a.py"])
    after = ledger.parts(LINT, TOOL, "pkg/a.py")
    assert (after.content != before.content, after.config != before.config) == (True, True)
    assert ledger.content("pkg/b.py") == other


def test_links_and_odd_names_have_parts(tree: Path, ledger: Ledger) -> None:
    """A link has the content it leads to; a name that is no UTF-8 does not stop the others."""
    (tree / "pkg/link.py").symlink_to("a.py")
    odd = b"pkg/caf\xe9.py".decode("utf-8", "surrogateescape")
    (tree / odd).write_text("")
    assert ledger.content("pkg/link.py") == ledger.content("pkg/a.py")
    assert ledger.content(odd) is not None
    listed = Ledger(place_of(tree), listing=(*FILES, odd))
    assert listed.project_parts(TYPES, TOOL, FILES).closure
