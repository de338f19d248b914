"""Where checks find their tools, and what their environment holds."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from penstock.checks.imports import python_of, tree_names
from penstock.checks.surroundings import (
    base_environment,
    check_environment,
    locate,
    search_path,
    top_level_names,
    virtual_environment,
)
from penstock.process.environment import own_bin_directories
from tests.support.repofiles import write_files


def folders(root: Path, *names: str) -> Path:
    """Make folders."""
    for name in names:
        (root / name).mkdir(parents=True)
    return root


def executable(path: Path, text: str = "#!/bin/sh\n") -> Path:
    """Write an executable."""
    write_files(path.parent, {path.name: text})
    path.chmod(0o755)
    return path


def test_the_worktrees_own_environment_comes_first(tmp_path: Path) -> None:
    """The tree's environment, else the repository's, `.venv` before `venv`."""
    tree = folders(tmp_path / "wt", "x")
    assert virtual_environment(tree, tmp_path) is None
    folders(tmp_path, "venv/bin")
    assert virtual_environment(tree, tmp_path) == tmp_path / "venv"
    folders(tmp_path, ".venv/bin")
    assert virtual_environment(tree, tmp_path) == tmp_path / ".venv"
    folders(tree, ".venv/bin")
    assert virtual_environment(tree, tmp_path) == tree / ".venv"


def test_modules_of_node_are_found(tmp_path: Path) -> None:
    """Executables of node packages are on PATH, the tree's first."""
    tree = folders(tmp_path / "wt", "node_modules/.bin")
    folders(tmp_path, ".venv/bin", "node_modules/.bin")
    assert search_path(tree, tmp_path) == (
        tmp_path / ".venv/bin",
        tree / "node_modules/.bin",
        tmp_path / "node_modules/.bin",
    )


def test_penstocks_environment_is_not_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our own executables are left out, unless ours is the repository's environment."""
    own = own_bin_directories()
    assert own
    monkeypatch.setenv("PATH", f"{own[0]}:/usr/bin")
    assert base_environment(tmp_path, tmp_path)["PATH"] == "/usr/bin"
    (tmp_path / ".venv").symlink_to(own[0].parent)
    path = base_environment(tmp_path, tmp_path)["PATH"]
    assert path == f"{tmp_path / '.venv/bin'}:/usr/bin"


def test_caches_stay_out_of_the_tree(tmp_path: Path) -> None:
    """No variable leads a tool to write into the tree; the profile's own ones win."""
    extra = {"COVERAGE_FILE": "mine", "PYTEST_ADDOPTS": "-x", "PYTHONPATH": "/lib"}
    tree = write_files(tmp_path / "wt", {"src/a.py": ""})
    env = check_environment(tree, tmp_path, Path("/scr atch"), extra)
    assert env["COVERAGE_FILE"] == "mine"
    assert shlex.split(env["PYTEST_ADDOPTS"]) == ["-o", "cache_dir=/scr atch/pytest", "-x"]
    assert env["PYTHONPATH"] == f"{tree / 'src'}:/lib"
    assert env["MYPY_CACHE_DIR"] == str(tmp_path / ".state/mypy/wt")
    assert (env["TMPDIR"], env["RUFF_NO_CACHE"]) == ("/scr atch", "true")


def test_without_sources_there_is_no_import_path(tmp_path: Path) -> None:
    """PYTHONPATH is only set for code in `src`."""
    write_files(tmp_path, {"src/data.txt": "", "a.py": ""})
    assert "PYTHONPATH" not in check_environment(tmp_path, tmp_path, tmp_path, {})


def test_packages_and_modules_are_named(tmp_path: Path) -> None:
    """What could be imported from a folder: packages with an __init__, and modules."""
    files = ["a/__init__.py", "b.py", "c/x.py", "d-e.py", "f.txt", "src/g.py", "src/a/__init__.py"]
    write_files(tmp_path, dict.fromkeys(files, ""))
    assert top_level_names(tmp_path) == ("a", "b")
    assert top_level_names(tmp_path / "none") == ()
    assert tree_names(tmp_path) == ("a", "g", "b")


def test_executables_are_located(tmp_path: Path) -> None:
    """Names on PATH, paths from the folder, and `python3` for `python`."""
    tool = executable(tmp_path / "bin/tool")
    python3 = executable(tmp_path / "bin/python3")
    env = {"PATH": str(tool.parent)}
    assert locate("tool", tmp_path, env) == tool
    assert locate("bin/tool", tmp_path, env) == tool
    assert locate("python", tmp_path, env) == python3
    assert locate("other", tmp_path, env) is None
    assert locate("bin/other", tmp_path, env) is None


def test_the_interpreter_behind_a_command_is_found(tmp_path: Path) -> None:
    """Itself, the one of the first line, the neighbour, or the one on PATH."""
    binaries = folders(tmp_path, "bin") / "bin"
    python3 = executable(binaries / "python3")
    env = {"PATH": str(binaries)}
    direct = executable(tmp_path / "a", "#!/opt/python3.12\n")
    by_env = executable(tmp_path / "b", "#!/usr/bin/env python3\n")
    other = executable(tmp_path / "c", "#!/usr/bin/env node\n")
    shell = executable(tmp_path / "d")
    assert python_of(python3, env) == python3
    assert python_of(direct, env) == Path("/opt/python3.12")
    assert python_of(by_env, env) == python3
    assert python_of(other, env) == python_of(shell, env) == python3
    neighbour = executable(tmp_path / "python")
    assert python_of(shell, env) == neighbour
    assert python_of(tmp_path / "gone", {"PATH": "/nowhere"}) == neighbour


def test_a_binary_has_no_first_line(tmp_path: Path) -> None:
    """A program that is no script is left to its neighbours."""
    (tmp_path / "tool").write_bytes(b"\x7fELF" + bytes(600))
    assert python_of(tmp_path / "tool", {"PATH": "/nowhere"}) is None
