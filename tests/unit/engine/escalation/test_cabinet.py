"""The pipeline's own files: what is kept, what is brought back, and what is left alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.engine.escalation.cabinet import Cabinet, content, put
from penstock.errors import EnvironmentProblem


@pytest.fixture
def cabinet(tmp_path: Path) -> Cabinet:
    """A cabinet beside the tree."""
    return Cabinet(tmp_path / "reports", "r", "w")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with two files."""
    folder = tmp_path / "tree"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.py").write_bytes(b"old\r\n")
    (folder / "sub/b.py").write_bytes(b"b")
    (folder / "a.py").chmod(0o640)
    return folder


def overwritten(cabinet: Cabinet, tree: Path, **made: bytes | None) -> Path:
    """Keep files and overwrite them as an attempt does; return the folder they are kept in."""
    contents = {name.replace("_", "/") + ".py": data for name, data in made.items()}
    folder = cabinet.attempt("1")
    cabinet.save(folder, tree, contents)
    cabinet.announce(folder, contents)
    for name, data in contents.items():
        if data is None:
            (tree / name).unlink()
        else:
            put(tree / name, data, None)
    return folder


def test_what_an_attempt_wrote_is_undone(cabinet: Cabinet, tree: Path) -> None:
    """Bytes and permissions; a file that it made goes, one that it took away comes back."""
    folder = overwritten(cabinet, tree, a=b"new", sub_b=None, sub_made=b"x")
    assert set(cabinet.restore(folder, tree)) == {"a.py", "sub/b.py", "sub/made.py"}
    assert (tree / "a.py").read_bytes() == b"old\r\n"
    assert (tree / "a.py").stat().st_mode & 0o777 == 0o640
    assert (tree / "sub/b.py").read_bytes() == b"b"
    assert not (tree / "sub/made.py").exists()


def test_what_somebody_else_wrote_stays(cabinet: Cabinet, tree: Path) -> None:
    """It is neither as before nor as the attempt made it."""
    folder = overwritten(cabinet, tree, a=b"new")
    (tree / "a.py").write_bytes(b"mine")
    assert cabinet.restore(folder, tree) == ()
    assert (tree / "a.py").read_bytes() == b"mine"


def test_before_anything_is_brought_over_nothing_is_undone(cabinet: Cabinet, tree: Path) -> None:
    """Whatever the files are by now."""
    cabinet.save(cabinet.attempt("1"), tree, ["a.py"])
    (tree / "a.py").write_bytes(b"mine")
    assert cabinet.restore(cabinet.attempt("1"), tree) == ()


def test_what_is_kept_first_counts(cabinet: Cabinet, tree: Path) -> None:
    """Keeping it again does not replace it."""
    cabinet.save(cabinet.original, tree, ["a.py"])
    (tree / "a.py").write_bytes(b"later")
    cabinet.save(cabinet.original, tree, ["a.py", "sub/b.py"])
    assert cabinet.saved_content(cabinet.original, "a.py") == b"old\r\n"
    assert cabinet.saved_content(cabinet.original, "sub/b.py") == b"b"


def test_a_half_written_file_of_a_dead_process_is_cleared(cabinet: Cabinet, tree: Path) -> None:
    """It lies beside the file that it was to replace."""
    folder = overwritten(cabinet, tree, a=b"new")
    (tree / ".a.py.0123abcd.penstock").write_bytes(b"ne")
    cabinet.restore(folder, tree)
    assert sorted(p.name for p in tree.iterdir()) == ["a.py", "sub"]


def test_what_is_forgotten_is_gone(cabinet: Cabinet, tree: Path) -> None:
    """Prompt and log stay."""
    folder = overwritten(cabinet, tree, a=b"new")
    (folder / "prompt.txt").write_text("p")
    cabinet.forget(folder)
    assert [p.name for p in folder.iterdir()] == ["prompt.txt"]
    assert cabinet.restore(folder, tree) == ()


def test_a_file_is_replaced_whole(tree: Path) -> None:
    """Through links, with its permissions; a new one has the usual ones."""
    (tree / "link.py").symlink_to("a.py")
    put(tree / "link.py", b"new", None)
    assert (tree / "link.py").is_symlink()
    assert ((tree / "a.py").read_bytes(), (tree / "a.py").stat().st_mode & 0o777) == (b"new", 0o640)
    old = os.umask(0o027)
    put(tree / "deep/er/c.py", b"c", None)
    os.umask(old)
    assert (tree / "deep/er/c.py").stat().st_mode & 0o777 == 0o640


def test_what_is_no_file_has_no_content(tree: Path) -> None:
    """A folder, a pipe, and what is not there."""
    os.mkfifo(tree / "pipe")
    assert [content(tree / name) for name in ("sub", "pipe", "gone")] == [None, None, None]


def test_our_files_are_for_the_owner_alone(cabinet: Cabinet, tree: Path) -> None:
    """Folders 0700, files 0600."""
    cabinet.save(cabinet.attempt("1"), tree, ["a.py"])
    kept = list(cabinet.folder.rglob("*"))
    assert {p.stat().st_mode & 0o777 for p in kept if p.is_dir()} == {0o700}
    assert {p.stat().st_mode & 0o777 for p in kept if p.is_file()} == {0o600}


def test_an_earlier_pipeline_is_put_aside(cabinet: Cabinet) -> None:
    """Each under a number of its own; without one there is nothing to do."""
    cabinet.set_aside()
    for _ in range(2):
        cabinet.folder.mkdir(parents=True)
        cabinet.set_aside()
    names = sorted(p.name for p in cabinet.folder.parent.iterdir())
    assert names == ["w.earlier-1", "w.earlier-2"]


def test_a_file_that_cannot_be_written_is_said(tree: Path) -> None:
    """With its name and what to do."""
    with pytest.raises(EnvironmentProblem, match=r"cannot write .*a\.py") as raised:
        put(tree / "a.py" / "below.py", b"new", None)
    assert "tick again" in (raised.value.hint or "")
    assert (tree / "a.py").read_bytes() == b"old\r\n"
