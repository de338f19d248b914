"""Plugins of a test's own: manifests, tools that behave as asked, and memories that tell."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from penstock.checks.api import Place
from penstock.checks.plugins.base import ForgetfulMemory
from penstock.checks.plugins.declared import ManifestPlugin
from penstock.checks.plugins.port import Call, PluginResult, ToolFacts
from penstock.model.manifest import Manifest
from penstock.process.api import End, Outcome, Stop
from tests.support.programs import Machine

LINE = r"(?P<path>[^:\n]+):(?P<line>\d+): (?P<message>.+)"


def declared(plugin_id: str = "spell", **changes: Any) -> dict[str, Any]:
    """Return the JSON of a manifest of a tool that prints lines; `tool` and `output` are joined."""
    tool = {"command": "spell", "timeout_s": 20.0} | changes.pop("tool", {})
    output = {"reader": "lines", "pattern": LINE} | changes.pop("output", {})
    return {"plugin_id": plugin_id, "name": plugin_id, "tool": tool, "output": output} | changes


def manifest(plugin_id: str = "spell", **changes: Any) -> Manifest:
    """Return a manifest of a tool that prints lines."""
    return msgspec.convert(declared(plugin_id, **changes), Manifest)


def write_plugin(folder: Path, value: Mapping[str, Any] | str, code: str | None = None) -> Path:
    """Write a plugin's folder below `folder`, a manifest as text or a value; return the folder."""
    name = value["plugin_id"] if isinstance(value, Mapping) else "broken"
    place = folder / name
    place.mkdir(parents=True)
    text = value if isinstance(value, str) else json.dumps(value)
    (place / "manifest.json").write_text(text, encoding="utf-8")
    if code is not None:
        (place / "plugin.py").write_text(code, encoding="utf-8")
    return place


def ended(code: int | None = 0, *, end: End = End.EXITED, **changes: Any) -> Outcome:
    """Return what became of a command."""
    sizes = {f"{name}_bytes": len(changes.get(name, b"")) for name in ("stdout", "stderr")}
    return Outcome(
        argv=("spell",), end=end, exit_code=code, started_at=0.0, duration_s=0.1, **sizes | changes
    )


@dataclass
class CountingMemory(ForgetfulMemory):
    """Remembers, and tells what it was asked for and given."""

    asked: list[str] = field(default_factory=list)
    given: dict[str, str] = field(default_factory=dict)

    def facts(self, names: Sequence[str]) -> dict[str, str]:
        """Return what is known."""
        self.asked += names
        return {name: self.given[name] for name in names if name in self.given}

    def remember(self, facts: Mapping[str, str]) -> None:
        """Keep facts."""
        self.given.update(facts)


@dataclass
class Bench:
    """A tree with a plugin's tool on a PATH of its own: `machine` holds the programs."""

    folder: Path
    machine: Machine = field(init=False)
    tree: Path = field(init=False)
    stop: Stop = field(default_factory=Stop)
    memory: CountingMemory = field(default_factory=CountingMemory)

    def __post_init__(self) -> None:
        self.machine = Machine(self.folder / "machine")
        self.tree = self.folder / "tree"
        for name in ("tree", "scratch", "cache"):
            (self.folder / name).mkdir()

    @property
    def place(self) -> Place:
        """The tree, which is its own repository."""
        return Place(tree=self.tree, root=self.tree)

    @property
    def scratch(self) -> Path:
        """Where runs may leave things lying about."""
        return self.folder / "scratch"

    def call(self, tool: ToolFacts | None = None) -> Call:
        """Return what a run may use."""
        return Call(tool=tool, scratch=self.scratch, cache=self.folder / "cache", stop=self.stop)

    def plugin(self, **changes: Any) -> ManifestPlugin:
        """Return a plugin of the tool `spell`."""
        return ManifestPlugin(manifest(**changes), "a test")

    def find(self, plugin: ManifestPlugin) -> ToolFacts:
        """Find the tool of a plugin, which must be there."""
        found = plugin.find_tool(self.place, self.memory)
        assert isinstance(found, ToolFacts), found
        return found

    def run(self, script: str, files: Sequence[str] = ("a.txt",), **changes: Any) -> PluginResult:
        """Let a tool of this shell script look at files."""
        path = self.machine.program("spell", script)
        facts = ToolFacts(executable=path, version="1", identity="i")
        return self.plugin(**changes).check(files, self.place, self.call(facts))
