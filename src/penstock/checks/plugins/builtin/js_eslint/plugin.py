"""ESLint, on the files that a configuration governs: on any other it fails for the whole batch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from penstock.checks.api import Place
from penstock.checks.plugins.governing import governed_by
from penstock.checks.plugins.manifests import beside
from penstock.checks.plugins.parted import PartedPlugin, Parts
from penstock.checks.plugins.port import Call, ToolFacts, ToolMemory, Unavailable

_CONFIG = "eslint.config."
_CONFIGS = tuple(f"{_CONFIG}{ending}" for ending in ("js", "mjs", "cjs", "ts", "mts", "cts"))
_DEPTH = 3
"""How many folders deep a configuration is looked for, to tell whether there is any."""
_NOT_OURS = frozenset({"node_modules", "__pycache__", "dist", "build", "venv"})
# before version 10 it looked from the current folder only, unless told otherwise
_FROM_FILE = ("--flag", "unstable_config_lookup_from_file")


class Eslint(PartedPlugin):
    """ESLint with flat configurations, each for the files below it."""

    def find_tool(self, place: Place, memory: ToolMemory) -> ToolFacts | Unavailable:
        """Find ESLint; without any configuration it cannot work."""
        found = super().find_tool(place, memory)
        if isinstance(found, Unavailable) or _is_configured(place.tree):
            return found
        return Unavailable(
            reason="eslint is not configured here: there is no eslint.config.*",
            hint="npm init @eslint/config@latest",
        )

    def parts(self, files: Sequence[str], place: Place) -> Parts:
        """Return the files that have a configuration as one group."""
        return (list(filter(governed_by(place.tree, _CONFIGS), files)),)

    def extra_arguments(self, files: Sequence[str], place: Place, call: Call) -> tuple[str, ...]:
        """Return what makes version 9 look for configurations as later ones do."""
        version = call.tool.version if call.tool is not None else ""
        return _FROM_FILE if version.startswith("9.") else ()


def _is_configured(tree: Path) -> bool:
    return any(name in _CONFIGS for name in _names(tree, _DEPTH))


def _names(folder: Path | str, depth: int) -> Iterator[str]:
    """Yield the names of files, those in the folder itself before those in deeper ones."""
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return
    deeper = []
    for entry in found:
        if entry.name.startswith(_CONFIG):
            yield entry.name
        elif depth and not entry.name.startswith(".") and entry.name not in _NOT_OURS:
            deeper.append(entry)
    for entry in deeper:
        if entry.is_dir(follow_symlinks=False):
            yield from _names(entry.path, depth - 1)


def register() -> Eslint:
    """Make the plugin."""
    return Eslint(beside(__file__))
