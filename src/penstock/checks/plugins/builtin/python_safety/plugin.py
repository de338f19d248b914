"""pip-audit, or Safety for those who have a key, on the requirements that files go by."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import msgspec

from penstock.checks.api import Place
from penstock.checks.plugins.builtin.python_safety.service import safety
from penstock.checks.plugins.declared import ManifestPlugin
from penstock.checks.plugins.manifests import beside
from penstock.checks.plugins.parted import joined
from penstock.checks.plugins.port import Call, PluginResult, ToolFacts, ToolMemory, Unavailable

REQUIREMENTS = ("requirements.txt", "requirements-dev.txt", "req.txt")
"""The files that are looked for in each folder, from that of a source file upwards."""


class PipAudit(ManifestPlugin):
    """Asks once for each file of requirements. A source file stands for the nearest of these."""

    def find_tool(self, place: Place, memory: ToolMemory) -> ToolFacts | Unavailable:
        """Find Safety where there is a key for it, else pip-audit."""
        service = safety(self.manifest)
        return service.find_tool(place, memory) if service else super().find_tool(place, memory)

    def check(self, files: Sequence[str], place: Place, call: Call) -> PluginResult:
        """Audit the requirements of a batch; files without any are clean."""
        service = safety(self.manifest)
        asked: dict[str, list[str]] = {}
        for path in files:
            nearest = nearest_requirements(path, place.tree)
            if nearest is not None:
                # Safety looks at whole folders
                subject = str(PurePosixPath(nearest).parent) if service else nearest
                asked.setdefault(subject, []).append(path)
        audit = service.check if service else super().check
        runs = (
            _shown(audit([subject], place, call), subject, paths, place)
            for subject, paths in asked.items()
        )
        return joined(self.manifest.plugin_id, runs)

    def command(
        self, files: Sequence[str], place: Place, call: Call, *, fix: bool = False
    ) -> tuple[str, ...]:
        """Return the command that audits the requirements of the first file, if it has any."""
        nearest = nearest_requirements(files[0], place.tree) if files else None
        return super().command([nearest], place, call) if nearest else ()


def _shown(result: PluginResult, subject: str, paths: Sequence[str], place: Place) -> PluginResult:
    """Let findings show at the requirements, or at the first file that stands for them."""
    issues = []
    for issue in result.issues:
        told = os.path.relpath(place.tree / (issue.path or subject), place.tree)
        shown = told if told in paths else paths[0]
        message = issue.message if shown == told else f"{told}: {issue.message}"
        issues.append(msgspec.structs.replace(issue, path=shown, message=message))
    return msgspec.structs.replace(result, issues=tuple(issues))


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
