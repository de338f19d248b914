"""All tools by id: the built-in ones, the configured ones, and those that other packages bring."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from penstock.errors import ConfigError, NotFoundError
from penstock.model.settings import ToolProfile
from penstock.tools.api import ALIASES, Tool, Toolbox

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from penstock.tools.external import ExternalAdapter

ENTRY_POINT_GROUP = "penstock.tools"
"""Entry points of this group name a class or function that makes a Tool without arguments."""

BUILT_IN = {
    "amp": "penstock.tools.documented:AmpTool",
    "aider": "penstock.tools.aider:AiderTool",
    "claude-cli": "penstock.tools.claude_cli:ClaudeTool",
    "codex": "penstock.tools.codex:CodexTool",
    "copilot": "penstock.tools.copilot:CopilotTool",
    "cursor-agent": "penstock.tools.documented:CursorTool",
    "gemini": "penstock.tools.gemini:GeminiTool",
    "goose": "penstock.tools.documented:GooseTool",
    "jules": "penstock.tools.jules:JulesTool",
    "mini-swe-agent": "penstock.tools.mini:MiniTool",
    "mypy": "penstock.tools.checkers:mypy",
    "opencode": "penstock.tools.opencode:OpencodeTool",
    "pylint": "penstock.tools.checkers:pylint",
    "pytest": "penstock.tools.checkers:pytest",
    "qwen": "penstock.tools.qwen:QwenTool",
    "ruff": "penstock.tools.checkers:ruff",
    "scripted": "penstock.tools.scripted:ScriptedTool",
}
_MEMBERS = ("tool_id", "command_line", "available", "own_login", "run")
GIVES_WAY = frozenset({"mypy", "pylint", "pytest", "ruff"})
"""Built-in tools that a profile of the same id replaces: names of ordinary commands."""


class Tools:
    """Finds tools by id: adapter programs first, then built-in ones, profiles, entry points.

    Loads on demand.
    """

    def __init__(
        self, profiles: Mapping[str, ToolProfile], adapters: Sequence[ExternalAdapter] = ()
    ) -> None:
        self._profiles = dict(profiles)
        self._adapters = {adapter.tool_id: adapter for adapter in adapters}
        self._made: dict[str, Tool] = {}

    def get(self, tool_id: str) -> Tool:
        """Return a tool. Raises NotFoundError that lists the known ones, ConfigError for a
        broken entry point.
        """
        wanted = ALIASES.get(tool_id, tool_id)
        if wanted not in self._made:
            self._made[wanted] = self._make(wanted)
        return self._made[wanted]

    def ids(self) -> Sequence[str]:
        """Return the known tool ids, sorted, without aliases."""
        return sorted({*BUILT_IN, *self._adapters, *self._profiles, *_outsiders()})

    def _make(self, tool_id: str) -> Tool:
        if tool_id in self._adapters:
            from penstock.tools.external import ExternalTool

            return ExternalTool(self._adapters[tool_id])
        if tool_id in BUILT_IN and not (tool_id in GIVES_WAY and tool_id in self._profiles):
            module, _, name = BUILT_IN[tool_id].partition(":")
            return cast("Tool", getattr(importlib.import_module(module), name)())
        if tool_id in self._profiles:
            from penstock.tools.profile import ProfileTool

            return ProfileTool(self._profiles[tool_id])
        outsider = _outsiders().get(tool_id)
        if outsider is None:
            raise self._unknown(tool_id)
        return _load(outsider)

    def _unknown(self, tool_id: str) -> NotFoundError:
        known = [*self.ids(), *ALIASES]
        near = difflib.get_close_matches(tool_id, known, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        return NotFoundError(
            f"there is no tool {tool_id!r}",
            hint=f"{hint}known tools: {', '.join(sorted(known))}; "
            "others can be added in config/tool_profiles.json",
        )


def make_toolbox(
    profiles: Mapping[str, ToolProfile], adapters: Sequence[ExternalAdapter] = ()
) -> Toolbox:
    """Return the toolbox of a repository with these tool profiles, by id.

    `adapters` are programs that a registry names for a tool; they stand before a built-in adapter
    of the same tool.
    """
    return Tools(profiles, adapters)


def _outsiders() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points  # costs more than all the rest to import

    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}


def _load(point: EntryPoint) -> Tool:
    try:
        made = point.load()()
        missing = [name for name in _MEMBERS if not hasattr(made, name)]
        if missing:
            raise AttributeError(f"it has no {', '.join(missing)}")
        return cast("Tool", made)
    except (ImportError, AttributeError, TypeError) as error:
        raise ConfigError(
            f"the tool {point.name!r} of the entry point {point.value} cannot be loaded: {error}",
            hint="update or uninstall the package that brings it",
        ) from error
