"""Bandit, told of the configuration that it would not find by itself."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.checks.api import Place
from penstock.checks.plugins.configured import first_config
from penstock.checks.plugins.declared import ManifestPlugin
from penstock.checks.plugins.manifests import beside
from penstock.checks.plugins.port import Call

_INI = ".bandit"
_CONFIGS = ("pyproject.toml#tool.bandit", "bandit.yaml", "bandit.yml")


class Bandit(ManifestPlugin):
    """Bandit looks for `.bandit` in folders that it walks and for nothing else; it gets files."""

    def extra_arguments(self, files: Sequence[str], place: Place, call: Call) -> tuple[str, ...]:
        """Return the options that name its configuration at the top of the tree."""
        ini = ("--ini", _INI) if (place.tree / _INI).is_file() else ()
        config = first_config(_CONFIGS, place.tree)
        return (*ini, "-c", config) if config else ini


def register() -> Bandit:
    """Make the plugin."""
    return Bandit(beside(__file__))
