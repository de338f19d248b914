"""Folders outside of the tree that results depend on: stubs, rules, sources of linked packages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

MAX_FILES = 5_000
"""Files of one folder that are looked at, in the order of their names."""


def files_below(folder: str, *, lasting: bool = False) -> Iterator[str]:
    """Yield the files below a folder, no more than MAX_FILES; `lasting` leaves out folders that are
    hidden or hold bytecode."""
    count = 0
    for place, folders, files in os.walk(folder):
        if lasting:
            folders[:] = [n for n in folders if not n.startswith(".") and n != "__pycache__"]
        folders.sort()
        for name in sorted(files)[: MAX_FILES - count]:
            count += 1
            yield f"{place}/{name}"
        if count == MAX_FILES:
            return


def statuses_outside(folder: str, tree: str, endings: tuple[str, ...] = ("",)) -> Iterator[str]:
    """Yield a line for each file below a folder that has one of the endings, by its status.

    What lies in the tree is known by other ways: of such a folder, and of one that holds the tree,
    nothing is told. Hidden folders and bytecode, which changes with every use, do not count.
    """
    top = os.path.realpath(folder) + "/"
    if top.startswith(f"{tree}/") or f"{tree}/".startswith(top):
        return
    for path in files_below(folder, lasting=True):
        if path.endswith(endings):
            with suppress(OSError):
                status = os.stat(path)  # noqa: PTH116 - there may be thousands
                yield f"{path[len(folder) :]} {status.st_size} {status.st_mtime_ns}"
