"""The error engine under its documented names: files in, a report of each out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from penstock.checks.api import InspectionRequest
from penstock.errors import UsageError
from penstock.model.inspection import CheckReport
from penstock.wiring import Workspace, open_workspace

FileName = str | os.PathLike[str]


class FileHashCache:
    """Where results are kept: an SQLite file that any number of processes share.

    `cache_path` counts from the current folder; None is `.state/validation_cache.db` of the
    repository. The name is that of the documents: a result stands on more than the hash of its file.
    """

    def __init__(self, cache_path: FileName | None = None) -> None:
        self.path = None if cache_path is None else str(Path(cache_path).absolute())

    def load(self) -> tuple[str, ...]:
        """Open the file once and return what is to be said of it and of the plugins: that it was
        damaged, or of another kind, and was set aside."""
        with open_workspace() as workspace:
            return _inspect(workspace, (), (), self.path).problems

    def save(self) -> None:
        """Do nothing: each result is kept as soon as it is there."""


class PipelineEngine:
    """Checks files in the repository of the current folder, or of `root`, with all plugins."""

    def __init__(
        self, hash_cache: FileHashCache | None = None, *, root: FileName | None = None
    ) -> None:
        self._cache = hash_cache or FileHashCache()
        self._root = None if root is None else Path(root)

    def process_file(self, path: FileName) -> dict[str, Any]:
        """Check one file and return its report (docs/reference/checks.md).

        Raises UsageError for a path that is no file, or lies outside of the root.
        """
        reports = self.process_files((path,))
        if len(reports) != 1:
            raise UsageError(f"{os.fspath(path)} is no file")
        return reports[0]

    def process_files(self, paths: Iterable[FileName]) -> list[dict[str, Any]]:
        """Check files and return a report of each, by path. A folder stands for its files.

        Raises UsageError for a path that cannot be taken.
        """
        from penstock.cli.findings.jsonreport import document

        with open_workspace(self._root) as workspace:
            found = workspace.select([os.fspath(path) for path in paths])
            for path, why in found.unusable:
                raise UsageError(f"{path}: {why}")
            report = _inspect(workspace, found.files, found.refused, self._cache.path)
            workspace.log_checks(report)
            reports: list[dict[str, Any]] = document(report, str(workspace.root))["files"]
        return reports


def _inspect(
    workspace: Workspace,
    files: tuple[str, ...],
    refused: tuple[tuple[str, str], ...],
    cache: str | None,
) -> CheckReport:
    request = InspectionRequest(place=workspace.check_place, files=files, refused=refused)
    with workspace.inspector(cache=cache) as inspector:
        return inspector.inspect(request)
