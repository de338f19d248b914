"""What a tree holds, and so which checks it wants when none are configured."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from penstock.model.settings import ToolProfile

MAX_ENTRIES = 50_000
"""How many folder entries are looked at before a search gives up."""
_MAX_TEXT = 1 << 20
_SKIPPED = frozenset({"node_modules", "__pycache__", "venv", "site-packages", "dist", "target"})
_TEST_FILE = re.compile(r"test_.*\.py|.*_test\.py")
_NO_TEST = "no test specified"  # what `npm init` writes

DETECTED: Mapping[str, ToolProfile] = {
    profile.tool_id: profile
    for profile in (
        ToolProfile(
            tool_id="npm-lint",
            command="npm",
            type="static-check",
            args=("run", "--silent", "lint"),
            env={"CI": "true"},
            timeout_sec=180,
        ),
        ToolProfile(
            tool_id="npm-test",
            command="npm",
            type="test",
            args=("test", "--silent"),
            env={"CI": "true"},  # keeps test runners from waiting for changes
            timeout_sec=600,
        ),
        ToolProfile(
            tool_id="go-vet",
            command="go",
            type="static-check",
            args=("vet", "./..."),
            timeout_sec=300,
        ),
        ToolProfile(
            tool_id="go-test", command="go", type="test", args=("test", "./..."), timeout_sec=600
        ),
        ToolProfile(
            tool_id="cargo-check",
            command="cargo",
            type="static-check",
            args=("check", "--all-targets", "--message-format=short"),
            timeout_sec=600,
        ),
        ToolProfile(
            tool_id="cargo-test", command="cargo", type="test", args=("test",), timeout_sec=900
        ),
    )
}
"""Profiles of checks that are detected but not packaged; they can be configured by id too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What was found in a tree."""

    python: bool = False
    python_tests: bool = False
    ruff_config: bool = False
    pytest_config: bool = False
    npm_lint: bool = False
    npm_test: bool = False
    go: bool = False
    cargo: bool = False


def read_signs(tree: Path) -> Signs:
    """Look at a tree's top and, for Python files, into it. Unreadable places count as empty."""
    python, tests = _python_files(tree)
    scripts = _npm_scripts(tree)
    return Signs(
        python=python,
        python_tests=tests,
        ruff_config=_any_file(tree, "ruff.toml", ".ruff.toml")
        or _has_table(tree / "pyproject.toml", r"tool\.ruff"),
        pytest_config=has_pytest_config(tree),
        npm_lint="lint" in scripts,
        npm_test="test" in scripts and _NO_TEST not in scripts["test"],
        go=_any_file(tree, "go.mod"),
        cargo=_any_file(tree, "Cargo.toml"),
    )


def has_pytest_config(folder: Path) -> bool:
    """Tell whether pytest would take its configuration from a file in this folder."""
    return (
        _any_file(folder, "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml")
        or _has_table(folder / "pyproject.toml", r"tool\.pytest")
        or _has_table(folder / "setup.cfg", r"tool:pytest")
        or _has_table(folder / "tox.ini", r"pytest")
    )


def wanted(step: str, signs: Signs) -> Iterator[str]:
    """Give the ids of the checks of a step (static, runtime) that these signs ask for."""
    if step == "static":
        if signs.python or signs.ruff_config:
            yield "ruff"
        choices = {"npm-lint": signs.npm_lint, "go-vet": signs.go, "cargo-check": signs.cargo}
    else:
        if signs.python_tests or signs.pytest_config:
            yield "pytest"
        choices = {"npm-test": signs.npm_test, "go-test": signs.go, "cargo-test": signs.cargo}
    yield from (tool_id for tool_id, asked_for in choices.items() if asked_for)


# -- looking -------------------------------------------------------------------------------------
def _any_file(tree: Path, *names: str) -> bool:
    try:
        return any((tree / name).is_file() for name in names)
    except OSError:  # an agent may have closed the folder to us
        return False


def _text(path: Path) -> str:
    """Return a small file's text, empty when there is none that could be read."""
    try:
        if not path.is_file() or path.stat().st_size > _MAX_TEXT:
            return ""
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _has_table(path: Path, name: str) -> bool:
    # by pattern and not by parser: a file that an agent has just broken still tells
    pattern = rf"^[ \t]*\[+[ \t]*{name}[.\]\s]"
    return re.search(pattern, _text(path), re.MULTILINE) is not None


def _npm_scripts(tree: Path) -> dict[str, str]:
    text = _text(tree / "package.json")
    try:
        found: Any = msgspec.json.decode(text.encode()) if text else {}
    except (msgspec.DecodeError, RecursionError):
        return {}
    scripts = found.get("scripts") if isinstance(found, dict) else None
    if not isinstance(scripts, dict):
        return {}
    return {str(name): str(command) for name, command in scripts.items()}


def _python_files(tree: Path) -> tuple[bool, bool]:
    """Tell whether there are Python files, and whether there are test files among them."""
    python = False
    for name in _file_names(tree):
        if name.endswith(".py"):
            python = True
            if _TEST_FILE.fullmatch(name):
                return True, True
    return python, False


def _file_names(tree: Path) -> Iterator[str]:
    """Give the names of the files of a tree, level by level, hidden and foreign folders left out."""
    folders, left = deque([str(tree)]), MAX_ENTRIES
    while folders and left > 0:
        try:
            with os.scandir(folders.popleft()) as entries:
                for entry in entries:
                    left -= 1
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name[0] != "." and entry.name not in _SKIPPED:
                            folders.append(entry.path)
                    else:
                        yield entry.name
        except OSError:
            continue
