"""Which other files count: those of the project's kinds, and generated ones beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.checks.inspection import closure
from tests.support.ledgers import parts_now, project_now, project_plugin, write

PY = ("py", "pyi")
LISTING = ("pkg/__init__.py", "pkg/a.py", "setup.cfg")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project with some files."""
    write(tmp_path, dict.fromkeys(LISTING, "x = 1\n"))
    return tmp_path


def beside(tree: Path) -> tuple[str, ...]:
    """The files that are found beside the listing."""
    return closure.unlisted(str(tree), LISTING, PY)


def test_kinds_are_endings_of_names() -> None:
    """Only files with one of the endings count; without endings, and with `*`, all do."""
    assert closure.of_kind(("a.py", "b.pyi", "c.pyx", "py"), PY) == ("a.py", "b.pyi")
    assert closure.of_kind(("a.py", "b"), ()) == ("a.py", "b")
    assert closure.of_kind(("a.py", "b"), ("*",)) == ("a.py", "b")
    assert closure.of_kind(("a.py", "b.sh"), (".sh",)) == ("b.sh",)


def test_folders_are_those_of_the_files_and_above() -> None:
    """Every folder on the way to a file is named once, the top first."""
    assert closure.folders_of(("a/b/c.py", "a/d.py", "e.py")) == ("", "a", "a/b")
    assert closure.folders_of(()) == ("",)


def test_an_ignored_file_beside_others_counts(tree: Path) -> None:
    """Generated code in a folder of the project is found, whether git lists it or not."""
    write(tree, {"pkg/_version.py": "", "_top.py": "", "pkg/data.bin": ""})
    assert beside(tree) == ("_top.py", "pkg/_version.py")


def test_an_ignored_folder_counts(tree: Path) -> None:
    """Generated packages are found at any depth."""
    write(tree, {"generated/api/v1/client.py": "", "pkg/proto/a_pb2.py": ""})
    assert beside(tree) == ("generated/api/v1/client.py", "pkg/proto/a_pb2.py")


@pytest.mark.parametrize(
    "made",
    [
        "node_modules/x/a.py",
        ".venv/lib/a.py",
        ".hidden.py",
        "pkg/__pycache__/a.py",
        "state/a.py",
        "logs/a.py",
        "generated/site-packages/a.py",
    ],
)
def test_what_is_installed_hidden_or_ours_does_not_count(tree: Path, made: str) -> None:
    """Installed packages, caches, hidden and our own folders are left out."""
    write(tree, {made: ""})
    assert beside(tree) == ()


def test_an_environment_does_not_count(tree: Path) -> None:
    """A folder with the mark of a virtual environment is left out, whatever its name."""
    write(tree, {"env/pyvenv.cfg": "", "env/lib/a.py": "", "env/a.py": ""})
    assert beside(tree) == ()


def test_a_folder_of_data_is_given_up(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder whose first entries are of no wanted kind is not searched through."""
    monkeypatch.setattr(closure, "_DATA_AFTER", 20)
    write(tree, {f"data/{n:03}/image.png": "" for n in range(40)} | {"data/000/deep/a.py": ""})
    assert beside(tree) == ()


def test_the_search_is_bounded(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more entries are looked at in all than the bound, folder by folder."""
    monkeypatch.setattr(closure, "MAX_LOOKED_AT", 30)
    write(tree, {f"gen{n:02}/m{m}.py": "" for n in range(20) for m in range(10)})
    assert 20 <= len(beside(tree)) <= 40


def test_links_that_lead_back_are_no_folders(tree: Path) -> None:
    """A link to the tree, or to what holds it, is not followed; one to elsewhere is."""
    elsewhere = tree.parent / "elsewhere"
    write(elsewhere, {"gen.py": ""})
    (tree / "round").symlink_to(tree)
    (tree / "up").symlink_to(tree.parent)
    (tree / "out").symlink_to(elsewhere)
    assert beside(tree) == ("out/gen.py",)


def test_a_folder_that_cannot_be_read_is_empty(tmp_path: Path) -> None:
    """A listing of what is not there finds nothing."""
    assert closure.unlisted(str(tmp_path / "gone"), ("a/b.py",), PY) == ()
    assert closure.module_names(str(tmp_path / "gone")) == ()


def test_generated_code_changes_the_key_of_its_users(tree: Path) -> None:
    """For a plugin of reach project an ignored module counts like any other."""
    write(tree, {"pkg/ignored/gen.py": "x: int\n"})
    before = project_now(tree, project_plugin(), "pkg/a.py")
    write(tree, {"pkg/ignored/gen.py": "x: str\n"})
    assert project_now(tree, project_plugin(), "pkg/a.py").closure != before.closure


def test_modules_and_packages_can_be_imported(tmp_path: Path) -> None:
    """Names that can be imported are told, others are not."""
    write(tmp_path, dict.fromkeys(("a.py", "b.pyi", "c-d.py", "e.txt", "f/x", "g-h/x", ".i/x"), ""))
    assert closure.module_names(str(tmp_path)) == ("a", "b", "f/")


def test_packages_are_told_up_to_the_top(tree: Path) -> None:
    """Folders with an __init__ are packages."""
    write(tree, {"pkg/sub/deep/__init__.pyi": "", "pkg/sub/deep/m.py": ""})

    def names_in(folder: str) -> frozenset[str]:
        return frozenset(path.name for path in (tree / folder).iterdir())

    assert closure.packages_above("pkg/sub/deep", names_in) == ("pkg/sub/deep", "pkg")
    assert closure.packages_above("", names_in) == ()


def test_an_unreadable_file_of_the_project_counts_as_such(tree: Path) -> None:
    """A file that can no longer be read changes the key."""
    listing = (*LISTING, "pkg/gone.py")
    digests = {"pkg/a.py": "1", "pkg/gone.py": None}
    first = closure.digest_over(listing, lambda path: digests.get(path, "2"))
    digests["pkg/gone.py"] = "3"
    assert closure.digest_over(listing, lambda path: digests.get(path, "2")) != first


def test_a_new_package_mark_counts_for_its_files(tree: Path) -> None:
    """Whether a folder is a package is part of what Python tools look at."""
    from tests.support.ledgers import plugin

    before = parts_now(tree, plugin(), "pkg/a.py")
    (tree / "pkg/__init__.py").unlink()
    assert parts_now(tree, plugin(), "pkg/a.py").closure != before.closure
