"""Ruff's formatter, where a repository has chosen it."""

from __future__ import annotations

from penstock.checks.api import Place
from penstock.checks.plugins.declared import ManifestPlugin
from penstock.checks.plugins.manifests import beside
from penstock.checks.plugins.port import ToolFacts, ToolMemory, Unavailable
from penstock.checks.plugins.pyconfig import formats_with_ruff


class RuffFormat(ManifestPlugin):
    """Works where ruff is configured and black is not, for two formatters never agree for long."""

    def find_tool(self, place: Place, memory: ToolMemory) -> ToolFacts | Unavailable:
        """Find ruff, where it is the formatter."""
        if formats_with_ruff(place.tree):
            return super().find_tool(place, memory)
        return Unavailable(
            reason="ruff is not the formatter of this repository",
            hint="add [tool.ruff] and no [tool.black] to pyproject.toml",
            by_choice=True,
        )


def register() -> RuffFormat:
    """Make the plugin."""
    return RuffFormat(beside(__file__))
