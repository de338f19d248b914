"""Paths in a tree: undoing what was done at some of them, and naming them to git."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from penstock.worktrees.diff import Entry

ARGUMENTS = 60_000
"""Bytes of paths in one command line; the kernel takes at least twice that."""


def undoing(
    entries: Sequence[Entry], paths: frozenset[str]
) -> tuple[list[str], list[str], list[str]]:
    """Return what undoes the changes at these paths.

    That is lines for `update-index --index-info`, removals first; the paths that go, and those
    that come back.
    """
    gone: list[str] = []
    back: dict[str, str] = {}
    for entry in entries:
        if entry.letter in "ARC":
            gone += [entry.path] if entry.path in paths else []
        before = entry.old_path or entry.path
        if entry.letter not in "AC" and before in paths:
            back[before] = f"{entry.old_mode} {entry.old_oid}\t{before}"
    zero = "0" * max((len(e.new_oid) for e in entries), default=40)
    return [*(f"0 {zero}\t{path}" for path in gone), *back.values()], gone, list(back)


def remove_empty_parents(tree: Path, names: Iterable[str]) -> None:
    """Remove the folders that these paths leave empty."""
    for name in names:
        for folder in (tree / name).parents:
            if folder == tree or not folder.is_dir() or any(folder.iterdir()):
                break
            folder.rmdir()


def batches(paths: Sequence[str]) -> Iterator[list[str]]:
    """Split paths into lists that fit a command line."""
    batch: list[str] = []
    size = 0
    for path in paths:
        length = len(os.fsencode(path)) + 1
        if batch and size + length > ARGUMENTS:
            yield batch
            batch, size = [], 0
        batch.append(path)
        size += length
    if batch:
        yield batch


def glob_escaped(path: str) -> str:
    """Return a path as an ignore pattern that matches just itself."""
    return "".join(f"\\{char}" if char in "*?[]\\! #" else char for char in path)


def make_writable(tree: Path) -> None:
    """Give us back the right to enter and change every folder of a tree."""
    for folder, _, _ in os.walk(tree):
        Path(folder).chmod(0o755)
