"""The walk: what it comes by, and what it leaves out."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from penstock.environment.scan.walk import Walker, outermost
from tests.support.repos import git
from tests.support.scanning import caches_of, tree, walked
from tests.support.unprivileged import python

LEFT_OUT = (
    ".git/config", "node_modules/a.js", ".venv/a", "venv/a", "build/a", "dist/a", "target/a", "out/a",
    ".tox/a", "x.egg-info/a", "cmake-build-debug/a", ".hg/a", ".next/static/a", ".aim-trash/x/1",
    "site-packages/a", "dist-packages/a",
)  # fmt: skip


def test_all_files_below_a_folder(tmp_path: Path) -> None:
    """Hidden ones, empty ones and those with odd names too, each with its size and identity."""
    top = tree(tmp_path, {"a": "12", ".b": "", "d/é \n": "x", "d/e/f.py": "y"})
    walker = Walker()
    found = {one.path: one for one in walker.files([top])}
    assert {os.path.relpath(path, top) for path in found} == {"a", ".b", "d/é \n", "d/e/f.py"}
    status = (top / "a").stat()
    one = found[str(top / "a")]
    assert (one.size, one.ino, one.mtime_ns) == (2, status.st_ino, status.st_mtime_ns)
    assert (walker.count, walker.size_bytes) == (4, 4)


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    """Undecodable bytes in a name are kept."""
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).write_text("x")
    assert walked(tmp_path) == {os.fsdecode(b"\xff")}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_nobody_may_touch_is_not_entered(tmp_path: Path, name: str) -> None:
    """Repositories' own folders, environments, installed packages, build outputs, trashes."""
    assert walked(tree(tmp_path, {name: "x", "kept": "y"})) == {"kept"}


def test_environments_and_bare_repositories_by_what_lies_in_them(tmp_path: Path) -> None:
    """Whatever their folders are called."""
    files = {
        "e/pyvenv.cfg": "",
        "e/lib/a": "",
        "c/conda-meta/x": "",
        "b/HEAD": "",
        "b/objects/x": "",
    }
    assert walked(tree(tmp_path, {**files, "b/refs/y": "", "kept": ""})) == {"kept"}


def test_links_sockets_and_pipes_are_passed_by(tmp_path: Path) -> None:
    """Links to files and folders, loops and special files are no files."""
    top = tree(tmp_path, {"a": "x", "d/b": "y"})
    (top / "l").symlink_to("a")
    (top / "d" / "up").symlink_to("..")
    os.mkfifo(top / "pipe")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(top / "s"))
        assert walked(top) == {"a", "d/b"}


def test_roots_within_each_other_count_once(tmp_path: Path) -> None:
    """Also when one is given twice, or through a link."""
    top = tree(tmp_path / "t", {"a": "", "d/b": "", "de/c": ""})
    (tmp_path / "link").symlink_to(top)
    assert outermost([top / "d", top, tmp_path / "link"]) == [str(top)]
    assert outermost([top / "d", top / "de"]) == [str(top / "d"), str(top / "de")]
    assert len(list(Walker().files([top, top / "d", top]))) == 3


def test_a_missing_root_is_a_note(tmp_path: Path) -> None:
    """And the others are walked."""
    walker = Walker()
    top = tree(tmp_path / "t", {"a": ""})
    assert len(list(walker.files([tmp_path / "none", top]))) == 1
    assert walker.notes == [f"{tmp_path.resolve() / 'none'}: No such file or directory"]


def test_a_folder_that_cannot_be_listed_is_a_note(tmp_path: Path) -> None:
    """And the rest is walked."""
    top = tree(tmp_path, {"a": "", "d/b": ""})
    (top / "d").chmod(0)
    code = (
        "import sys; from pathlib import Path; from penstock.environment.scan.walk import Walker\n"
        "walker = Walker(); print(len(list(walker.files([Path(sys.argv[1])]))), walker.notes)"
    )
    try:
        assert python(code, [top], cwd=tmp_path) == f"1 ['{top / 'd'}: Permission denied']\n"
    finally:
        (top / "d").chmod(0o700)


def test_ignore_files_of_the_tree_count(tmp_path: Path) -> None:
    """Those of git and of AI tools, in every folder, deeper ones over outer ones."""
    files = {
        ".gitignore": "*.log\n/d/x/\n", ".aiignore": "secret*\n!a.log\n", "a.log": "", "a.py": "",
        "secret.txt": "", "d/x/y": "", "d/b.log": "", "d/.gitignore": "!b.log\n", "d/c.log": "",
    }  # fmt: skip
    found = walked(tree(tmp_path, files))
    assert found == {".gitignore", ".aiignore", "a.py", "d/.gitignore", "d/b.log"}


def test_ignore_files_above_a_root_count_up_to_its_checkout(tmp_path: Path) -> None:
    """The clone's own exclude file too; ignore files above the checkout do not."""
    top = tree(tmp_path / "r", {".gitignore": "*.log\n", "d/a.log": "", "d/b": "", "d/c": ""})
    (tmp_path / ".gitignore").write_text("c\n")
    git(top, "init", "-q")
    (top / ".git" / "info" / "exclude").write_text("/d/b\n")
    assert walked(top / "d") == {"c"}


def test_ignore_files_may_be_disobeyed(tmp_path: Path) -> None:
    """Our own rules count all the same."""
    top = tree(tmp_path, {".gitignore": "a\n", "a": "", "b": "", "d/b": ""})
    assert walked(top, Walker(obey=False, own=["/b"])) == {".gitignore", "a", "d/b"}


def test_own_rules_count_from_each_root(tmp_path: Path) -> None:
    """Not from the checkout."""
    top = tree(tmp_path, {"x/a": "", "x/d/a": "", "y/a": "", "y/b": ""})
    found = {one.path for one in Walker(own=["/a"]).files([top / "x", top / "y"])}
    assert found == {str(top / "x/d/a"), str(top / "y/b")}


def test_skipped_folders_are_not_entered(tmp_path: Path) -> None:
    """But they may be roots."""
    top = tree(tmp_path, {"a": "", "state/b": ""})
    skipped = [str(top / "state")]
    assert walked(top, Walker(skipped=skipped)) == {"a"}
    assert walked(top / "state", Walker(skipped=skipped)) == {"b"}


def test_caches_are_met_and_not_entered(tmp_path: Path) -> None:
    """Folders and files, known by their names alone."""
    files = {
        "__pycache__/a.pyc": "", "d/.mypy_cache/x": "", ".eslintcache": "", "tsconfig.tsbuildinfo": "",
        ".claude/s.json": "", "w/.next/cache/x": "", "w/.next/static/y": "", "src/a.py": "",
    }  # fmt: skip
    assert caches_of(tree(tmp_path, files)) == {
        "__pycache__": "__pycache__",
        "d/.mypy_cache": ".mypy_cache",
        ".eslintcache": ".eslintcache",
        "tsconfig.tsbuildinfo": ".tsbuildinfo",
        ".claude": ".claude",
        "w/.next/cache": ".next/cache",
    }
    assert walked(tmp_path) == {"src/a.py"}


def test_caches_in_ignored_folders_are_met(tmp_path: Path) -> None:
    """Although no file there is; ignore files in there change nothing."""
    files = {".gitignore": "tmp/\n*cache*\n", "tmp/.gitignore": "!*", "tmp/a": "", "tmp/x/y/b": ""}
    top = tree(tmp_path, {**files, "tmp/x/__pycache__/c": "", ".ruff_cache/d": ""})
    assert caches_of(top) == {"tmp/x/__pycache__": "__pycache__", ".ruff_cache": ".ruff_cache"}
    assert walked(top) == {".gitignore"}


def test_caches_where_nobody_may_touch_anything_are_not_met(tmp_path: Path) -> None:
    """However they are called."""
    files = {"build/__pycache__/a": "", ".venv/__pycache__/a": "", "e/pyvenv.cfg": ""}
    assert (
        caches_of(tree(tmp_path, {**files, "e/__pycache__/a": "", ".git/__pycache__/a": ""})) == {}
    )


def test_patterns_of_the_user(tmp_path: Path) -> None:
    """Names, wildcards, and names within a folder."""
    top = tree(
        tmp_path, {".my": "", "x.cache": "", "w/deep/x": "", "w/other/x": "", "n/deep/x": ""}
    )
    assert caches_of(top, ".my/", "*.cache", "w/deep") == {
        ".my": ".my",
        "x.cache": "*.cache",
        "w/deep": "w/deep",
    }


def test_a_nested_cache_behind_a_link_is_none(tmp_path: Path) -> None:
    """What it leads to may be anything."""
    top = tree(tmp_path, {"elsewhere/x": "", "w/.next/static/y": ""})
    (top / "w/.next/cache").symlink_to(top / "elsewhere")
    assert caches_of(top) == {}


def test_who_listens_hears_of_the_files(tmp_path: Path) -> None:
    """At the end at the latest."""
    heard: list[int] = []
    walked(tree(tmp_path, {"a": "", "b": ""}), Walker(on_files=heard.append))
    assert heard == [2]
