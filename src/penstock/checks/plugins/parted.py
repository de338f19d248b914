"""Plugins that start their tool more than once for a batch, or for less than all of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath

import msgspec

from penstock.checks.api import Place
from penstock.checks.plugins.declared import ManifestPlugin
from penstock.checks.plugins.port import Call, PluginResult
from penstock.model.finding import Finding

Parts = Sequence[Sequence[str]]


class PartedPlugin(ManifestPlugin):
    """A plugin that parts its files before it gives them to the tool."""

    def parts(self, files: Sequence[str], place: Place) -> Parts:
        """Return the files in groups, each for a run of its own. A file in none is excluded by the
        configuration of the tool, and clean.
        """
        return (files,)

    def check(self, files: Sequence[str], place: Place, call: Call) -> PluginResult:
        """Look at a batch of files, part by part."""
        return self._each(super().check, files, place, call)

    def fix(self, files: Sequence[str], place: Place, call: Call) -> PluginResult:
        """Rewrite files of the tree in place, part by part."""
        return self._each(super().fix, files, place, call)

    def _each(
        self,
        run: Callable[[Sequence[str], Place, Call], PluginResult],
        files: Sequence[str],
        place: Place,
        call: Call,
    ) -> PluginResult:
        parts = [part for part in self.parts(files, place) if part]
        return joined(self.manifest.plugin_id, (run(part, place, call) for part in parts))


def joined(plugin_id: str, results: Iterable[PluginResult]) -> PluginResult:
    """Join the results of runs on parts of a batch: what goes wrong in one is wrong with all."""
    runs = list(results)
    if len(runs) == 1:
        return runs[0]
    return PluginResult(
        plugin_id=plugin_id,
        success=all(run.success for run in runs),
        issues=tuple(issue for run in runs for issue in run.issues),
        stdout="".join(run.stdout for run in runs),
        stderr="".join(run.stderr for run in runs),
        returncode=max(
            (run.returncode for run in runs if run.returncode is not None), default=None
        ),
        duration_ms=sum(run.duration_ms for run in runs),
        metadata=_metadata(runs),
        problem=next((run.problem for run in runs if run.problem is not None), None),
        interrupted=any(run.interrupted for run in runs),
    )


def _metadata(runs: Sequence[PluginResult]) -> dict[str, object]:
    first = dict(runs[0].metadata) if runs else {}
    return {**first, "runs": len(runs)}


def with_issues(result: PluginResult, *more: Finding) -> PluginResult:
    """Return the result with further findings."""
    return msgspec.structs.replace(result, issues=(*result.issues, *more))


def by_configuration(files: Sequence[str], tree: Path, names: Sequence[str]) -> Parts:
    """Part files by the nearest folder that holds one of these configuration files.

    For tools that take the configuration of the first file, or of a folder common to all: so each file is
    judged by its own, whatever else is in the batch.
    """
    known: dict[str, str] = {}
    groups: dict[str, list[str]] = {}
    for path in files:
        folder = _nearest(str(PurePosixPath(path).parent), tree, names, known)
        groups.setdefault(folder, []).append(path)
    return list(groups.values())


def _nearest(folder: str, tree: Path, names: Sequence[str], known: dict[str, str]) -> str:
    if folder not in known:
        here = any(os.path.isfile(tree / folder / name) for name in names)  # noqa: PTH113 - many
        is_top = here or folder == "."
        above = str(PurePosixPath(folder).parent)
        known[folder] = folder if is_top else _nearest(above, tree, names, known)
    return known[folder]
