"""Is there room for one more worktree: on the disks that it will fill, and by the number of ours?"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from penstock.model.settings import Limits

TAKEN = "taken"


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
    run_id: str = "",
    ws_id: str = "",
    busy: Collection[str] = (),
    free_mb: Callable[[Path], int] = free_megabytes,
) -> Room:
    """Tell whether a workstream of a run may go to work, with a worktree of its own.

    Those that are `busy` and have none yet are about to take one; who has one needs no other.

    `places` are what will grow: the folders of the worktrees, of the state, and for temporary files.
    `trees` are the worktrees of `Repository.overview()`; one that is idle is used again and adds
    none. A place that cannot be asked counts as full.
    """
    known = list(trees)
    states = [str(tree.get("state")) for tree in known]
    counted = Room(ok=True, worktrees=len(states), idle=states.count("idle"))
    tight = min(((_free(place, free_mb), str(place)) for place in places), default=None)
    if tight is not None:
        counted = msgspec.structs.replace(counted, free_mb=tight[0], path=tight[1])
    if tight is not None and tight[0] < limits.min_free_mb:
        message = f"{tight[0]} MB are free at {tight[1]}, {limits.min_free_mb} MB are needed"
        return _full(counted, message, "limits.min_free_mb")
    most = limits.max_worktrees
    if most is None:
        return counted
    owners = {
        t.get("ws_id") for t in known if t.get("run_id") == run_id and t.get("state") == TAKEN
    }
    wanted = len({*busy, ws_id} - owners)
    in_use = counted.worktrees - counted.idle
    if ws_id not in owners and in_use + wanted > max(most, counted.worktrees):
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
