"""After a death of any kind: what a killed process left behind is cleared, and only that.

Touched are admin folders of our own slots, lock files in them and beside our own refs, and trees
below our own folder. Lock files that all of git shares are never ours to remove, because penstock
writes neither the user's index nor HEAD, config or packed-refs: they are named and left alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from penstock.process import proc
from penstock.process.api import MARKER_VARIABLE
from penstock.process.identity import ProcessIdentity, is_alive
from penstock.process.sweep import sweep_markers
from penstock.worktrees.lock import repository_lock
from penstock.worktrees.names import OWN_BRANCHES, SLOT_PREFIX
from penstock.worktrees.pool import forget, make_home
from penstock.worktrees.refs import read_text
from penstock.worktrees.site import Site
from penstock.worktrees.slots import (
    LeaseState,
    Slot,
    admin_of,
    own_admins,
    remove,
    remove_stale,
    tree_of,
)

_SHARED = ("config.lock", "packed-refs.lock", "HEAD.lock", "index.lock")
_HALF_MADE = "initializing"
_FRESH_S = 2.0
_GIT_LIVES_S = 0.0


def recover(site: Site) -> tuple[str, ...]:
    """Clear what killed processes left behind in this repository, and say what was done.

    Slots and git children of processes that still live are left alone. To be called before any
    worktree is reopened; safe to call at any time, by several at once.
    """
    make_home(site)
    said: list[str] = []
    with repository_lock(site.common):
        said += end_orphans(site)
        for admin in list(own_admins(site.common)):
            said += _mend(site, admin)
        said += _lost_trees(site)
        said += [f"removed {lock}" for lock in _ref_locks(site) if remove_stale(lock, _FRESH_S)]
        trash = list(site.trash.iterdir()) if site.trash.is_dir() else []
    for gone in trash:
        remove(gone)
    said += [
        f"left alone: {site.git_dir / name} (of another git)"
        for name in _SHARED
        if (site.git_dir / name).exists()
    ]
    return tuple(said)


def marker_of(common: Path, pid: int, start: int) -> str:
    """Return the marker in the environment of the git children of one process."""
    return f"git:{common}:{pid}:{start}"


def end_orphans(site: Site) -> list[str]:
    """End git children of a penstock that is dead: they may hold locks, or take some yet."""
    owners = _marked(site) if proc.available() else _leasing(site)
    dead = {marker for marker, owner in owners.items() if not is_alive(owner)}
    ended = sweep_markers(dead) if dead else 0
    return [f"ended {ended} git processes of a penstock that died"] if ended else []


def _marked(site: Site) -> dict[str, ProcessIdentity]:
    """Return the owners of all git children that work in this repository, by their markers."""
    prefix = os.fsencode(f"git:{site.common}:")
    found: dict[str, ProcessIdentity] = {}
    for entry in proc.entries():
        for value in proc.environ_values(entry.pid, MARKER_VARIABLE.encode()):
            pid, _, start = value[len(prefix) :].partition(b":")
            if value.startswith(prefix) and pid.isdigit() and start.isdigit():
                owner = msgspec.structs.replace(site.owner, pid=int(pid), start=int(start))
                found[os.fsdecode(value)] = owner
    return found


def _leasing(site: Site) -> dict[str, ProcessIdentity]:
    """Return the holders of slots, by the markers of their git children."""
    leases = (Slot(admin, site.trash).lease() for admin in own_admins(site.common))
    owners = (held.owner for held in leases if held is not None)
    return {marker_of(site.common, owner.pid, owner.start): owner for owner in owners}


def _mend(site: Site, admin: Path) -> list[str]:
    tree = tree_of(admin)
    if tree is not None and not tree.is_relative_to(site.home):
        return []  # a slot of another checkout of this repository
    slot = Slot(admin, _where(site, admin) or tree or site.trash)
    held = slot.lease()
    if held is not None and is_alive(held.owner):
        return []
    if _is_half_made(slot):
        return _forget(site, slot, "half-made")
    if not (slot.path / ".git").exists():
        return _forget(site, slot, "deleted by hand")
    in_pool = slot.path.parent == site.pool
    if not in_pool and held is not None and held.state in (LeaseState.TAKING, LeaseState.RETURNING):
        return _forget(site, slot, "half-way in or out of the pool")
    said = [f"removed {lock}" for lock in slot.clear_locks(patience_s=_GIT_LIVES_S)]
    said += [f"mended {name} of {slot.path}" for name in slot.point_here()]
    if in_pool:
        slot.drop_lease()
    return said


def _is_half_made(slot: Slot) -> bool:
    locked = read_text(slot.admin / "locked")
    if locked == _HALF_MADE or not slot.head_text():
        return True
    return not (slot.admin / "index").exists() and slot.lease() is None


def _forget(site: Site, slot: Slot, why: str) -> list[str]:
    forget(site, slot)
    return [f"removed the worktree {slot.path} ({why})"]


def _where(site: Site, admin: Path) -> Path | None:
    """Return the folder of ours whose `.git` file names this admin folder."""
    return next((tree for tree in _trees(site) if admin_of(tree, site.common) == admin), None)


def _trees(site: Site) -> Iterator[Path]:
    for folder in (site.home, site.pool):
        with suppress(FileNotFoundError):
            yield from sorted(p for p in folder.iterdir() if p.is_dir() and not p.is_symlink())


def _lost_trees(site: Site) -> list[str]:
    """Remove trees in the pool that no admin folder belongs to: idle, so without any work."""
    said = []
    for tree in list(_trees(site)):
        is_ours = tree.parent == site.pool and tree.name.startswith(SLOT_PREFIX)
        if is_ours and admin_of(tree, site.common) is None:
            remove(tree)
            said.append(f"removed {tree} (without a git folder)")
    return said


def _ref_locks(site: Site) -> list[Path]:
    heads = site.common / "refs" / "heads"
    return [lock for prefix in OWN_BRANCHES for lock in sorted((heads / prefix).rglob("*.lock"))]
