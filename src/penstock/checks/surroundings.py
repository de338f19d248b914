"""The environment that checks run in: the tree's own tools first, no traces left in the tree."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from penstock.process.environment import (
    child_environment,
    find_executable,
    own_bin_directories,
)

_BIN = "Scripts" if os.name == "nt" else "bin"
_VENVS = (".venv", "venv")
_ADDOPTS = "PYTEST_ADDOPTS"
_LOCALE = "C.UTF-8" if sys.platform == "linux" else "C"


def virtual_environment(tree: Path, root: Path) -> Path | None:
    """Return the Python environment that checks use: the tree's own, else the repository's."""
    for place in (tree, root):
        for name in _VENVS:
            if _is_folder(place / name / _BIN):
                return place / name
    return None


def search_path(tree: Path, root: Path) -> tuple[Path, ...]:
    """Return the folders that come first on PATH, existing ones only."""
    venv = virtual_environment(tree, root)
    modules = [place / "node_modules" / ".bin" for place in (tree, root)]
    found = [venv / _BIN] if venv is not None else []
    return tuple(dict.fromkeys(found + [folder for folder in modules if _is_folder(folder)]))


def _is_folder(path: Path) -> bool:
    """Tell whether a folder is there for us; one that an agent has closed to us is not."""
    try:
        return path.is_dir()
    except OSError:
        return False


def base_environment(tree: Path, root: Path) -> dict[str, str]:
    """Return the environment without what belongs to one run, for finding executables."""
    venv = virtual_environment(tree, root)
    return child_environment(
        extra={"VIRTUAL_ENV": str(venv)} if venv is not None else {},
        path_first=search_path(tree, root),
        path_without=own_bin_directories(),
    )


def check_environment(
    tree: Path,
    root: Path,
    scratch: Path,
    extra: Mapping[str, str],
    given: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the whole environment of a check; `scratch` takes what it would leave lying about.

    `given` is the workstream's own (ports, temporary folder); `extra` is the tool profile's and wins;
    pytest's options and the import path are joined.
    """
    traces = {
        "LC_ALL": _LOCALE,
        "LANG": _LOCALE,
        "LANGUAGE": "",
        "TMPDIR": str(scratch),
        "PYTHONDONTWRITEBYTECODE": "1",
        "RUFF_NO_CACHE": "true",
        "BLACK_CACHE_DIR": str(scratch / "black"),
        "COVERAGE_FILE": str(scratch / "coverage"),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(scratch / "hypothesis"),
        # mypy takes minutes without its cache, which it validates by content
        "MYPY_CACHE_DIR": str(root / ".state" / "mypy" / tree.name),
    }
    env = {**base_environment(tree, root), **traces, **(given or {}), **extra}
    sources = source_path(tree)
    if sources is not None:
        env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(sources), env.get("PYTHONPATH"))))
    cache = shlex.quote(f"cache_dir={scratch / 'pytest'}")
    env[_ADDOPTS] = " ".join(filter(None, (f"-o {cache}", extra.get(_ADDOPTS))))
    return env


def report_file(scratch: Path) -> Path:
    """Return where pytest writes its JUnit report."""
    return scratch / "junit.xml"


def source_path(tree: Path) -> Path | None:
    """Return the tree's `src` when importable code lies in it."""
    return tree / "src" if top_level_names(tree / "src") else None


def top_level_names(folder: Path) -> tuple[str, ...]:
    """Return the packages and modules that lie in a folder, sorted."""
    names = set()
    with suppress(OSError):
        for entry in folder.iterdir():
            if entry.suffix == ".py" and entry.stem.isidentifier() and entry.is_file():
                names.add(entry.stem)
            elif entry.name.isidentifier() and (entry / "__init__.py").is_file():
                names.add(entry.name)
    return tuple(sorted(names))


def locate(name: str, cwd: Path, env: Mapping[str, str]) -> Path | None:
    """Find an executable: a name on PATH, a path from `cwd`. `python` may be `python3`."""
    if os.sep in name:
        return find_executable(str(cwd / name), env)
    found = find_executable(name, env)
    return find_executable("python3", env) if found is None and name == "python" else found


def joined_path(folders: Sequence[Path]) -> str:
    """Return a value for PYTHONPATH."""
    return os.pathsep.join(str(folder) for folder in dict.fromkeys(folders))
