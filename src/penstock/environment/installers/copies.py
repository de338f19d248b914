"""Copies of what is about to be changed, for when a manager cannot put it back itself.

A copy is made of hard links: it takes no room and hardly any time, and holds because package managers
and Python replace files instead of writing into them. Where links cannot be made (another file
system), there is no copy, and the manager alone must put back what was there.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from penstock.environment.api import Manager
from penstock.folders import remove_tree

_TREE = "tree"
_HOME = "home"


class Copies:
    """The copies of one user, below a folder that is made when the first one is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, manager: Manager, key: str, home: Path) -> None:
        """Copy the folder `home` of a package; one that was kept before stays as it is."""
        place = self._place(manager, key)
        if (place / _HOME).exists():
            return
        real = home.resolve()
        remove_tree(place)
        try:
            place.mkdir(mode=0o700, parents=True)
            _link_tree(real, place / _TREE)
            (place / _HOME).write_text(str(real), "utf-8")  # the last word: the copy is whole
        except OSError:
            remove_tree(place)

    def put_back(self, manager: Manager, key: str) -> bool:
        """Put a copy where it was taken from; False when there is none, or it cannot be done."""
        place = self._place(manager, key)
        try:
            home = Path((place / _HOME).read_text("utf-8"))
            _swap(home, place / _TREE, place / "replaced")
        except OSError:
            return False
        remove_tree(place)
        return True

    def drop(self) -> None:
        """Forget all copies."""
        remove_tree(self._folder)

    def _place(self, manager: Manager, key: str) -> Path:
        return self._folder / manager.value / quote(key, safe="")


def _swap(home: Path, tree: Path, aside: Path) -> None:
    """Put a tree into a folder's place, which is moved aside; on a failure it is moved back."""
    home.parent.mkdir(parents=True, exist_ok=True)
    if home.exists():
        home.replace(aside)
    try:
        tree.replace(home)
    except OSError:
        with suppress(OSError):
            aside.replace(home)
        raise


def _link_tree(source: Path, target: Path) -> None:
    """Make a tree of hard links; symbolic links are made anew, anything else is left out."""
    target.mkdir(mode=0o700)
    with os.scandir(source) as entries:
        for entry in entries:
            there = target / entry.name
            if entry.is_symlink():
                there.symlink_to(Path(entry.path).readlink())
            elif entry.is_dir():
                _link_tree(Path(entry.path), there)
            elif entry.is_file():
                there.hardlink_to(entry.path)
    target.chmod(source.stat().st_mode & 0o7777)
