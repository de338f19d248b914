"""Whether there is room for one more worktree."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.engine.diskguard import Room, free_megabytes, worktree_room
from penstock.model.settings import Limits

TREES, STATE = Path("/trees"), Path("/state")
TAKEN, IDLE = {"state": "taken"}, {"state": "idle"}


def room(*trees: dict[str, str], most: int | None = None, **free: int) -> Room:
    """Judge two places with this much free space (MB; 500 unless told), 200 being needed."""
    return worktree_room(
        (TREES, STATE),
        trees,
        Limits(max_worktrees=most),
        free_mb=lambda place: free.get(place.name, 500),
    )


def test_there_is_room() -> None:
    """With space and without a limit there is nothing to say, but what was counted."""
    assert room(TAKEN, IDLE, trees=400) == Room(
        ok=True, worktrees=2, idle=1, free_mb=400, path="/trees"
    )


def test_the_tightest_disk_counts() -> None:
    """A single full disk is enough; the message names it and what is needed."""
    found = room(state=199)
    assert not found.ok
    assert found.message == "199 MB are free at /state, 200 MB are needed (limits.min_free_mb)"
    assert found.command == "penstock clean --pool"


def test_just_enough_is_enough() -> None:
    """The limit itself still lets a workstream start."""
    assert room(state=200).ok


def test_too_many_worktrees() -> None:
    """At the limit no worktree is added."""
    found = room(TAKEN, TAKEN, most=2)
    assert found.message == "there are 2 worktrees, and 2 may be (limits.max_worktrees)"
    assert not found.ok


@pytest.mark.parametrize("trees", [(TAKEN,), (TAKEN, IDLE)])
def test_an_idle_worktree_is_used_again(trees: tuple[dict[str, str], ...]) -> None:
    """Below the limit there is room, and at it when an idle worktree can be taken."""
    assert room(*trees, most=2).ok


def test_no_places_are_no_problem() -> None:
    """With nothing to ask about only the number counts."""
    found = worktree_room((), (), Limits())
    assert (found.ok, found.free_mb, found.path) == (True, None, None)


def test_a_place_that_cannot_be_asked_counts_as_full() -> None:
    """A vanished mount must not pass for an empty disk."""

    def fail(place: Path) -> int:
        raise OSError(5, "Input/output error", str(place))

    assert worktree_room((TREES,), (), Limits(), free_mb=fail).free_mb == 0


def test_a_folder_to_be_is_asked_by_its_parent(tmp_path: Path) -> None:
    """The free space of a folder that is not there yet is that of the disk it will be on."""
    there, to_be = free_megabytes(tmp_path), free_megabytes(tmp_path / "a" / "b")
    assert there > 0
    assert abs(there - to_be) < 1000
