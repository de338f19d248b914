"""Black, each file by its own configuration, where a repository does not format with ruff."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from penstock.checks.api import Place
from penstock.checks.plugins.manifests import beside
from penstock.checks.plugins.parted import PartedPlugin, Parts, by_configuration
from penstock.checks.plugins.port import ToolFacts, ToolMemory, Unavailable
from penstock.checks.plugins.pyconfig import PYPROJECT, formats_with_ruff, toml_table

_EXCLUDING = ("exclude", "extend-exclude", "extend_exclude", "force-exclude", "force_exclude")


class Black(PartedPlugin):
    """Black goes by the configuration of a folder common to all files that it gets, and formats
    excluded files when they are named."""

    def find_tool(self, place: Place, memory: ToolMemory) -> ToolFacts | Unavailable:
        """Find black, unless ruff is the formatter."""
        if not formats_with_ruff(place.tree):
            return super().find_tool(place, memory)
        return Unavailable(
            reason="the repository configures ruff, which formats itself",
            hint="add [tool.black] to pyproject.toml",
            by_choice=True,
        )

    def parts(self, files: Sequence[str], place: Place) -> Parts:
        """Part files by their nearest configuration; excluded ones are in none."""
        groups = by_configuration(files, place.tree, (PYPROJECT,))
        return [_included(group, place.tree) for group in groups]


def _included(group: Sequence[str], tree: Path) -> list[str]:
    """Leave out what the nearest configuration of black, from these files up, excludes."""
    folder = PurePosixPath(group[0]).parent
    for home in (folder, *folder.parents):
        table = toml_table(tree / home / PYPROJECT, "tool", "black")
        if table:
            patterns = _patterns(table)
            return [path for path in group if not _excluded(path, home, patterns)]
    return list(group)


def _patterns(table: Mapping[str, Any]) -> list[re.Pattern[str]]:
    """Return the regular expressions of a configuration; black itself complains of wrong ones."""
    found = []
    for name in _EXCLUDING:
        text = table.get(name)
        if isinstance(text, str) and text:
            try:
                found.append(re.compile(text, re.VERBOSE if "\n" in text else 0))
            except re.error:
                continue
    return found


def _excluded(path: str, home: PurePosixPath, patterns: Sequence[re.Pattern[str]]) -> bool:
    """Tell whether black would pass a file over when it walks: folders are tried with a slash."""
    inner = PurePosixPath(path).relative_to(home)
    folders = [f"/{folder}/" for folder in list(inner.parents)[:-1]]
    return any(pattern.search(text) for pattern in patterns for text in (*folders, f"/{inner}"))


def register() -> Black:
    """Make the plugin."""
    return Black(beside(__file__))
