"""Which plugins there are for a run, and which files each of them gets."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from penstock.checks.api import InspectionRequest, Place
from penstock.checks.plugins.port import Plugin, ToolFacts, ToolMemory, Unavailable
from penstock.config.decode import nearest
from penstock.errors import UsageError

HEAD_BYTES = 512


@dataclass(frozen=True, slots=True)
class Assigned:
    """A plugin with its tool and its files, in the order of the request."""

    plugin: Plugin
    found: ToolFacts | Unavailable | None
    files: tuple[str, ...]

    @property
    def plugin_id(self) -> str:
        """The plugin's id."""
        return self.plugin.manifest.plugin_id

    def without(self, gone: Collection[str]) -> Assigned:
        """Return the same without some of the files."""
        return replace(self, files=tuple(path for path in self.files if path not in gone))

    @property
    def tool(self) -> ToolFacts | None:
        """The tool, None where the plugin needs none."""
        return self.found if isinstance(self.found, ToolFacts) else None


def choose(
    plugins: Iterable[Plugin], request: InspectionRequest, problems: Sequence[str] = ()
) -> tuple[Plugin, ...]:
    """Return the plugins that a request wants, in their order.

    A plugin answers to its id, to its name and to its tool's command. Raises UsageError for a
    word of `only` or `skip` that none answers to, with what was wrong with a plugin of that name
    according to `problems`.
    """
    given = tuple(plugins)
    words = {word for plugin in given for word in _words(plugin)}
    for option, asked in (("--only", request.only), ("--skip", request.skip)):
        for word in asked:
            if word not in words:
                why = [problem for problem in problems if word in problem]
                raise UsageError(
                    f"{option} {word}: no such plugin, {nearest(word, sorted(words))}",
                    hint=why[0] if why else "`penstock check --list` shows all of them.",
                )
    only, skip = frozenset(request.only), frozenset(request.skip)
    return tuple(
        plugin
        for plugin in given
        if (bool(_words(plugin) & only) if only else plugin.manifest.default)
        and not _words(plugin) & skip
    )


def _words(plugin: Plugin) -> frozenset[str]:
    manifest = plugin.manifest
    command = {manifest.tool.command} if manifest.tool is not None else set[str]()
    return frozenset({manifest.plugin_id, manifest.name} | command)


def assign(
    plugins: Sequence[Plugin], files: Sequence[str], place: Place, memory: ToolMemory
) -> tuple[Assigned, ...]:
    """Return each plugin with the files it wants and its tool, which is looked for only then."""
    heads = {path: _head(place.tree, path) for path in files}
    assigned = []
    for plugin in plugins:
        mine = tuple(path for path in files if plugin.matches(path, heads[path]))
        found = plugin.find_tool(place, memory) if mine else None
        assigned.append(Assigned(plugin, found, mine))
    return tuple(assigned)


def _head(tree: Path, path: str) -> bytes:
    """Return the first bytes of a file, none when it cannot be read: who checks it will say so."""
    try:
        descriptor = os.open(tree / path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, HEAD_BYTES)
    except OSError:  # a folder, or gone
        return b""
    finally:
        os.close(descriptor)
