"""Findings of a worktree get their fingerprints."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.checks import marking
from penstock.checks.marking import marked
from tests.support.findings import finding


def mark(tree: Path, **fields: object) -> str | None:
    """The fingerprint of a finding in this tree."""
    (found,) = marked([finding(**fields)], tree)
    return found.fingerprint


def by_message(tree: Path) -> str | None:
    """The fingerprint of a finding whose line cannot be read."""
    return mark(tree, path="no-such.py", line=1)


def test_a_fingerprint_stands_on_the_line_of_the_tree(tmp_path: Path) -> None:
    """Moved and reindented it is the same, on another text it is not."""
    (tmp_path / "a.py").write_bytes(b"import os\r\nx = 1\r\n")
    (tmp_path / "b.py").write_text("\n\n  import  os\n")
    first = mark(tmp_path, line=1)
    assert first == mark(tmp_path, path="b.py", line=3)
    assert first != mark(tmp_path, line=2)
    assert first != by_message(tmp_path)


def test_a_tree_behind_a_link_is_read(tmp_path: Path) -> None:
    """Worktrees may lie below a linked folder."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.py").write_text("import os\n")
    (tmp_path / "tree").symlink_to("real")
    assert mark(tmp_path / "tree", line=1) == mark(tmp_path / "real", line=1)
    assert mark(tmp_path / "tree", line=1) != by_message(tmp_path)


@pytest.mark.parametrize("path", ["gone.py", "folder", "pipe", "out.py", "../secret", "a\0b"])
def test_what_cannot_be_read_in_the_tree_is_told_by_its_message(tmp_path: Path, path: str) -> None:
    """Nothing that is gone, no file, or elsewhere is read, and a pipe makes nobody wait."""
    tree = tmp_path / "tree"
    (tree / "folder").mkdir(parents=True)
    (tmp_path / "secret").write_text("password\n")
    (tree / "out.py").symlink_to(tmp_path / "secret")
    os.mkfifo(tree / "pipe")
    assert mark(tree, path=path, line=1) == by_message(tree)


def test_a_huge_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its findings are told by their messages."""
    (tmp_path / "a.py").write_text("import os\n")
    monkeypatch.setattr(marking, "MAX_BYTES", 5)
    assert mark(tmp_path, line=1) == by_message(tmp_path)
