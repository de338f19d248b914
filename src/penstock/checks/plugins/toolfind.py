"""Finding the tool of a plugin, and its version without starting it where that can be."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from types import MappingProxyType

from penstock.checks.api import Place
from penstock.checks.plugins.configured import first_config
from penstock.checks.plugins.evidence import Traces, traces_of
from penstock.checks.plugins.port import ToolFacts, ToolMemory, Unavailable
from penstock.checks.reading import clean
from penstock.checks.surroundings import base_environment, locate
from penstock.model.manifest import ToolSpec
from penstock.process.api import Command, End, Outcome

VERSION_LIMIT_S = 5.0
"""Seconds that a tool gets to tell its version."""
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_FIXED = {
    "LC_ALL": "C",
    "LANG": "C",
    "NO_COLOR": "1",
    "TERM": "dumb",
    "PYTHONDONTWRITEBYTECODE": "1",
}
_VERSION = r"(?<![\w.])v?(\d+(?:\.\d+)+(?:[-+.]?[\w+]+)*)"
_LONGEST_VERSION = 40
_NOT_THERE = (126, 127)
"""Exit codes by which shells and shims say that there is no such program."""


def tool_environment(place: Place, *, network: bool = False) -> dict[str, str]:
    """Return the whole environment of a tool: no PYTHONPATH, no colours, one locale.

    The proxies are for tools that need the network alone.
    """
    folders = tuple(filter(os.path.isdir, _own_folders(place)))
    env = dict(_environment(place.tree, place.root, folders, frozenset(os.environ.items())))
    if not network:
        for name in _PROXIES:
            env.pop(name, None)
            env.pop(name.lower(), None)
    return env


def _own_folders(place: Place) -> list[str]:
    """Return where a tree and its repository may have tools of their own."""
    names = (".venv/bin", "venv/bin", "node_modules/.bin")
    return [f"{folder}/{name}" for folder in (place.tree, place.root) for name in names]


@lru_cache(maxsize=8)  # all plugins ask for the same one
def _environment(
    tree: Path, root: Path, _folders: tuple[str, ...], _ours: frozenset[tuple[str, str]]
) -> Mapping[str, str]:
    """Work the environment out; the last two tell that it would be another one by now."""
    env = base_environment(tree, root)
    for name in ("LANGUAGE", "COLORTERM"):
        env.pop(name, None)
    return MappingProxyType(env | _FIXED)


def find_tool(
    tool: ToolSpec, place: Place, memory: ToolMemory, *, network: bool = False
) -> ToolFacts | Unavailable:
    """Find a tool in the tree's own environment, the repository's, or on PATH.

    Its version is read from its package's metadata, else remembered, else asked for once. A tool
    that does not tell has the version ""; it is asked again if it was stopped or killed.
    """
    env = tool_environment(place, network=network)
    executable = locate(tool.command, place.tree, env)
    if executable is None:
        return _missing(tool, f"{tool.command} is not installed")
    try:
        traces = traces_of(executable, tool, place.tree)
    except OSError as error:
        return _missing(tool, f"{executable} cannot be read: {error.strerror or error}")
    if traces.broken:
        return _missing(tool, traces.broken)
    if tool.needs_config and first_config(tool.needs_config, place.tree) is None:
        return Unavailable(
            reason=f"{tool.command} is not configured here",
            hint=f"add one of {', '.join(tool.needs_config)}",
        )
    return _with_version(executable, tool, place, traces, memory, env)


def _missing(tool: ToolSpec, reason: str) -> Unavailable:
    return Unavailable(reason=reason, hint=tool.install or f"install {tool.command}")


def _with_version(
    executable: Path,
    tool: ToolSpec,
    place: Place,
    traces: Traces,
    memory: ToolMemory,
    env: Mapping[str, str],
) -> ToolFacts | Unavailable:
    """Add the version: stated, remembered, or asked for."""
    identity = _digest(*traces.lines)
    if traces.version is not None or not tool.version_arguments:
        stated = traces.version or ""
        return ToolFacts(executable=executable, version=stated, identity=identity)
    fact = f"tool-version {_digest(identity, *tool.version_arguments)}"
    version = None if traces.opaque else memory.facts([fact]).get(fact)
    if version is None:
        outcome = _ask(executable, tool, place, env)
        if _is_not_there(outcome):
            why = outcome.error or _first_line(outcome) or f"exit code {outcome.exit_code}"
            return _missing(tool, f"{tool.command} is there, but not its program: {why}")
        version = _told(outcome)
        if outcome.end is End.EXITED and not traces.opaque:
            memory.remember({fact: version})
    if traces.opaque:  # nothing else tells one from another
        identity = _digest(identity, version)
    return ToolFacts(executable=executable, version=version, identity=identity)


def _ask(executable: Path, tool: ToolSpec, place: Place, env: Mapping[str, str]) -> Outcome:
    from penstock.process.run import run  # not needed while all versions are known

    return run(
        Command(
            argv=(str(executable), *tool.version_arguments),
            cwd=place.tree,
            env=env,
            wall_s=VERSION_LIMIT_S,
            grace_s=0.5,
            keep_bytes=1 << 16,
        )
    )


def _is_not_there(outcome: Outcome) -> bool:
    if outcome.end in (End.NOT_FOUND, End.NOT_STARTED):
        return True
    return outcome.end is End.EXITED and outcome.exit_code in _NOT_THERE


def _told(outcome: Outcome) -> str:
    """Return the version in an answer, or its first line; nothing when it did not answer."""
    if outcome.end is not End.EXITED or outcome.exit_code != 0:
        return ""
    for text in (outcome.text, outcome.error_text):
        match = re.search(_VERSION, text)
        if match is not None:
            return match[1][:_LONGEST_VERSION]
    return _first_line(outcome)


def _first_line(outcome: Outcome) -> str:
    lines = f"{clean(outcome.stdout)}\n{clean(outcome.stderr)}".split("\n")
    said = next((line.strip() for line in lines if line.strip()), "")
    return said[:_LONGEST_VERSION] if said.isprintable() and "\ufffd" not in said else ""


def _digest(*texts: str) -> str:
    joined = "\0".join(texts).encode("utf-8", "surrogateescape")
    return blake2b(joined, digest_size=16).hexdigest()
