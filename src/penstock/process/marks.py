"""What gives away a process that a child of ours left behind, and how long to look for such."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 5.0
"""How long a sweep waits for what it killed: a process inside a hung file system call stays."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The marker in the environment, the session, an output pipe, the working directory.

    `since` (clock ticks since boot) spares all that was started before: it cannot descend from
    the child.
    """

    markers: frozenset[bytes] = frozenset()
    session: int | None = None
    pipes: frozenset[int] = frozenset()
    folders: tuple[str, ...] = ()
    since: int = 0

    def covers(self, cwd: str) -> bool:
        """Tell whether a working directory is one of the folders or inside one."""
        return any(cwd == folder or cwd.startswith(folder + os.sep) for folder in self.folders)


def resolved(paths: Iterable[Path]) -> tuple[str, ...]:
    """Return the folders as the kernel names them, symlinks followed."""
    return tuple(os.path.realpath(path) for path in paths)


def encoded(markers: Iterable[str]) -> frozenset[bytes]:
    """Return the markers as they stand in an environment."""
    return frozenset(os.fsencode(marker) for marker in markers)


def until_two_are_empty(one_pass: Callable[[], bool]) -> None:
    """Repeat a pass until it has found nothing twice in a row, or PATIENCE_S is over.

    Once is not enough: a process may fork while it is being looked for, and one that is just
    being executed shows no environment.
    """
    deadline = time.monotonic() + PATIENCE_S
    empty, pause = 0, 0.0005
    while empty < 2 and time.monotonic() < deadline:
        if one_pass():
            empty, pause = 0, min(0.02, pause * 2)
            time.sleep(pause)
        else:
            empty += 1
