"""Private folders outside the tree, for what a check would leave lying about."""

from __future__ import annotations

import os
import stat
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penstock.folders import remove_tree


class ScratchFolders:
    """Lends one folder to each check. Thread-safe.

    Removing a folder costs milliseconds on a disk with a journal, so one that comes back empty is
    lent again; the last ones are removed with this object, at the end of the process at the latest.
    """

    def __init__(self) -> None:
        self._idle: list[Path] = []
        self._lock = threading.Lock()
        weakref.finalize(self, _remove_all, self._idle)

    @contextmanager
    def lend(self) -> Iterator[Path]:
        """Lend an empty folder, readable by us alone. Raises OSError when none can be made."""
        with self._lock:
            folder = self._idle.pop() if self._idle else None
        if folder is None or not _is_usable(folder):
            folder = Path(tempfile.mkdtemp(prefix="penstock-")).resolve()
        try:
            yield folder
        finally:
            if _is_usable(folder):
                with self._lock:
                    self._idle.append(folder)
            else:
                remove_tree(folder)


def _is_usable(folder: Path) -> bool:
    """Tell whether a folder is still there, ours, and empty."""
    try:
        status = folder.lstat()
        private = stat.S_ISDIR(status.st_mode) and stat.S_IMODE(status.st_mode) == stat.S_IRWXU
        return private and not os.listdir(folder)  # noqa: PTH208 - no generator for one look
    except OSError:
        return False


def _remove_all(folders: list[Path]) -> None:
    for folder in folders:
        remove_tree(folder)
