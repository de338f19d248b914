"""jq, started for each file: it takes several files for one text, and does not say in which an error is."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from penstock.checks.api import Place
from penstock.checks.plugins.declared import ManifestPlugin
from penstock.checks.plugins.manifests import beside
from penstock.checks.plugins.port import Call, PluginResult
from penstock.model.finding import Finding


class Jq(ManifestPlugin):
    """`jq empty` on one file after the other."""

    def check(self, files: Sequence[str], place: Place, call: Call) -> PluginResult:
        """Parse each file; the first that cannot be looked at ends it."""
        last = PluginResult(plugin_id=self.manifest.plugin_id, success=True)
        issues: list[Finding] = []
        spent = 0
        for path in files:
            last = super().check((path,), place, call)
            spent += last.duration_ms
            # it reports an error where it stops, and stops at the first
            issues += [msgspec.structs.replace(found, path=path) for found in last.issues[:1]]
            if not last.success:
                break
        return msgspec.structs.replace(last, issues=tuple(issues), duration_ms=spent)


def register() -> Jq:
    """Make the plugin."""
    return Jq(beside(__file__))
