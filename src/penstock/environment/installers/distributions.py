"""The Python distributions of an environment, read from their metadata: nothing is started."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from penstock.environment.api import Manager, Package
from penstock.environment.versions.names import normalised

_FOLDER = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)(?:-py[\d.]+)?\.(?:dist|egg)-info")


def site_folders(prefix: Path) -> tuple[Path, ...]:
    """Return the folders that the packages of a virtual environment lie in, as far as there are any."""
    patterns = ("lib/python3*/site-packages", "Lib/site-packages")
    return tuple(path for pattern in patterns for path in sorted(prefix.glob(pattern)))


def distributions(folders: Iterable[Path], manager: Manager) -> dict[str, Package]:
    """Return the distributions in folders by normalised name; the first folder that has one counts.

    A folder that cannot be read has none. `requested` is what PEP 376 says: the file REQUESTED is
    written by pip and uv for what was asked for by name.
    """
    found: dict[str, Package] = {}
    for folder in folders:
        for package in _in_folder(folder, manager):
            found.setdefault(normalised(manager, package.name), package)
    return found


def _in_folder(folder: Path, manager: Manager) -> Iterator[Package]:
    try:
        names = sorted(entry.name for entry in os.scandir(folder))
    except OSError:
        return
    for name in names:
        match = _FOLDER.fullmatch(name)
        if match is not None:
            place = folder / name
            yield Package(
                name=match["name"],
                version=match["version"],
                manager=manager,
                place=str(place),
                requested=(place / "REQUESTED").exists(),
            )


def environment_of(dist_info: Path) -> Path:
    """Return the environment that a distribution lies in: above `lib/python3.X/site-packages`, or
    `Lib/site-packages` on Windows."""
    levels = 2 if dist_info.parent.parent.name == "Lib" else 3
    return dist_info.parents[levels]


def programs(package: Package) -> tuple[str, ...]:
    """Return the names of the programs that a distribution brings by its entry points."""
    try:
        text = Path(package.place, "entry_points.txt").read_text("utf-8", "replace")
    except OSError:
        return ()
    _, _, rest = text.partition("[console_scripts]")
    section = rest.partition("\n[")[0]
    return tuple(line.partition("=")[0].strip() for line in section.splitlines() if "=" in line)
