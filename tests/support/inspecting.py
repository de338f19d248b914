"""A tree with a checker of the test's own, whose runs are counted, and the engine over it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.checks.api import InspectionRequest, Place
from penstock.checks.inspection.engine import ErrorEngine
from penstock.checks.plugins.loading import PluginManager
from penstock.model.inspection import CheckReport, FileResult, PluginUse
from penstock.process.api import Stop
from penstock.store.checkcache import open_check_cache

LINE = r"(?P<path>[^:\n]+):(?P<line>\d+):(?P<message>.+)"
SCAN = """#!/bin/sh
[ "$1" = --version ] && echo 1.0 && exit
echo "$@" >> {log}
grep -qs CRASH -- "$@" && kill -9 $$
grep -qs LIE -- "$@" && exit 1
grep -qs HANG -- "$@" && sleep 60
grep -Hns BAD -- "$@" && exit 1
exit 0
"""


@dataclass
class CheckedTree:
    """A folder of files and the checker `scan`, which finds BAD, dies of CRASH, and lies for LIE."""

    folder: Path
    stop: Stop = field(default_factory=Stop)

    def __post_init__(self) -> None:
        self.folder.joinpath("tree/.venv/bin").mkdir(parents=True)
        self.folder.joinpath("plugins").mkdir()
        self.tool("scan", SCAN)
        self.declare()

    @property
    def tree(self) -> Path:
        """Where the files are."""
        return (self.folder / "tree").resolve()

    @property
    def place(self) -> Place:
        """The tree as its own repository."""
        return Place(tree=self.tree, root=self.tree)

    def tool(self, name: str, script: str) -> Path:
        """Install a program into the tree's environment; `{log}` is where runs are noted."""
        path = self.tree / ".venv" / "bin" / name
        # not its absolute path: a file that a script names is taken for a part of the tool
        path.write_text(script.replace("{log}", '"${0%/*}/../../../runs"'))
        path.chmod(0o755)
        return path

    def declare(self, plugin_id: str = "scan", **changes: Any) -> None:
        """Write the manifest of a plugin that prints lines."""
        tool = {"command": "scan", "timeout_s": 20.0} | changes.pop("tool", {})
        base = {
            "plugin_id": plugin_id,
            "name": plugin_id,
            "file_extensions": ["txt"],
            "tool": tool,
            "output": {"reader": "lines", "pattern": LINE, "severity": "error"},
        }
        place = self.folder / "plugins" / plugin_id
        place.mkdir(exist_ok=True)
        (place / "manifest.json").write_text(json.dumps(base | changes))

    def write(self, **files: str) -> None:
        """Write files: the names are those of `.txt` files."""
        for name, text in files.items():
            (self.tree / f"{name}.txt").write_text(text)

    @contextmanager
    def engine(self) -> Iterator[ErrorEngine]:
        """Open the engine over a cache on disk."""
        cache = open_check_cache(self.folder / "cache.db")
        manager = PluginManager(self.tree, self.folder / "plugins", entry_points=False)
        try:
            yield ErrorEngine(manager, cache, self.folder / "tools", cores=2)
        finally:
            cache.close()

    def check(self, *names: str, only: tuple[str, ...] = ("scan",), **options: Any) -> CheckReport:
        """Check files, all of the tree by default."""
        files = names or tuple(sorted(path.name for path in self.tree.glob("*.txt")))
        request = InspectionRequest(
            place=self.place, files=files, listing=files, only=only, **options
        )
        with self.engine() as engine:
            return engine.inspect(request, stop=self.stop)

    def runs(self) -> list[str]:
        """Return what the tools were called with, a line for each run, and forget it."""
        log = self.folder / "runs"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines


def of(report: CheckReport, path: str) -> FileResult:
    """Return the result of a file."""
    return next(result for result in report.files if result.path == path)


def use(report: CheckReport, plugin_id: str = "scan") -> PluginUse:
    """Return what became of a plugin."""
    return next(item for item in report.plugins if item.plugin_id == plugin_id)
