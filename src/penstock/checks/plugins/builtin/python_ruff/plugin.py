"""Ruff's linter, which leaves the order of imports to isort where the repository has not chosen ruff."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.checks.api import Place
from penstock.checks.plugins.declared import ManifestPlugin
from penstock.checks.plugins.manifests import beside
from penstock.checks.plugins.port import Call
from penstock.checks.plugins.pyconfig import without_sorting


class Ruff(ManifestPlugin):
    """Lints, and asks for no order of imports that isort would undo."""

    def extra_arguments(self, files: Sequence[str], place: Place, call: Call) -> tuple[str, ...]:
        """Leave the order of imports to isort, where the repository has not chosen ruff."""
        return without_sorting(place.tree)


def register() -> Ruff:
    """Make the plugin."""
    return Ruff(beside(__file__))
