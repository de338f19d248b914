"""Batches: which files one run of a tool gets."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from penstock.checks.plugins.port import Plugin, ToolFacts
from penstock.model.manifest import Reach

MAX_ARGV = 96 * 1024
"""Bytes of file names in one command; Linux takes 2 MiB with the environment, macOS 1 MiB."""
MIN_FILES = 12
"""Files that are worth a run of their own."""
PER_CORE = 2
"""Runs per core that a large set is cut into, so that uneven ones level out."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """One run to be: a plugin, its tool, and files relative to the tree."""

    plugin: Plugin
    tool: ToolFacts | None
    files: tuple[str, ...]

    @property
    def plugin_id(self) -> str:
        """The plugin's id."""
        return self.plugin.manifest.plugin_id

    @property
    def whole(self) -> bool:
        """Tell whether the files must be seen together."""
        return self.plugin.manifest.depends.reach is Reach.PROJECT

    def halves(self) -> tuple[Batch, Batch]:
        """Return two batches of half the files each."""
        middle = len(self.files) // 2
        return (
            Batch(self.plugin, self.tool, self.files[:middle]),
            Batch(self.plugin, self.tool, self.files[middle:]),
        )


def cut(
    plugin: Plugin,
    tool: ToolFacts | None,
    files: Sequence[str],
    sizes: Mapping[str, int],
    cores: int,
) -> list[Batch]:
    """Return the batches of a plugin over files.

    Files that must be seen together stay together. Others are dealt out by size (bytes), the
    largest first to the batch that has least, which bounds the longest batch (Graham 1969).
    """
    manifest = plugin.manifest
    if manifest.depends.reach is Reach.PROJECT:
        return [Batch(plugin, tool, tuple(files))]
    wanted = min(cores * PER_CORE, max(1, len(files) // MIN_FILES))
    parts = _dealt(files, sizes, wanted) if manifest.resources.splits else [list(files)]
    return [Batch(plugin, tool, tuple(piece)) for part in parts for piece in _short(part)]


def _dealt(files: Sequence[str], sizes: Mapping[str, int], count: int) -> list[list[str]]:
    parts: list[list[str]] = [[] for _ in range(count)]
    loads = [0] * count
    for name in sorted(files, key=lambda name: (-sizes.get(name, 0), name)):
        least = loads.index(min(loads))
        parts[least].append(name)
        loads[least] += sizes.get(name, 0) + 1
    return [sorted(part) for part in parts if part]


def _short(files: Sequence[str]) -> list[list[str]]:
    """Cut a list where its names would not fit into one command."""
    pieces: list[list[str]] = [[]]
    room = MAX_ARGV
    for name in files:
        need = len(os.fsencode(name)) + 16
        if need > room and pieces[-1]:
            pieces.append([])
            room = MAX_ARGV
        pieces[-1].append(name)
        room -= need
    return pieces
