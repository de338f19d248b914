"""A plugin in code that takes files and finds nothing."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.checks.api import Place
from penstock.checks.plugins.coded import CodedPlugin
from penstock.checks.plugins.manifests import beside
from penstock.model.finding import Finding


class Echo(CodedPlugin):
    """Reads each file, so one that cannot be read is told, and finds nothing."""

    def look(self, path: str, data: bytes, place: Place) -> Iterable[Finding]:
        """Return nothing."""
        return ()


def register() -> Echo:
    """Make the plugin."""
    return Echo(beside(__file__))
