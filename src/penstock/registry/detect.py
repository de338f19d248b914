"""Which tools of the registry are on this machine, and in which version: without starting them
where that can be helped."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from penstock.errors import EnvironmentProblem
from penstock.process.environment import child_environment, find_executable
from penstock.registry.api import Argv, RegistryTool, ToolDetection
from penstock.registry.notebook import Notebook, open_notebook
from penstock.registry.versions import package_version

LIMIT_S = 2.0
"""How long a tool may take to answer (s)."""
SILENCE_S = 600.0
"""For how long (s) a tool that would not name its version is not asked again."""
_VERSION = re.compile(r"\d+\.\d+[\w.+-]*")
_ASKS_FOR_VERSION = frozenset({"--version", "-V", "-v", "version", "--help", "-h"})


def detect_all(
    tools: Iterable[RegistryTool],
    *,
    environ: Mapping[str, str] | None = None,
    limit_s: float = LIMIT_S,
) -> dict[str, ToolDetection]:
    """Look for tools and their versions, those that must be asked all at once.

    `environ` None is the process's own. Takes little more than `limit_s` (s) however many hang.
    """
    search = Search(os.environ if environ is None else environ, limit_s)
    wanted = list(tools)
    found = {tool.tool_id: search.look(tool) for tool in wanted}
    unknown = [tool for tool in wanted if _must_be_asked(found[tool.tool_id])]
    if unknown:
        from concurrent.futures import ThreadPoolExecutor  # costs more than all that is known

        with ThreadPoolExecutor(max_workers=len(unknown)) as threads:
            asked = threads.map(lambda tool: search.ask(tool, found[tool.tool_id]), unknown)
            found |= {detection.tool_id: detection for detection in asked}
        search.notebook.save()
    return found


def find_all(
    tools: Iterable[RegistryTool], *, environ: Mapping[str, str] | None = None
) -> dict[str, ToolDetection]:
    """Look for tools without asking any for its version: one that nothing tells stays unknown."""
    search = Search(os.environ if environ is None else environ)
    return {tool.tool_id: search.look(tool) for tool in tools}


def detect_tool(
    tool: RegistryTool, *, environ: Mapping[str, str] | None = None, limit_s: float = LIMIT_S
) -> ToolDetection:
    """Look for one tool and its version."""
    return detect_all([tool], environ=environ, limit_s=limit_s)[tool.tool_id]


def _must_be_asked(detection: ToolDetection) -> bool:
    return detection.detected and detection.version_from is None


class Search:
    """Looks for tools in one environment. `limit_s` bounds each program that is started."""

    def __init__(self, environ: Mapping[str, str], limit_s: float = LIMIT_S) -> None:
        self.notebook: Notebook = open_notebook(environ)
        self._env = child_environment(source=environ)
        self._limit_s = limit_s
        self._now = time.time()

    def look(self, tool: RegistryTool) -> ToolDetection:
        """Return what can be told without starting the tool."""
        path = self._find(tool)
        if path is None:
            return ToolDetection(tool_id=tool.tool_id)
        stated = package_version(path)
        if stated is not None:
            return ToolDetection(
                tool_id=tool.tool_id, path=str(path), version=stated, version_from="package"
            )
        detection = ToolDetection(tool_id=tool.tool_id, path=str(path))
        known = self.notebook.recall(_topic(tool), path, self._now)
        if not known:
            known = self.notebook.recall(_topic(tool), path, self._now, lifetime_s=SILENCE_S)
        if not isinstance(known, str):
            return detection
        return msgspec.structs.replace(detection, version=known or None, version_from="cache")

    def ask(self, tool: RegistryTool, detection: ToolDetection) -> ToolDetection:
        """Return the detection with the version that the tool itself names, and note that."""
        path, command = Path(detection.path or ""), _asking(tool)
        same = command[0] in {argv[0] for argv in tool.detect_commands}
        version = self._version((str(path), *command[1:]) if same else command)
        self.notebook.note(_topic(tool), path, version or "", self._now)
        return msgspec.structs.replace(detection, version=version, version_from="asked")

    def _find(self, tool: RegistryTool) -> Path | None:
        """Return the executable of the first detect command that holds."""
        for command in tool.detect_commands:
            path = find_executable(command[0], self._env)
            if path is not None and self._holds(path, command):
                return path
        return None

    def _holds(self, path: Path, command: Argv) -> bool:
        """Tell whether a detect command holds: a program that is only asked for its version holds by
        being there, any other command (`python -m tool`) by ending with 0.
        """
        rest = command[1:]
        if not rest or (len(rest) == 1 and rest[0] in _ASKS_FOR_VERSION):
            return True
        return self._run((str(path), *rest)) is not None

    def _version(self, command: Argv) -> str | None:
        """Return the first version number that a command prints."""
        text = self._run(command)
        match = _VERSION.search(text) if text is not None else None
        return match.group() if match else None

    def _run(self, command: Argv) -> str | None:
        """Return what a short command prints; None when it fails or takes too long."""
        from penstock.process.capture import capture  # mostly nothing is started

        try:
            done = capture(command, Path.home(), self._env, timeout=self._limit_s)
        except (EnvironmentProblem, RuntimeError):  # not for this machine, no home: it is there
            return None
        if done.timed_out or done.returncode != 0:
            return None
        return (done.stdout + b"\n" + done.stderr).decode("utf-8", "replace")


def _asking(tool: RegistryTool) -> Argv:
    """Return the command that has a tool name its version."""
    return tool.version_command or (tool.executable, "--version")


def _topic(tool: RegistryTool) -> str:
    """Return what a version is noted under: several tools may share an interpreter."""
    return " ".join(_asking(tool))
