"""isort, each file by its own configuration, where a repository does not sort with ruff."""

from __future__ import annotations

import tokenize
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from penstock.checks.api import Place
from penstock.checks.plugins.manifests import beside
from penstock.checks.plugins.parted import PartedPlugin, Parts, by_configuration, with_issues
from penstock.checks.plugins.port import Call, PluginResult, ToolFacts, ToolMemory, Unavailable
from penstock.checks.plugins.pyconfig import configures_isort, sorts_with_ruff
from penstock.model.finding import Finding

_CONFIGS = (".isort.cfg", "pyproject.toml", "setup.cfg", "tox.ini", ".editorconfig")


class Isort(PartedPlugin):
    """isort goes by the configuration near the first file that it gets, and is silent about files
    that it cannot decode."""

    def find_tool(self, place: Place, memory: ToolMemory) -> ToolFacts | Unavailable:
        """Find isort, unless ruff sorts the imports."""
        if not sorts_with_ruff(place.tree):
            return super().find_tool(place, memory)
        return Unavailable(
            reason="the repository configures ruff, which sorts imports itself",
            hint="add [tool.isort] to pyproject.toml",
            by_choice=True,
        )

    def extra_arguments(self, files: Sequence[str], place: Place, call: Call) -> tuple[str, ...]:
        """Choose the profile that leaves black nothing to change, where none is configured."""
        folder = PurePosixPath(files[0]).parent
        homes = (place.tree / home for home in (folder, *folder.parents))
        return () if any(map(configures_isort, homes)) else ("--profile", "black")

    def parts(self, files: Sequence[str], place: Place) -> Parts:
        """Part files by their nearest configuration; those that cannot be decoded are in none."""
        readable = [path for path in files if not _undecodable(place.tree / path)]
        return by_configuration(readable, place.tree, _CONFIGS)

    def check(self, files: Sequence[str], place: Place, call: Call) -> PluginResult:
        """Look at a batch of files, and tell which of them cannot be decoded."""
        broken = [(path, _undecodable(place.tree / path)) for path in files]
        result = super().check(files, place, call)
        return with_issues(result, *(self._unread(path, why) for path, why in broken if why))

    def _unread(self, path: str, why: str) -> Finding:
        return Finding(tool=self.tool.command, message=why, path=path, code="unreadable")


def _undecodable(path: Path) -> str:
    """Say why a file is no Python text, by PEP 263; an empty text when it is."""
    try:
        with tokenize.open(path) as stream:
            while stream.read(1 << 20):
                pass
    except (SyntaxError, ValueError, LookupError) as error:
        return f"it cannot be decoded: {error}"
    except OSError as error:
        return f"it cannot be read: {error.strerror or error}"
    return ""


def register() -> Isort:
    """Make the plugin."""
    return Isort(beside(__file__))
