"""Documents are found in a stable order, whatever links and strange files lie among them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.errors import NotFoundError
from penstock.planning.specs.walk import Documents, documents
from tests.support import unprivileged
from tests.support.repos import write


def walk(root: Path, docs: str = "docs", **how: tuple[str, ...]) -> Documents:
    """The documents of a folder of a repository."""
    return documents(root / docs, root=root, skip=how.get("skip", ()))


def names(found: Documents) -> list[str]:
    """Their names."""
    return [each.name for each in found.files]


def told(found: Documents) -> list[tuple[str, str]]:
    """What was told of them: code and file."""
    return [(note.code, note.place.file if note.place else "") for note in found.notices]


def test_markdown_and_text_below_the_folder_in_order(tmp_path: Path) -> None:
    """Hidden ones too, any depth, endings in any case; nothing else."""
    write(
        tmp_path,
        dict.fromkeys(("docs/b.md", "docs/A.MD", "docs/x/y/z.txt", "docs/.h/c.md"), "x")
        | dict.fromkeys(("docs/a.rst", "docs/md", "other.md", "docs/.git/d.md"), "x"),
    )
    assert names(walk(tmp_path)) == ["docs/.h/c.md", "docs/A.MD", "docs/b.md", "docs/x/y/z.txt"]


def test_the_whole_repository_may_be_the_folder(tmp_path: Path) -> None:
    """What is left out counts from the top."""
    write(tmp_path, dict.fromkeys(("a.md", "state/b.md", "x/state/c.md", ".worktrees/w/d.md"), "x"))
    found = documents(tmp_path, root=tmp_path, skip=("state", ".worktrees/"))
    assert names(found) == ["a.md", "x/state/c.md"]


def test_a_folder_elsewhere_has_names_of_its_own(tmp_path: Path) -> None:
    """Absolute ones."""
    write(tmp_path, {"other/a.md": "x", "repo/b.md": "x"})
    found = documents(tmp_path / "other", root=tmp_path / "repo")
    assert names(found) == [(tmp_path / "other" / "a.md").as_posix()]


def test_without_the_folder_there_is_nothing_to_find(tmp_path: Path) -> None:
    """Nor where it is a file."""
    write(tmp_path, {"docs": "x"})
    for name in ("docs", "none"):
        with pytest.raises(NotFoundError, match=f"no folder .*{name}"):
            walk(tmp_path, name)


def test_links_in_circles_end(tmp_path: Path) -> None:
    """Each place is visited once, under its own name."""
    write(tmp_path, {"docs/a/x.md": "x", "docs/b/y.md": "y"})
    for link, target in (("a/up", ".."), ("a/self", "."), ("b/a", "../a"), ("all", ".")):
        (tmp_path / "docs" / link).symlink_to(target, target_is_directory=True)
    assert names(walk(tmp_path)) == ["docs/a/x.md", "docs/b/y.md"]
    assert walk(tmp_path).notices == ()


def test_links_are_followed_once_within_the_repository(tmp_path: Path) -> None:
    """To folders and files outside of the folder of documents; the first name counts."""
    write(tmp_path, {"docs/x.md": "x", "specs/y.md": "y", "notes.txt": "n", "data.bin": "b"})
    for link, target in (
        ("b", "../specs"), ("c", "../specs"), ("n.md", "../notes.txt"), ("m.md", "../notes.txt"),
        ("z.md", "x.md"), ("w.md", "../specs/y.md"), ("data", "../data.bin"),
    ):  # fmt: skip
        (tmp_path / "docs" / link).symlink_to(target)
    assert names(walk(tmp_path)) == ["docs/b/y.md", "docs/m.md", "docs/x.md"]


def test_links_that_lead_nowhere_or_out_are_told(tmp_path: Path) -> None:
    """And nothing outside is read."""
    write(tmp_path, {"repo/docs/x.md": "x", "out/secret.md": "s"})
    docs = tmp_path / "repo" / "docs"
    for link, target in (
        ("loop.md", "loop.md"), ("gone.md", "nowhere"), ("out", "../../out"),
        ("file.md", "../../out/secret.md"), ("gone", "nowhere"), ("etc", "/etc/hostname"),
    ):  # fmt: skip
        (docs / link).symlink_to(target)
    found = walk(tmp_path / "repo")
    assert names(found) == ["docs/x.md"]
    assert told(found) == [
        ("link-outside", "docs/file.md"),
        ("broken-link", "docs/gone.md"),
        ("broken-link", "docs/loop.md"),
        ("link-outside", "docs/out"),
    ]


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    """Even out of the repository: it was named."""
    write(tmp_path, {"out/a.md": "x", "out/deep/b.md": "y", "repo/x": "x"})
    (tmp_path / "repo" / "docs").symlink_to("../out", target_is_directory=True)
    (tmp_path / "out" / "link.md").symlink_to("deep/b.md")
    assert names(walk(tmp_path / "repo")) == ["docs/a.md", "docs/deep/b.md"]


def test_names_that_are_no_utf8_are_listed(tmp_path: Path) -> None:
    """As the system gives them."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / os.fsdecode(b"\xff.md")).write_text("x")
    assert names(walk(tmp_path)) == ["docs/\udcff.md"]


CLOSED = """
import pathlib, sys
from penstock.planning.specs.walk import documents
root = pathlib.Path(sys.argv[1])
found = documents(root / "docs", root=root)
print([each.name for each in found.files], [str(note.place) for note in found.notices])
"""


def test_a_closed_folder_is_told(tmp_path: Path) -> None:
    """The others are read."""
    write(tmp_path, {"docs/a.md": "x", "docs/closed/b.md": "y"})
    (tmp_path / "docs" / "closed").chmod(0)
    try:
        said = unprivileged.python(CLOSED, [tmp_path], cwd=tmp_path)
    finally:
        (tmp_path / "docs" / "closed").chmod(0o755)
    assert said == "['docs/a.md'] ['docs/closed:1']\n"
