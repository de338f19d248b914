"""mypy where it gives up: broken files, two modules of one name, names of before, wrong configuration."""

from __future__ import annotations

import sys
import venv
from pathlib import Path

import pytest

from tests.support.checkers import (
    built_in,
    find_checker,
    found_by,
    run_plugin,
    use_checkers,
    write_tree,
)

WRONG = 'x: int = "a"\n'
BROKEN = "def f(:\n"


@pytest.fixture(autouse=True)
def _mypy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real mypy."""
    use_checkers(monkeypatch, "mypy")


def wrong_at(*paths: str) -> list[str]:
    """Return what mypy finds in files of the text WRONG."""
    return [f"{path}:1:10 error/type assignment" for path in paths]


def test_a_broken_file_blocks_only_those_that_import_it(tmp_path: Path) -> None:
    """What leads to a broken file is told as not checked; everything else is checked."""
    files = {"pkg/__init__.py": "", "pkg/broken.py": BROKEN, "pkg/user.py": "import pkg.broken\n"}
    place = write_tree(tmp_path, {**files, "pkg/m.py": WRONG, "ok.py": WRONG})
    found = found_by("python_mypy", place, ["ok.py", "pkg/broken.py", "pkg/m.py", "pkg/user.py"])
    assert [line for line in found if "error" in line] == [
        *wrong_at("ok.py"),
        "pkg/broken.py:1:7 error/syntax syntax",
        "pkg/broken.py:2:1 error/syntax syntax",
        *wrong_at("pkg/m.py"),
    ]
    assert [line for line in found if "error" not in line] == ["pkg/user.py warning/other blocked"]


def test_a_broken_file_that_was_not_named_is_an_error_of_its_user(tmp_path: Path) -> None:
    """A file that leads to a broken one is no pass, though nothing was asked about that."""
    place = write_tree(tmp_path, {"broken.py": BROKEN, "user.py": "import broken\n"})
    result = run_plugin("python_mypy", place, ["user.py"])
    assert [found.path for found in result.issues] == ["user.py"]
    assert result.issues[0].message.startswith("not checked: broken.py:1: ")
    assert found_by("python_mypy", place, ["user.py"]) == ["user.py error/syntax blocked"]


def test_what_too_many_files_block_is_told(tmp_path: Path) -> None:
    """The search for what is blocked ends some time; what is left over is told as not checked."""
    users = [f"u{number:02}.py" for number in range(16)]
    files = {"broken.py": BROKEN, **dict.fromkeys(users, "import broken\n")}
    found = found_by("python_mypy", write_tree(tmp_path, files), ["broken.py", *users])
    assert [line.split()[0] for line in found if "other blocked" in line] == users


@pytest.mark.parametrize(
    "pair", [("a/conftest.py", "b/conftest.py"), ("ok.py", "ok.pyi"), ("a/x.py", "b/x.py")]
)
def test_modules_of_one_name_are_all_checked(pair: tuple[str, str], tmp_path: Path) -> None:
    """Two files that mypy takes for one module are checked one after the other."""
    place = write_tree(tmp_path, {**dict.fromkeys(pair, WRONG), "other.py": WRONG})
    files = sorted([*pair, "other.py"])
    assert found_by("python_mypy", place, files) == wrong_at(*files)


def test_a_package_that_cannot_be_imported_is_told(tmp_path: Path) -> None:
    """A package whose name is no identifier, which stops mypy, is a warning of its files only."""
    files = {"foo-bar/__init__.py": "", "foo-bar/m.py": WRONG, "ok.py": WRONG}
    place = write_tree(tmp_path, files)
    found = found_by("python_mypy", place, ["foo-bar/m.py", "ok.py"])
    assert found == ["foo-bar/m.py warning/other blocked", *wrong_at("ok.py")]


def test_a_moved_file_is_told_by_its_present_name(tmp_path: Path) -> None:
    """mypy's cache goes by modules: a file that was moved unchanged is not told by its old path."""
    place, cache = write_tree(tmp_path / "tree", {"a/m.py": WRONG}), tmp_path / "cache"
    assert found_by("python_mypy", place, ["a/m.py"], cache=cache) == wrong_at("a/m.py")
    (place.tree / "a").rename(place.tree / "b")
    assert found_by("python_mypy", place, ["b/m.py"], cache=cache) == wrong_at("b/m.py")


def test_a_copy_elsewhere_is_told_by_its_own_name(tmp_path: Path) -> None:
    """The same holds when the file of the old path is still there."""
    files = {"a/m.py": WRONG, "b/m.py": WRONG}
    place, cache = write_tree(tmp_path / "tree", files), tmp_path / "cache"
    assert found_by("python_mypy", place, ["a/m.py"], cache=cache) == wrong_at("a/m.py")
    assert found_by("python_mypy", place, ["b/m.py"], cache=cache) == wrong_at("b/m.py")
    assert sorted(path.name for path in cache.iterdir()) == ["part0"]


def test_a_wrong_configuration_is_a_problem(tmp_path: Path) -> None:
    """What mypy itself cannot work with fails the plugin, and no file in particular."""
    place = write_tree(tmp_path, {"mypy.ini": "[mypy]\nplugins = nowhere.py\n", "ok.py": ""})
    result = run_plugin("python_mypy", place, ["ok.py"])
    assert not result.success
    assert result.problem is not None
    assert "mypy.ini:2: Can't find plugin" in result.problem


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mypy.ini", "[mypy]\nexclude = (?x)(^gen/ | ^old\\.py$)\n"),
        (".mypy.ini", "[mypy]\nexclude = ^gen/|^old\\.py$\n"),
        ("setup.cfg", "[mypy]\nexclude = ^gen/|^old\\.py$\n"),
        ("pyproject.toml", "[tool.mypy]\nexclude = ['^gen/', '^old\\.py$']\n"),
    ],
)
def test_exclude_holds_wherever_it_stands(name: str, text: str, tmp_path: Path) -> None:
    """Files that any configuration of mypy excludes are not checked when they are named."""
    sources = dict.fromkeys(["gen/deep/x.py", "old.py", "ok.py"], WRONG)
    place = write_tree(tmp_path, {**sources, name: text})
    assert found_by("python_mypy", place, list(sources)) == wrong_at("ok.py")


def test_packages_of_the_tree_count(tmp_path: Path) -> None:
    """A mypy from elsewhere sees what the tree's own environment has installed."""
    venv.create(tmp_path / ".venv", with_pip=False)
    site = f".venv/lib/python3.{sys.version_info.minor}/site-packages"
    library = {f"{site}/lib/__init__.py": "def f() -> int: ...\n", f"{site}/lib/py.typed": ""}
    place = write_tree(tmp_path, {**library, "a.py": "import lib\n\nx: str = lib.f()\n"})
    assert found_by("python_mypy", place, ["a.py"]) == ["a.py:3:10 error/type assignment"]


def test_a_python_that_is_configured_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python that the repository's configuration names is not overridden."""
    venv.create(tmp_path / ".venv", with_pip=False)
    write_tree(tmp_path, {"mypy.ini": f"[mypy]\npython_executable = {sys.executable}\n"})
    monkeypatch.chdir(tmp_path)
    command = built_in("python_mypy").build_command("a.py")
    assert command[0] == str(find_checker("mypy"))
    assert "--python-executable" not in command
