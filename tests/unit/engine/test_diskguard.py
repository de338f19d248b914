"""Whether there is room for one more worktree."""

from __future__ import annotations

from collections.abc import Collection
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


# -- worktrees that are about to be taken ------------------------------------------------------
def held_by(ws_id: str, run_id: str = "run-1") -> dict[str, str]:
    """A worktree at work for a workstream."""
    return {"state": "taken", "ws_id": ws_id, "run_id": run_id}


def may_start(ws_id: str, *trees: dict[str, str], busy: Collection[str], most: int) -> bool:
    """Tell whether a workstream of run-1 may go to work."""
    limits = Limits(max_worktrees=most)
    return worktree_room((), trees, limits, run_id="run-1", ws_id=ws_id, busy=busy).ok


@pytest.mark.parametrize(
    ("busy", "fits"), [((), True), (("ws-b",), True), (("ws-b", "ws-c"), False)]
)
def test_those_that_are_about_to_take_one_count(busy: Collection[str], fits: bool) -> None:
    """Who is at work without a worktree will have one in a moment."""
    assert may_start("ws-a", busy=busy, most=2) is fits


def test_who_is_busy_with_a_worktree_counts_once() -> None:
    """Its worktree is there already."""
    assert may_start("ws-a", held_by("ws-b"), busy=("ws-b",), most=2)
    assert not may_start("ws-a", held_by("ws-b"), held_by("ws-c"), busy=("ws-b",), most=2)


def test_who_has_one_needs_no_other() -> None:
    """It goes on at the limit and beyond it; its namesake of another run does not."""
    assert may_start("ws-a", held_by("ws-a"), busy=("ws-b", "ws-c"), most=1)
    assert not may_start("ws-a", held_by("ws-a", "run-2"), busy=(), most=1)


def test_idle_ones_are_taken_in_turn() -> None:
    """Each serves one of those that are about to begin."""
    assert may_start("ws-a", IDLE, IDLE, busy=("ws-b",), most=2)
    assert not may_start("ws-a", IDLE, IDLE, busy=("ws-b", "ws-c"), most=2)
