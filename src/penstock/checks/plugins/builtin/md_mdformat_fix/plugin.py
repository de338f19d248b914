"""mdformat, where Prettier does not format Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.checks.api import Place
from penstock.checks.plugins.manifests import beside
from penstock.checks.plugins.parted import PartedPlugin, Parts
from penstock.checks.plugins.prettierfiles import prettier_formats


class Mdformat(PartedPlugin):
    """mdformat leaves Markdown to Prettier where only Prettier is configured."""

    def parts(self, files: Sequence[str], place: Place) -> Parts:
        """Return its files as one group."""
        theirs = prettier_formats(place.tree)
        return ([path for path in files if not theirs(path)],)


def register() -> Mdformat:
    """Make the plugin."""
    return Mdformat(beside(__file__))
