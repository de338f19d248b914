"""Ignore files, held against git's own reading of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.environment.scan.ignore import (
    MAX_BYTES,
    IgnoreFile,
    Scope,
    ignored,
    read_ignore_file,
)
from tests.support.ignoring import git_ignores
from tests.support.repos import git

NAMES = ("a", "b", "ab", "a.py", "b.log", "a-b", "[x]", "a b", "#c", "!d", "é.txt", "a ")
FILES = (*NAMES, *(f"d/{name}" for name in NAMES), *(f"d/e/{name}" for name in NAMES[:4]))
LINES = (
    "a", "/a", "a/", "d/a", "/d/a", "d/*", "d/**", "**/a", "**/e/a", "d/**/a", "*.py", "*.[lp]*",
    "a?b", "[!a]", "[^a]b", "[a-b]", "[b-a]", "[]x]", "[[]x]", "\\[x\\]", "a\\ b", "a\\ ", "a ", "\\#c",
    "#c", "\\!d", "!a", "!*.py", "!d/a", "*", "/*", "!/d/", "d", "d/", "é*", "[[:alpha:]]", "[[:x:]]",
    "[a", "a\\", "/", "//", "**", "***", "a**", "/**/b", "[!/]", "d/e/", "a[]", "", "   ", "[a\\-z]",
    "[\\]x]*", "[--0]b", "a//b", "**/", "!**/", "d*/a", "**e/a", "e/**", "\\a", "[!\\!]",
)  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that has no files: git judges names alone."""
    folder = tmp_path_factory.mktemp("ignoring")
    git(folder, "init", "-q")
    for name in FILES:  # git asks the disk whether a name is a folder
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def ours(lines: list[str], paths: tuple[str, ...] = FILES) -> set[str]:
    """What one ignore file at the top leaves out, whole folders included."""
    chain = ((Scope(IgnoreFile(lines), 1),),)
    out = set()
    for path in paths:
        parts = path.split("/")
        above = ["/".join(parts[:n]) for n in range(1, len(parts))]
        if any(ignored(chain, f"/{one}", folder=True) for one in above) or ignored(
            chain, f"/{path}", folder=False
        ):
            out.add(path)
    return out


def theirs(place: Path, lines: list[str]) -> set[str]:
    """What git leaves out with the same file."""
    (place / ".gitignore").write_bytes(os.fsencode("\n".join(lines)))
    return git_ignores(place, FILES)


@pytest.mark.parametrize("line", LINES)
def test_each_pattern_means_what_git_says(place: Path, line: str) -> None:
    """One pattern alone, and one that everything is ignored before, leave out the same files."""
    assert ours([line]) == theirs(place, [line])
    assert ours(["*", line]) == theirs(place, ["*", line])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(lines=st.lists(st.sampled_from(LINES), max_size=6))
def test_the_last_line_that_matches_decides(place: Path, lines: list[str]) -> None:
    """Files of several lines leave out the same files, in whatever order these stand."""
    assert ours(lines) == theirs(place, lines)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(line=st.text(alphabet="ab/*?[]!-\\#. de", max_size=8))
def test_rubbish_means_what_git_says(place: Path, line: str) -> None:
    """Whatever a line holds, it leaves out the same files and breaks nothing."""
    assert ours([line]) == theirs(place, [line])


def test_line_ends_of_windows_and_a_mark_at_the_beginning(tmp_path: Path) -> None:
    """Neither belongs to a pattern."""
    path = tmp_path / ".gitignore"
    path.write_bytes(b"\xef\xbb\xbfa\r\nb\r\n")
    found = read_ignore_file(str(path))
    assert found is not None
    assert [found.verdict(name, folder=False) for name in ("a", "b", "c")] == [True, True, None]


def test_names_that_are_no_text(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 stand for themselves."""
    path = tmp_path / ".gitignore"
    path.write_bytes(b"\xff*\n")
    found = read_ignore_file(str(path))
    assert found is not None
    assert found.verdict(os.fsdecode(b"\xffx"), folder=False) is True


def test_what_is_no_ignore_file(tmp_path: Path) -> None:
    """A missing file, a folder, a pipe, a link, a huge file and an empty one say nothing."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "huge").write_bytes(b"a\n" * MAX_BYTES)
    (tmp_path / "empty").write_text("# nothing\n\n")
    names = ("missing", "folder", "link", "pipe", "huge", "empty")
    assert [read_ignore_file(str(tmp_path / name)) for name in names] == [None] * len(names)


def test_the_innermost_file_decides_for_its_sort_alone() -> None:
    """A deeper file takes back what an outer one of its sort says, not what another sort says."""
    outer, inner = Scope(IgnoreFile(["*.log"]), 1), Scope(IgnoreFile(["!a.log"]), 3)
    assert ignored(((outer,),), "/d/a.log", folder=False)
    assert not ignored(((outer, inner),), "/d/a.log", folder=False)
    assert ignored(((outer, inner), (outer,)), "/d/a.log", folder=False)
