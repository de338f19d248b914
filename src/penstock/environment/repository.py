"""Which repository we stand in, read from files: no git process, so that it costs nothing."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Place(NamedTuple):
    """A checkout: its top folder, its git directory, and the one shared by all its worktrees."""

    root: Path
    git_dir: Path
    common_dir: Path


def find_place(start: Path) -> Place | None:
    """Return the checkout that `start` lies in, None when it is in none.

    In one of our own worktrees (`.worktrees/` of a checkout) that checkout is meant, because
    the journal is there.
    """
    here = start.resolve()
    for folder in (here, *here.parents):
        git_dir = _git_dir(folder / ".git")
        if git_dir is not None:
            place = Place(folder, git_dir, _common_dir(git_dir))
            return _owner(place) or place
    return None


def find_checkout(start: Path) -> Path | None:
    """Return the top of the checkout that `start` lies in, one of our own worktrees included; None
    outside of any."""
    here = start.resolve()
    folders = (here, *here.parents)
    return next((folder for folder in folders if _git_dir(folder / ".git") is not None), None)


def _git_dir(dot_git: Path) -> Path | None:
    """Return what a `.git` folder or file stands for."""
    try:
        if dot_git.is_dir():
            return dot_git if (dot_git / "HEAD").exists() else None
        text = dot_git.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:  # none here, or not ours to read: look further up
        return None
    word, _, path = text.partition(":")
    if word != "gitdir" or "\0" in path:
        return None
    return (dot_git.parent / path.strip()).resolve()


def _common_dir(git_dir: Path) -> Path:
    """Return the git directory that a linked worktree shares."""
    try:
        text = (git_dir / "commondir").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:  # only linked worktrees have that file
        return git_dir
    return (git_dir / text.strip()).resolve()


def _owner(place: Place) -> Place | None:
    """Return the main checkout when `place` is one of our worktrees in it."""
    main = place.common_dir.parent
    if place.common_dir == place.git_dir or place.common_dir.name != ".git":
        return None
    if (main / ".worktrees") not in place.root.parents:
        return None
    return Place(main, place.common_dir, place.common_dir)
