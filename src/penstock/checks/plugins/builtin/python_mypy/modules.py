"""What mypy makes of the names of files: which modules they are, and which its configuration excludes.

As its documentation has it ("Mapping file paths to modules", `--exclude`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path, PurePosixPath

from penstock.checks.plugins.pyconfig import PYPROJECT, ini_section, toml_table

_INI_FILES = ("mypy.ini", ".mypy.ini")
_INITS = ("__init__.py", "__init__.pyi")


def parted(files: Sequence[str], tree: Path) -> tuple[list[list[str]], list[str]]:
    """Part files so that no part has two modules of one name.

    Returned beside them are those in packages whose name is no identifier, which block mypy.
    """

    groups: list[list[str]] = []
    seen: dict[str, int] = {}
    nameless = []
    name_of = naming(tree)
    for path in files:
        name = name_of(path)
        if name is None:
            nameless.append(path)
            continue
        nth = seen[name] = seen.get(name, -1) + 1
        if nth == len(groups):
            groups.append([])
        groups[nth].append(path)
    return groups, nameless


def naming(tree: Path) -> Callable[[str], str | None]:
    """Return what tells a file's module, None for one that cannot be imported."""

    @cache
    def is_package(folder: PurePosixPath) -> bool:
        return any((tree / folder / name).is_file() for name in _INITS)

    return lambda path: _module(PurePosixPath(path), is_package)


def _module(path: PurePosixPath, is_package: Callable[[PurePosixPath], bool]) -> str | None:
    """Return a module's name by its folders with an __init__."""
    names = [] if path.stem == "__init__" else [path.stem]
    for folder in path.parents:
        if not folder.name or not is_package(folder):
            break
        if not folder.name.isidentifier():
            return None
        names.append(folder.name)
    return ".".join(reversed(names)) or str(path)


def excluded(tree: Path) -> Callable[[str], bool]:
    """Return what tells whether the configuration at the top of a tree excludes a file.

    mypy itself heeds that for the files that it finds in folders, not for those that are named.
    """
    patterns = []
    for text in _texts(tree):
        try:
            patterns.append(re.compile(text))
        except re.error:
            continue  # mypy complains of it
    return lambda path: any(
        pattern.search(form) for pattern in patterns for form in _forms(PurePosixPath(path))
    )


def _forms(path: PurePosixPath) -> list[str]:
    """Return what patterns are tried on: each folder on the way with a slash, then the file."""
    return [*(f"{folder}/" for folder in list(path.parents)[:-1]), str(path)]


def _texts(tree: Path) -> Sequence[str]:
    """Return the patterns of the first configuration that mypy would take."""
    for name in _INI_FILES:
        if (tree / name).is_file():
            return _given(ini_section(tree / name, "mypy").get("exclude"))
    table = toml_table(tree / PYPROJECT, "tool", "mypy")
    if table:
        return _given(table.get("exclude"))
    return _given(ini_section(tree / "setup.cfg", "mypy").get("exclude"))


def _given(value: object) -> Sequence[str]:
    texts = value if isinstance(value, list) else [value]
    return [text for text in texts if isinstance(text, str) and text]
