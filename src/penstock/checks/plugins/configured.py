"""The configuration files that a plugin needs before it can work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from penstock.checks.regular import read_regular

_LARGEST = 4 << 20


def first_config(patterns: Sequence[str], tree: Path) -> str | None:
    """Return the first file or folder that fits one of the patterns, relative to the tree.

    Patterns are relative to the tree (`eslint.config.*`, `packages/*/eslint.config.js`).
    `pyproject.toml#tool.black` fits when the file has that table. What cannot be read fits not.
    """
    for pattern in patterns:
        name, _, table = pattern.partition("#")
        for path in _found(tree, name):
            if not table or _has_table(path, table):
                return path.relative_to(tree).as_posix()
    return None


def _found(tree: Path, pattern: str) -> list[Path]:
    try:
        if any(letter in pattern for letter in "*?["):
            return sorted(tree.glob(pattern))
        path = tree / pattern
        return [path] if path.exists() else []
    except (OSError, ValueError, NotImplementedError):
        return []


def _has_table(path: Path, table: str) -> bool:
    import tomllib  # not needed by most plugins

    try:
        value: Any = tomllib.loads(read_regular(path, limit=_LARGEST).decode())
    except (OSError, ValueError):
        return False
    for name in table.split("."):
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True
