"""From what the user names to files: folders, links, and everything that is no file to check."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from penstock.checks.api import Place
from penstock.checks.inspection.project import list_project
from penstock.checks.inspection.selecting import (
    MAX_FILE_BYTES,
    Selection,
    is_plain,
    select,
    shown,
)
from tests.support import unprivileged
from tests.support.repos import make_repo, write

BY_ANY_USER = """
import json, sys
from pathlib import Path
from penstock.checks.api import Place
from penstock.checks.inspection.selecting import select
tree = Path(sys.argv[1])
found = select(Place(tree=tree, root=tree), tree, sys.argv[3:], listing=json.loads(sys.argv[2]))
print(json.dumps([found.files, found.refused, found.unusable]))
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository with a few files."""
    return make_repo(tmp_path / "repo", {"a.py": "a\n", "src/b.py": "b\n", "src/in/c.py": "c\n"})


def selected(tree: Path, *paths: str, start: str = "") -> Selection:
    """Select in a tree, seen from a folder of it."""
    place = Place(tree=tree, root=tree)
    return select(place, tree / start, paths, listing=list_project(place))


def reason(told: tuple[tuple[str, str], ...]) -> str:
    """The reason of the only thing that was told."""
    ((_, why),) = told
    return why


def test_nothing_named_is_the_whole_project(tree: Path) -> None:
    """Without paths all files of the project are taken."""
    found = selected(tree)
    assert found == Selection(files=found.listing, listing=("a.py", "src/b.py", "src/in/c.py"))


def test_a_folder_stands_for_its_files(tree: Path) -> None:
    """A named folder means its files of the project, however it is written."""
    for name in ("src", "src/", "./src", "src/in/..", str(tree / "src")):
        assert selected(tree, name).files == ("src/b.py", "src/in/c.py")


def test_paths_are_seen_from_the_current_folder(tree: Path) -> None:
    """Relative paths start where the user is, results at the top of the tree."""
    assert selected(tree, "b.py", "../a.py", start="src").files == ("a.py", "src/b.py")


def test_the_same_file_is_taken_once(tree: Path) -> None:
    """A file that is named in several ways is one file."""
    found = selected(tree, "a.py", "./a.py", ".", str(tree / "a.py"))
    assert found.files == ("a.py", "src/b.py", "src/in/c.py")


def test_an_ignored_folder_that_is_named_is_walked(tree: Path) -> None:
    """A folder that git ignores is looked into when the user asks for it."""
    write(tree, {".gitignore": "build/\n", "build/x.py": "x\n", "build/.hid/y.py": "y\n"})
    assert selected(tree).files == (".gitignore", "a.py", "src/b.py", "src/in/c.py")
    assert selected(tree, "build").files == ("build/x.py",)


def test_an_ignored_file_that_is_named_is_taken(tree: Path) -> None:
    """A file that git ignores is checked when it is named."""
    write(tree, {".gitignore": "*.log\n", "x.log": "x\n"})
    assert selected(tree, "x.log").files == ("x.log",)


@pytest.mark.parametrize(
    "name", ["-x.py", "a b.py", 'it\'s "q".py', "ü-日本.py", "$(id).py", "*.py"]
)
def test_odd_names_are_names(tree: Path, name: str) -> None:
    """Dashes, spaces, quotes and other scripts are no reason to refuse a file."""
    write(tree, {name: "x\n"})
    assert selected(tree, name).files == (name,)
    assert name in selected(tree).files


@pytest.mark.parametrize(
    ("name", "told"),
    [("a\nb.py", "a\\nb.py"), ("t\tx.py", "t\\tx.py"), ("\x1b[2J.py", "\\x1b[2J.py")],
)  # fmt: skip
def test_control_characters_in_names_are_refused(tree: Path, name: str, told: str) -> None:
    """A name that would break lines or drive a terminal is refused, and shown escaped."""
    write(tree, {name: "x\n"})
    found = selected(tree, name)
    assert (found.files, found.refused[0][0]) == ((), told)
    assert selected(tree).skipped == found.refused


def test_invalid_utf_8_in_a_name_is_refused(tree: Path) -> None:
    """A name that is no UTF-8 is refused, and shown with its bytes escaped."""
    name = os.fsdecode(b"caf\xe9.py")
    write(tree, {name: "x\n"})
    found = selected(tree, name)
    assert found.refused[0][0] == "caf\\xe9.py"
    assert "UTF-8" in reason(found.refused)
    assert selected(tree).skipped == found.refused


def test_what_is_not_there_is_a_mistake(tree: Path) -> None:
    """A missing path is told of, and the others are taken."""
    found = selected(tree, "a.py", "gone.py", "a.py/x")
    assert found.files == ("a.py",)
    assert dict(found.unusable) == {
        "gone.py": "there is no such file or folder",
        "a.py/x": "there is no such file or folder",
    }


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 300, "\ud800"])
def test_what_can_be_no_name_is_a_mistake(tree: Path, name: str) -> None:
    """Text that no file can be called by is a mistake, not a crash."""
    assert "name" in reason(selected(tree, name).unusable)


def test_what_lies_outside_is_a_mistake(tree: Path) -> None:
    """Paths that lead out of the root are not taken."""
    found = selected(tree, "/etc/passwd", "..", "src/../../x")
    assert len(found.unusable) == 3
    assert all(f"outside of {tree}" in why for _, why in found.unusable)


def test_a_pipe_and_a_socket_are_mistakes(tree: Path) -> None:
    """What is neither a file nor a folder is named as what it is, and never opened."""
    os.mkfifo(tree / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tree / "sock"))
        told = dict(selected(tree, "pipe", "sock", "a.py").unusable)
    assert "a pipe" in told["pipe"]
    assert "a socket" in told["sock"]
    assert selected(tree).files == ("a.py", "src/b.py", "src/in/c.py")


def test_a_link_stands_for_its_target(tree: Path) -> None:
    """A named link to a file inside means that file; found in a folder it adds nothing."""
    (tree / "link.py").symlink_to("src/b.py")
    (tree / "dir").symlink_to("src")
    assert selected(tree, "link.py", "dir/b.py").files == ("src/b.py",)
    assert selected(tree, "dir").files == ("src/b.py", "src/in/c.py")
    assert selected(tree).files == ("a.py", "src/b.py", "src/in/c.py")


def test_a_link_that_leads_out_is_refused(tree: Path) -> None:
    """A link out of the root is never followed, whether it was named or found."""
    (tree.parent / "secret.py").write_text("s\n")
    (tree / "link.py").symlink_to("../secret.py")
    assert "leads out" in reason(selected(tree, "link.py").refused)
    assert "leads out" in reason(selected(tree).skipped)
    assert selected(tree, "link.py").files == ()


def test_loops_and_dangling_links_are_refused(tree: Path) -> None:
    """A link that ends nowhere is refused, with the reason."""
    (tree / "one").symlink_to("two")
    (tree / "two").symlink_to("one")
    (tree / "lost").symlink_to("nothing")
    told = dict(selected(tree, "one", "lost").refused)
    assert "loop" in told["one"]
    assert "a link to nothing" in told["lost"]
    assert selected(tree).refused == ()


def test_a_large_file_is_refused_when_named(tree: Path) -> None:
    """A file beyond the limit is refused when it was named, else skipped; its size is told."""
    with (tree / "big.py").open("wb") as file:
        file.truncate(1_000_000_000)
    assert "1,000.0 MB, the limit is 10 MB" in reason(selected(tree, "big.py").refused)
    assert selected(tree).skipped == selected(tree, "big.py").refused


def test_a_file_at_the_limit_is_taken(tree: Path) -> None:
    """The limit itself is allowed."""
    with (tree / "big.py").open("wb") as file:
        file.truncate(MAX_FILE_BYTES)
    assert "big.py" in selected(tree).files


def test_what_may_not_be_read_is_refused(tree: Path) -> None:
    """An unreadable file is refused even when it was only found; unreadable folders too."""
    (tree / "a.py").chmod(0)
    (tree / "src").chmod(0)
    listing = json.dumps(["a.py", "src/b.py"])
    try:
        arguments = [str(tree), listing, "a.py", "src", "src/b.py"]
        files, refused, unusable = json.loads(unprivileged.python(BY_ANY_USER, arguments, cwd=tree))
        found = json.loads(unprivileged.python(BY_ANY_USER, arguments[:2], cwd=tree))
    finally:
        (tree / "src").chmod(0o755)
    assert (files, unusable) == ([], [])
    assert [name for name, why in refused if "permission denied" in why] == arguments[2:]
    assert [name for name, _ in found[1]] == ["a.py", "src/b.py"]


def test_a_listed_file_that_has_gone_is_no_trouble(tree: Path) -> None:
    """What was deleted between the listing and the look is no longer part of the project."""
    place = Place(tree=tree, root=tree)
    assert select(place, tree, (), listing=["a.py", "gone.py"]).files == ("a.py",)


def test_outside_of_git_a_folder_is_walked(tmp_path: Path) -> None:
    """In a plain folder the same rules hold."""
    write(tmp_path, {"a.py": "a\n", "src/b.py": "b\n"})
    assert selected(tmp_path).files == ("a.py", "src/b.py")
    assert selected(tmp_path, "src").files == ("src/b.py",)


def test_the_root_of_the_file_system_may_be_the_tree() -> None:
    """Names are right even where the tree has no name."""
    place = Place(tree=Path("/"), root=Path("/"))
    found = select(place, Path("/"), ["/etc/passwd"], listing=())
    assert found.files == ("etc/passwd",)


def test_names_are_told_in_one_printable_line() -> None:
    """Escapes show what is there, and plain names stay as they are."""
    assert shown("a b'ü.py") == "a b'ü.py"
    assert shown("a\u2028b\x85\x00\udcff") == "a\\u2028b\\x85\\x00\\xff"
    assert is_plain("-ü .py")
    assert not is_plain("\udc80")
