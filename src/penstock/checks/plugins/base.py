"""What all plugins share: which files they want, and the documented convenience for one file."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from penstock.checks.api import Place
from penstock.checks.plugins.matching import Matcher
from penstock.checks.plugins.port import (
    BUILT_IN,
    Call,
    PluginResult,
    ToolFacts,
    ToolMemory,
    Unavailable,
)
from penstock.model.manifest import Manifest, PluginKind
from penstock.process.api import Stop


class ForgetfulMemory:
    """A ToolMemory for where nothing outlives the process."""

    def __init__(self) -> None:
        self._facts: dict[str, str] = {}

    def facts(self, names: Sequence[str]) -> dict[str, str]:
        """Return those of the facts that are known."""
        return {name: self._facts[name] for name in names if name in self._facts}

    def remember(self, facts: Mapping[str, str]) -> None:
        """Keep facts as long as this object."""
        self._facts.update(facts)


class BasePlugin(ABC):
    """A plugin by its manifest. `made_of` is a digest of the files that define it: part of every
    cache key, so that an edited plugin is asked anew."""

    def __init__(self, manifest: Manifest, origin: str = BUILT_IN, made_of: str = "") -> None:
        self.manifest = manifest
        self.origin = origin
        self.made_of = made_of
        self._matcher = Matcher(manifest)

    def __repr__(self) -> str:
        return f"<plugin {self.manifest.plugin_id}, {self.origin}>"

    def matches(self, path: str, head: bytes) -> bool:
        """Tell whether a file is for this plugin; `head` are its first 512 bytes, or b""."""
        return self._matcher(path, head)

    @abstractmethod
    def find_tool(self, place: Place, memory: ToolMemory) -> ToolFacts | Unavailable | None:
        """Find the tool; None when it needs none."""

    @abstractmethod
    def check(self, files: Sequence[str], place: Place, call: Call) -> PluginResult:
        """Look at a batch of files."""

    @abstractmethod
    def command(
        self, files: Sequence[str], place: Place, call: Call, *, fix: bool = False
    ) -> tuple[str, ...]:
        """Return the whole command for a batch, empty for a plugin that starts nothing."""

    def fix(self, files: Sequence[str], place: Place, call: Call) -> PluginResult:
        """Rewrite files in place; a checker cannot."""
        return self.failed(f"{self.manifest.plugin_id} cannot fix anything")

    def arguments(self, *, fix: bool) -> tuple[str, ...]:
        """Return what decides a result beside the tool and the files, for the cache key."""
        tool = self.manifest.tool
        given = () if tool is None else tool.fix_arguments if fix else tool.arguments
        return (*given, f"plugin {self.made_of or _digest(self.manifest)}")

    def failed(self, problem: str) -> PluginResult:
        """Return the result of a run that could not do its work."""
        return PluginResult(plugin_id=self.manifest.plugin_id, success=False, problem=problem)

    # -- one file in the current folder ----------------------------------------------------------
    def check_tool_available(self) -> bool:
        """Tell whether the tool is there, for the current folder."""
        return not isinstance(self.find_tool(_here(), ForgetfulMemory()), Unavailable)

    def build_command(self, path: str | Path) -> list[str]:
        """Return the command that checks one file; its first word is bare when there is no tool."""
        import tempfile  # not needed while all results are known

        place, folder = _here(), Path(tempfile.gettempdir())
        found = self.find_tool(place, ForgetfulMemory())
        tool = found if isinstance(found, ToolFacts) else None
        call = Call(tool=tool, scratch=folder, cache=folder, stop=Stop())
        return list(self.command((_relative(path, place),), place, call))

    def execute(self, path: str | Path) -> PluginResult:
        """Check one file in the current folder: a convenience over `check`."""
        import tempfile  # not needed while all results are known

        place = _here()
        found = self.find_tool(place, ForgetfulMemory())
        if isinstance(found, Unavailable):
            return self.failed(found.reason)
        with tempfile.TemporaryDirectory(prefix="penstock-") as folder:
            scratch, cache = Path(folder, "scratch"), Path(folder, "cache")
            scratch.mkdir()
            cache.mkdir()
            call = Call(tool=found, scratch=scratch, cache=cache, stop=Stop())
            return self.check((_relative(path, place),), place, call)

    @property
    def is_fixer(self) -> bool:
        """Tell whether it can rewrite files."""
        return self.manifest.kind is PluginKind.FIXER


def _here() -> Place:
    folder = Path.cwd().resolve()
    return Place(tree=folder, root=folder)


def _relative(path: str | Path, place: Place) -> str:
    """Return a path as plugins get it: relative to the tree, with forward slashes."""
    return Path(os.path.relpath(place.tree / path, place.tree)).as_posix()


def _digest(manifest: Manifest) -> str:
    from hashlib import blake2b

    return blake2b(msgspec.json.encode(manifest), digest_size=10).hexdigest()
