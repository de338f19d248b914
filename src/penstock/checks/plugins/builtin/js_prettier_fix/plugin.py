"""Prettier, on the files that are its own."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.checks.api import Place
from penstock.checks.plugins.manifests import beside
from penstock.checks.plugins.parted import PartedPlugin, Parts
from penstock.checks.plugins.prettierfiles import is_markdown, prettier_formats


class Prettier(PartedPlugin):
    """Prettier refuses links, and leaves Markdown to mdformat unless the repository wants it so."""

    def parts(self, files: Sequence[str], place: Place) -> Parts:
        """Return its files as one group."""
        markdown = prettier_formats(place.tree)
        return (
            [
                path
                for path in files
                if not (place.tree / path).is_symlink()
                and (markdown(path) if is_markdown(path) else True)
            ],
        )


def register() -> Prettier:
    """Make the plugin."""
    return Prettier(beside(__file__))
