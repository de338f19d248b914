"""A scratch tree whose files are looked at by built-in plugins, with the tools that are on PATH."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from penstock.checks.plugins.port import PluginResult, ToolFacts, Unavailable
from tests.support.checkers import brief, run_plugin, tool_of, write_tree


class ScratchTree:
    """A tree in a folder of a test."""

    def __init__(self, folder: Path) -> None:
        self.root = (folder / "tree").resolve()
        self.root.mkdir()
        self.place = write_tree(self.root, {})

    def write(self, files: Mapping[str, str | bytes]) -> ScratchTree:
        """Write files of the tree."""
        write_tree(self.root, files)
        return self

    def find(self, plugin_id: str) -> ToolFacts | Unavailable | None:
        """Look for the tool of a plugin."""
        return tool_of(plugin_id, self.place)

    def check(self, plugin_id: str, *files: str) -> PluginResult:
        """Let a plugin look at files, whatever comes of it."""
        return run_plugin(plugin_id, self.place, files)

    def fix(self, plugin_id: str, *files: str) -> PluginResult:
        """Let a plugin rewrite files."""
        return run_plugin(plugin_id, self.place, files, fix=True)

    def found(self, plugin_id: str, *files: str) -> list[str]:
        """Return what a plugin finds as `path:line:column severity/category code`, sorted; it must
        have done its work."""
        result = self.check(plugin_id, *files)
        assert result.success, result.problem
        return sorted(brief(finding, self.place) for finding in result.issues)

    def text(self, path: str) -> str:
        """Return a file of the tree."""
        return (self.root / path).read_text(encoding="utf-8")
