"""Ruff's safe mendings: a fixer whose findings are those of python_ruff."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.checks.api import Place
from penstock.checks.plugins.declared import ManifestPlugin
from penstock.checks.plugins.manifests import beside
from penstock.checks.plugins.port import Call, PluginResult
from penstock.checks.plugins.pyconfig import without_sorting


class RuffFix(ManifestPlugin):
    """Applies mendings when it is asked to, and reports nothing twice."""

    def extra_arguments(self, files: Sequence[str], place: Place, call: Call) -> tuple[str, ...]:
        """Leave the order of imports to isort, where the repository has not chosen ruff."""
        return without_sorting(place.tree)

    def check(self, files: Sequence[str], place: Place, call: Call) -> PluginResult:
        """Return no finding and start nothing."""
        return PluginResult(plugin_id=self.manifest.plugin_id, success=True)


def register() -> RuffFix:
    """Make the plugin."""
    return RuffFix(beside(__file__))
