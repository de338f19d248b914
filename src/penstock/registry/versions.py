"""The version of an installed program, read from the metadata of its package."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_CLIMB = 8
_LARGEST = 1 << 20
_DIST = re.compile(r"^(?P<name>.+)-(?P<version>[^-]+)\.dist-info$")


def package_version(executable: Path) -> str | None:
    """Return the version that the package of an executable states; None when it has no metadata.

    An npm package is the `package.json` above the resolved executable, a Python one the
    `dist-info` of the environment whose `bin/` holds it. Nothing is started.
    """
    resolved = executable.resolve()
    return _npm_version(resolved) or _python_version(resolved)


def _npm_version(resolved: Path) -> str | None:
    """Return what the npm package states that a file belongs to."""
    for folder in list(resolved.parents)[:_CLIMB]:
        if folder.name == "node_modules":
            return None
        if "node_modules" in (folder.parent.name, folder.parent.parent.name):
            stated = _json(folder / "package.json").get("version")
            if isinstance(stated, str):
                return stated
    return None


def _json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file, an empty one when there is none that can be read."""
    try:
        value = json.loads(_text(path))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(path: Path) -> str:
    """Return the beginning of a text file, nothing when it cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(_LARGEST).decode("utf-8", "replace")
    except OSError:
        return ""


def _python_version(resolved: Path) -> str | None:
    """Return the version of the distribution that put a script into its environment."""
    if resolved.parent.name not in ("bin", "Scripts"):
        return None
    name = resolved.stem if resolved.suffix == ".exe" else resolved.name
    found = sorted(_distributions(resolved.parent.parent), key=lambda d: not _same(d, name))
    return next((_version_of(dist) for dist in found if _brings(dist, name)), None)


def _distributions(prefix: Path) -> Iterator[Path]:
    """Yield the `dist-info` folders of an environment, wherever its Python keeps them."""
    for pattern in (
        "lib/python3*/site-packages/*.dist-info",
        "lib/python3*/dist-packages/*.dist-info",
        "Lib/site-packages/*.dist-info",
    ):
        yield from prefix.glob(pattern)


def _same(dist: Path, name: str) -> bool:
    """Tell whether a distribution is called like the program, which is nearly always the one."""
    match = _DIST.match(dist.name)
    return match is not None and _plain(match["name"]) == _plain(name)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _brings(dist: Path, name: str) -> bool:
    """Tell whether a distribution has a program of this name: by its entry points, or its files."""
    entry = re.compile(rf"^{re.escape(name)}\s*=", re.MULTILINE)
    if entry.search(_text(dist / "entry_points.txt")):
        return True
    file = re.compile(rf"/(?:bin|Scripts)/{re.escape(name)}(?:\.exe)?,", re.MULTILINE)
    return _same(dist, name) and file.search(_text(dist / "RECORD")) is not None


def _version_of(dist: Path) -> str | None:
    match = _DIST.match(dist.name)
    return match["version"] if match else None
