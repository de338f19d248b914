"""Which files are governed by a configuration: one in their own folder or above it, in the tree."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path, PurePosixPath

MAX_DEPTH = 64
"""How many folders up are looked at."""

Governor = Callable[[str], bool]
"""Tells of a file's path, relative to the tree, whether it is governed."""


def governed_by(
    tree: Path, patterns: Sequence[str], also: Callable[[Path], bool] | None = None
) -> Governor:
    """Return a Governor for files whose names fit one of the patterns.

    `also` looks into a folder for what a name alone does not tell. Each folder is read once; one
    that cannot be read holds nothing.
    """

    @cache
    def has(folder: str) -> bool:
        place = tree / folder
        try:
            names = os.listdir(place)  # noqa: PTH208 - only names are wanted
        except OSError:
            return False
        named = any(fnmatchcase(name, pattern) for name in names for pattern in patterns)
        return named or (also is not None and also(place))

    def governs(path: str) -> bool:
        folders = list(PurePosixPath(path).parents)[:MAX_DEPTH]
        return any(has(str(folder)) for folder in folders)

    return governs
