"""pip-audit on the requirements that files go by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import msgspec

from penstock.checks.api import Place
from penstock.checks.plugins.declared import ManifestPlugin
from penstock.checks.plugins.manifests import beside
from penstock.checks.plugins.parted import joined
from penstock.checks.plugins.port import Call, PluginResult

REQUIREMENTS = ("requirements.txt", "requirements-dev.txt", "req.txt")
"""The files that are looked for in each folder, from that of a source file upwards."""


class PipAudit(ManifestPlugin):
    """Asks once for each file of requirements. A source file stands for the nearest of these."""

    def check(self, files: Sequence[str], place: Place, call: Call) -> PluginResult:
        """Audit the requirements of a batch; files without any are clean."""
        asked: dict[str, list[str]] = {}
        for path in files:
            nearest = nearest_requirements(path, place.tree)
            if nearest is not None:
                asked.setdefault(nearest, []).append(path)
        runs = (self._audit(name, paths, place, call) for name, paths in asked.items())
        return joined(self.manifest.plugin_id, runs)

    def _audit(self, name: str, paths: Sequence[str], place: Place, call: Call) -> PluginResult:
        """Audit one file; what is found shows there, or at the first file that stands for it."""
        result = super().check([name], place, call)
        shown = name if name in paths else paths[0]
        prefix = "" if shown == name else f"{name}: "
        issues = (
            msgspec.structs.replace(issue, path=shown, message=prefix + issue.message)
            for issue in result.issues
        )
        return msgspec.structs.replace(result, issues=tuple(issues))

    def command(
        self, files: Sequence[str], place: Place, call: Call, *, fix: bool = False
    ) -> tuple[str, ...]:
        """Return the command that audits the requirements of the first file, if it has any."""
        nearest = nearest_requirements(files[0], place.tree) if files else None
        return super().command([nearest], place, call) if nearest else ()


def nearest_requirements(path: str, tree: Path) -> str | None:
    """Return the file of requirements that a file goes by: itself, or the nearest upwards."""
    pure = PurePosixPath(path)
    if pure.name in REQUIREMENTS:
        return path
    for folder in pure.parents:
        for name in REQUIREMENTS:
            if (tree / folder / name).is_file():
                return str(folder / name)
    return None


def register() -> PipAudit:
    """Make the plugin."""
    return PipAudit(beside(__file__))
