"""What a plugin of the error engine is to those who use it, and what a reader gets and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from penstock.checks.api import Place
from penstock.model.finding import Finding
from penstock.model.manifest import Manifest, OutputSpec
from penstock.process.api import Stop

BUILT_IN = "built in"
"""The origin of the plugins that penstock brings along; others name a folder or an entry point."""


# -- the tool of a plugin ------------------------------------------------------------------------
class ToolFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A tool that was found.

    `version` is for people ("" when it would not tell). `identity` is a digest that changes with
    anything that may make it another tool: place, size, time and text of the executable, and what
    its version was read from.
    """

    executable: Path
    version: str
    identity: str


class Unavailable(msgspec.Struct, frozen=True, kw_only=True):
    """Why a plugin cannot work here, and the command or edit that mends it.

    `by_choice`: the repository has chosen another tool for this, so nothing is missing.
    """

    reason: str
    hint: str | None = None
    by_choice: bool = False


class ToolMemory(Protocol):
    """Small facts that outlive the process; a ResultCache is one."""

    def facts(self, names: Sequence[str]) -> dict[str, str]:
        """Return those of the facts that are known."""
        ...

    def remember(self, facts: Mapping[str, str]) -> None:
        """Keep facts."""
        ...


# -- a run ---------------------------------------------------------------------------------------
class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What one run of a plugin may use.

    `tool` is what find_tool gave, None for plugins without one. `scratch` is a folder for whatever
    it leaves lying about; `cache` outlives the run and belongs to the plugin. `stop` ends the run;
    `marker` marks its processes (see process.api.Command).
    """

    tool: ToolFacts | None
    scratch: Path
    cache: Path
    stop: Stop
    marker: str | None = None


class PluginResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a plugin says of a batch of files.

    `success` tells that it could do its work, whatever it found. Else `problem` says why not
    (crash, time limit, output that nobody can read), which is never a pass; or `interrupted` that the user
    stopped it. Paths in `issues` are as the tool printed them. `returncode` is None when nothing
    was run. `metadata` is for people: the command, the tool's version.
    """

    plugin_id: str
    success: bool
    issues: tuple[Finding, ...] = ()
    stdout: str = ""
    stderr: str = ""
    returncode: int | None = None
    duration_ms: int = 0
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    problem: str | None = None
    interrupted: bool = False


class Plugin(Protocol):
    """A checker or fixer. Thread-safe: batches may be given to it at the same time."""

    manifest: Manifest
    origin: str

    def matches(self, path: str, head: bytes) -> bool:
        """Tell whether a file is for this plugin; `head` are its first 512 bytes, or b""."""
        ...

    def find_tool(self, place: Place, memory: ToolMemory) -> ToolFacts | Unavailable | None:
        """Find the tool; starts nothing when its version is remembered. None: it needs no tool."""
        ...

    def arguments(self, *, fix: bool) -> tuple[str, ...]:
        """Return what the tool is called with, before anything is filled in, for the cache key."""
        ...

    def check(self, files: Sequence[str], place: Place, call: Call) -> PluginResult:
        """Look at a batch of files (relative to the tree) as they are. Raises nothing for what a
        tool does."""
        ...

    def fix(self, files: Sequence[str], place: Place, call: Call) -> PluginResult:
        """Rewrite files of the tree in place; the caller gives a copy. Fixers only."""
        ...

    def check_tool_available(self) -> bool:
        """Tell whether the tool is there, for the current folder."""
        ...

    def build_command(self, path: str | Path) -> list[str]:
        """Return the command that checks one file, for the current folder."""
        ...

    def execute(self, path: str | Path) -> PluginResult:
        """Check one file in the current folder: a convenience over `check`."""
        ...


# -- reading -------------------------------------------------------------------------------------
class RawOutput(msgspec.Struct, frozen=True):
    """What a tool left behind: its streams as bytes, its report file (None: none was written).

    `tool` names the findings; it ran in `tree`.
    """

    stdout: bytes
    stderr: bytes
    report: bytes | None
    exit_code: int
    tree: Path
    tool: str

    def of(self, spec: OutputSpec) -> bytes:
        """Return the stream that a manifest names, empty when there is none."""
        if spec.stream == "report":
            return self.report or b""
        return self.stderr if spec.stream == "stderr" else self.stdout


class Parsed(msgspec.Struct, frozen=True):
    """What was read. `ok` False: there was nothing that could be parsed, and `why` says what was wrong.

    An empty output is right for tools that print lines and wrong for those that print JSON.
    """

    findings: tuple[Finding, ...]
    ok: bool = True
    why: str = ""


Reader = Callable[[RawOutput, OutputSpec], Parsed]
"""Reads a tool's output. Raises nothing, whatever the output; paths stay as the tool printed them."""
