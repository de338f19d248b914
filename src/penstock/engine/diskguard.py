"""Is there room for one more worktree: on the disks that it will fill, and by the number of ours?"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from penstock.model.settings import Limits


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """Whether there is room. `message` and `command` (what mends it) are empty when there is.

    `free_mb` is the least of the disks, `path` the place on that disk; both None when no place was
    asked about. `worktrees` counts ours, `idle` those of them that wait to be used again.
    """

    ok: bool
    worktrees: int
    idle: int
    free_mb: int | None = None
    path: str | None = None
    message: str = ""
    command: str = ""


def free_megabytes(place: Path) -> int:
    """Return the free space of the file system that a place is on, or will be on, in MB.

    Raises OSError when not even its root can be asked.
    """
    while not place.exists() and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free >> 20


def worktree_room(
    places: Iterable[Path],
    trees: Iterable[Mapping[str, Any]],
    limits: Limits,
    *,
    free_mb: Callable[[Path], int] = free_megabytes,
) -> Room:
    """Tell whether another workstream may get a worktree.

    `places` are what will grow: the folders of the worktrees, of the state, and for temporary files.
    `trees` are the worktrees of `Repository.overview()`; one that is idle is used again and adds
    none. A place that cannot be asked counts as full.
    """
    states = [str(tree.get("state")) for tree in trees]
    counted = Room(ok=True, worktrees=len(states), idle=states.count("idle"))
    tight = min(((_free(place, free_mb), str(place)) for place in places), default=None)
    if tight is not None:
        counted = msgspec.structs.replace(counted, free_mb=tight[0], path=tight[1])
    if tight is not None and tight[0] < limits.min_free_mb:
        message = f"{tight[0]} MB are free at {tight[1]}, {limits.min_free_mb} MB are needed"
        return _full(counted, message, "limits.min_free_mb")
    most = limits.max_worktrees
    if most is not None and counted.worktrees >= most and not counted.idle:
        message = f"there are {counted.worktrees} worktrees, and {most} may be"
        return _full(counted, message, "limits.max_worktrees")
    return counted


def _full(counted: Room, message: str, key: str) -> Room:
    words = f"{message} ({key})"
    return msgspec.structs.replace(
        counted, ok=False, message=words, command="penstock clean --pool"
    )


def _free(place: Path, free_mb: Callable[[Path], int]) -> int:
    try:
        return free_mb(place)
    except OSError:
        return 0
