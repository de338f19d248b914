"""What a tree holds decides which checks it wants."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.checks import detect
from penstock.checks.detect import read_signs, wanted
from tests.support.repofiles import write_files

FILES: dict[str, tuple[dict[str, str], tuple[str, ...], tuple[str, ...]]] = {
    "nothing": ({"README.md": "x"}, (), ()),
    "python": ({"a/b/c.py": ""}, ("ruff",), ()),
    "python tests": ({"tests/test_a.py": ""}, ("ruff",), ("pytest",)),
    "tests beside": ({"pkg/a_test.py": ""}, ("ruff",), ("pytest",)),
    "no test files": ({"tests/helper.py": ""}, ("ruff",), ()),
    "hidden": ({".hidden/test_a.py": "", "node_modules/x/test_b.py": ""}, (), ()),
    "ruff.toml": ({"ruff.toml": ""}, ("ruff",), ()),
    ".ruff.toml": ({".ruff.toml": ""}, ("ruff",), ()),
    "ruff in pyproject": ({"pyproject.toml": "[tool.ruff]\n"}, ("ruff",), ()),
    "ruff table": ({"pyproject.toml": "x=1\n[tool.ruff.lint]\n"}, ("ruff",), ()),
    "ruffian": ({"pyproject.toml": "[tool.ruffian]\n"}, (), ()),
    "pytest.ini": ({"pytest.ini": ""}, (), ("pytest",)),
    "pytest in pyproject": ({"pyproject.toml": "[tool.pytest.ini_options]\n"}, (), ("pytest",)),
    "broken pyproject": ({"pyproject.toml": "[[[\n[tool.pytest]\n"}, (), ("pytest",)),
    "tox.ini": ({"tox.ini": "[tox]\n[pytest]\n"}, (), ("pytest",)),
    "tox without": ({"tox.ini": "[tox]\n"}, (), ()),
    "setup.cfg": ({"setup.cfg": "[tool:pytest]\n"}, (), ("pytest",)),
    "npm": (
        {"package.json": '{"scripts": {"lint": "eslint .", "test": "vitest"}}'},
        ("npm-lint",),
        ("npm-test",),
    ),
    "npm init": (
        {"package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'},
        (),
        (),
    ),
    "broken package": ({"package.json": '{"scripts"'}, (), ()),
    "odd package": ({"package.json": '{"scripts": [1]}'}, (), ()),
    "list package": ({"package.json": "[1]"}, (), ()),
    "go": ({"go.mod": "module x"}, ("go-vet",), ("go-test",)),
    "cargo": ({"Cargo.toml": "[package]"}, ("cargo-check",), ("cargo-test",)),
    "both": ({"go.mod": "", "test_x.py": ""}, ("ruff", "go-vet"), ("pytest", "go-test")),
}


@pytest.mark.parametrize("case", FILES)
def test_the_checks_follow_the_files(tmp_path: Path, case: str) -> None:
    """Each kind of project gets its usual checks, and nothing else."""
    files, static, runtime = FILES[case]
    signs = read_signs(write_files(tmp_path, files))
    assert (tuple(wanted("static", signs)), tuple(wanted("runtime", signs))) == (static, runtime)


def test_a_tree_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    """An unreadable place is empty, not an error."""
    assert read_signs(tmp_path / "none") == detect.Signs()


def test_a_huge_or_odd_file_is_not_read(tmp_path: Path) -> None:
    """A configuration file beyond reason counts as absent."""
    write_files(tmp_path, {"package.json": "[" * (2 << 20)})
    os.mkfifo(tmp_path / "pyproject.toml")
    assert read_signs(tmp_path) == detect.Signs()


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_cannot_be_read_counts_as_absent(tmp_path: Path) -> None:
    """Detection does not fail where a file is closed to us."""
    (tmp_path / "package.json").touch(mode=0)
    assert read_signs(tmp_path) == detect.Signs()


def test_links_out_of_the_tree_are_not_followed(tmp_path: Path) -> None:
    """A symbolic link to a folder is no folder of the tree."""
    write_files(tmp_path, {"other/test_a.py": "", "tree/README": ""})
    (tmp_path / "tree" / "link").symlink_to(tmp_path / "other")
    assert read_signs(tmp_path / "tree") == detect.Signs()


def test_the_search_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many entries the search gives up instead of walking for ever."""
    write_files(tmp_path, {f"d{n}/x.txt": "" for n in range(9)} | {"d8/e/f/test_a.py": ""})
    assert read_signs(tmp_path).python_tests
    monkeypatch.setattr(detect, "MAX_ENTRIES", 5)
    assert not read_signs(tmp_path).python_tests


def test_deep_json_does_not_break_detection(tmp_path: Path) -> None:
    """A package.json nested beyond reason counts as none."""
    write_files(tmp_path, {"package.json": '{"scripts":' + "[" * 100_000})
    assert not read_signs(tmp_path).npm_test
