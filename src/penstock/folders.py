"""Folders that only we may enter, and getting rid of whole ones."""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path


def remove_tree(folder: Path) -> None:
    """Remove a folder, write-protected parts of it too; what cannot be removed stays."""
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        if folder.is_symlink():
            folder.unlink()
        elif folder.exists():
            _open_up(folder)
            shutil.rmtree(folder, ignore_errors=True)


def _open_up(folder: Path) -> None:
    """Give ourselves back the right to list and change every folder below."""
    folder.chmod(stat.S_IRWXU)
    for place, names, _ in os.walk(folder):  # each is opened before the walk goes into it
        for name in names:
            inner = Path(place, name)
            if not inner.is_symlink():
                inner.chmod(stat.S_IRWXU)
