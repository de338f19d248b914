"""What the configuration files of Python tools say that penstock has to act on itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from penstock.checks.regular import read_regular

PYPROJECT = "pyproject.toml"
_LARGEST = 4 << 20


def toml_table(path: Path, *names: str) -> Mapping[str, Any]:
    """Return a table of a TOML file; empty where there is none that can be read."""
    import tomllib  # not needed while all results are known

    try:
        value: Any = tomllib.loads(read_regular(path, limit=_LARGEST).decode())
    except (OSError, ValueError):
        return {}
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def ini_section(path: Path, section: str) -> Mapping[str, str]:
    """Return a section of an INI file; empty where there is none that can be read."""
    import configparser  # not needed while all results are known

    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(read_regular(path, limit=_LARGEST).decode())
    except (OSError, ValueError, configparser.Error):
        return {}
    return dict(parser.items(section)) if parser.has_section(section) else {}


# -- which formatter a repository has chosen -------------------------------------------------------
_RUFF_FILES = ("ruff.toml", ".ruff.toml")
_ISORT_SHARED = ("setup.cfg", "tox.ini")
_ISORT_SECTIONS = ("isort", "tool:isort")


def configures_ruff(tree: Path) -> bool:
    """Tell whether a tree configures ruff."""
    return any((tree / name).is_file() for name in _RUFF_FILES) or _names(tree, "tool.ruff")


def formats_with_ruff(tree: Path) -> bool:
    """Tell whether ruff is the formatter of a tree: it is configured, and black is not."""
    return configures_ruff(tree) and not _names(tree, "tool.black")


def without_sorting(tree: Path) -> tuple[str, ...]:
    """Return options of ruff that leave the order of imports to isort, in a tree that does not
    configure ruff: their ideas of it differ, and each would undo what the other has done."""
    return () if configures_ruff(tree) else ("--config", "lint.extend-ignore=['I']")


def sorts_with_ruff(tree: Path) -> bool:
    """Tell whether imports are sorted by ruff if at all: it is configured, and isort is not."""
    return configures_ruff(tree) and not configures_isort(tree)


def configures_isort(folder: Path) -> bool:
    """Tell whether a folder has a configuration of isort's own."""
    if (folder / ".isort.cfg").is_file() or _names(folder, "tool.isort"):
        return True
    return any(
        _has_section(folder / name, section)
        for name in _ISORT_SHARED
        for section in _ISORT_SECTIONS
    )


def _names(tree: Path, table: str) -> bool:
    """Tell whether pyproject.toml has a table, by a look at its text: parsing takes long."""
    return _has_section(tree / PYPROJECT, table)


def _has_section(path: Path, section: str) -> bool:
    try:
        status = path.stat()
        return section in _sections(path, status.st_mtime_ns, status.st_size)
    except OSError:
        return False


_HEADER = re.compile(r"^\s*\[+\s*([\w.:-]+)", re.MULTILINE)


@lru_cache(maxsize=64)
def _sections(path: Path, _mtime_ns: int, _size: int) -> frozenset[str]:
    """Return the names of the sections of a file, and of those that contain them. Raises OSError."""
    text = read_regular(path, limit=_LARGEST).decode("utf-8", "replace")
    names: set[str] = set()
    for name in _HEADER.findall(text):
        parts = name.split(".")
        names.update(".".join(parts[:length]) for length in range(1, len(parts) + 1))
    return frozenset(names)
