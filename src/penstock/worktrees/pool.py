"""The pool: worktrees that are kept ready, because laying a tree anew is the slow part.

A slot is made once by `git worktree add --lock` (an unlocked one could be pruned by the user's git
while it is being moved). It is leased by renaming its folder and telling git's admin folder, and
then `checkout -f -B` changes only what differs from its last tree. It is cleaned when it is given
back. The repository's lock is held around the choice and the moves, not around the checkout.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from penstock.errors import GitError, RepositoryError
from penstock.process.identity import is_alive
from penstock.worktrees import placing, submodules
from penstock.worktrees.lock import repository_lock
from penstock.worktrees.names import free_place, own_ref
from penstock.worktrees.refs import collision
from penstock.worktrees.site import Site
from penstock.worktrees.slots import (
    Belongings,
    Lease,
    LeaseState,
    Slot,
    admin_of,
    new_name,
    own_admins,
    remove,
    tree_of,
)
from penstock.worktrees.worktree import GitWorktree

MANY_FILES = 3_000
TOO_FAR = 0.5
"""The part of the files of a large tree that may differ before a slot is not worth its use."""


def lease(site: Site, ws_id: str, run_id: str, branch: str, start: str, base: str) -> GitWorktree:
    """Lay a clean worktree with `branch` at `start`; see Repository.lease."""
    own_ref(branch)
    wanted = Lease(
        ws_id=ws_id, run_id=run_id, branch=branch, state=LeaseState.TAKING, owner=site.owner
    )
    make_home(site)
    with repository_lock(site.common):
        _give_up_earlier(site, branch)
        site.require_not_checked_out(branch)
        slot, is_fresh = _take(site, wanted, start)
    with ExitStack() as undo:
        undo.callback(discard, site, slot)
        _check_out(site, slot, branch, start)
        tree = GitWorktree(site, slot, branch=branch, base=base, head=start)
        tree.notes = submodules.lay(site, slot)
        tree.belongings = _furnish(site, slot, is_fresh)
        undo.pop_all()
    tree.remember_index()
    slot.write_lease(_in_state(wanted, LeaseState.TAKEN))
    return tree


def make_home(site: Site) -> None:
    """Make the folder of our worktrees, hidden from the user's own `git status` by itself."""
    site.pool.mkdir(mode=0o700, parents=True, exist_ok=True)
    ignore = site.home / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="ascii")


def _furnish(site: Site, slot: Slot, is_fresh: bool) -> Belongings:
    placed = placing.place(site, slot)
    made = placing.set_up(site, slot, placed) if is_fresh else slot.belongings().made
    belongings = Belongings(placed=placed, made=made)
    slot.write_belongings(belongings)
    return belongings


def _in_state(lease: Lease, state: LeaseState) -> Lease:
    return Lease(
        ws_id=lease.ws_id,
        run_id=lease.run_id,
        branch=lease.branch,
        state=state,
        owner=lease.owner,
    )


def _give_up_earlier(site: Site, branch: str) -> None:
    """Free a branch from a slot whose holder died, or from one that was deleted by hand."""
    for admin in own_admins(site.common):
        slot = Slot(admin, tree_of(admin) or site.trash)
        held = slot.lease()
        if slot.head_text() != f"ref: {own_ref(branch)}":
            continue
        if not (slot.path / ".git").exists():
            forget(site, slot)
        elif held is not None and held.owner != site.owner and not is_alive(held.owner):
            slot.detach(site.refs.read(own_ref(branch)) or "")
            slot.write_lease(_in_state(held, LeaseState.KEPT))


def _take(site: Site, wanted: Lease, start: str) -> tuple[Slot, bool]:
    place = free_place(site.home, wanted.ws_id, wanted.run_id)
    idle = () if site.submodules else idle_slots(site)
    near = _nearest(site, idle, start) if idle else None
    slot = near or _make(site, start)
    slot.write_lease(wanted)
    return move(slot, place), near is None


def idle_slots(site: Site) -> tuple[Slot, ...]:
    """Return the slots in the pool; to be called with the lock held."""
    found = []
    for path in sorted(site.pool.iterdir()):
        admin = admin_of(path, site.common)
        if admin is not None and (admin / "index").exists():
            found.append(Slot(admin, path))
    return tuple(found)


def _nearest(site: Site, idle: tuple[Slot, ...], start: str) -> Slot | None:
    """Return the slot whose tree differs from `start` in the fewest files.

    None when even that one differs in most of its many files: replacing a file costs more than
    writing it, so a tree made anew is faster. With few files that is not worth the question.
    """
    same = [slot for slot in idle if slot.head_text() == start]
    if same:
        return same[0]
    heads = {slot.head_text() for slot in idle}
    if len(heads) == 1 and _file_count(idle[0]) < MANY_FILES:
        return idle[0]
    distance = {head: _distance(site, head, start) for head in heads}
    best = min(idle, key=lambda slot: distance[slot.head_text()])
    files = _file_count(best)
    is_far = files >= MANY_FILES and distance[best.head_text()] > files * TOO_FAR
    return None if is_far else best


def _file_count(slot: Slot) -> int:
    """Return the number of files in a slot's tree, as the header of its index says."""
    with (slot.admin / "index").open("rb") as file:
        return int.from_bytes(file.read(12)[8:], "big")


def _distance(site: Site, head: str, start: str) -> int:
    args = ("diff-tree", "-r", "--name-only", "--no-renames", "-z", head, start, "--")
    done = site.git.call(*args, reading=True)
    return done.stdout.count(b"\0") if done.returncode == 0 else 1 << 62


def _make(site: Site, start: str) -> Slot:
    name = new_name()
    path = site.pool / name
    args = ("worktree", "add", "--quiet", "--lock", "--detach", "--no-checkout")
    site.git.run(*args, str(path), start)
    admin = admin_of(path, site.common)
    if admin is None:
        raise GitError(f"git made the worktree {path}, but in a place of its own")
    return Slot(admin, path)


def move(slot: Slot, place: Path) -> Slot:
    """Move the tree of a slot and tell git; to be called with the lock held."""
    moved = Slot(slot.admin, place)
    try:
        slot.path.rename(place)
    except OSError as error:
        raise RepositoryError(f"cannot move {slot.path} to {place}: {error.strerror}") from error
    moved.point_here()
    return moved


def _check_out(site: Site, slot: Slot, branch: str, start: str) -> None:
    args = ("checkout", "--quiet", "--force", "--no-guess", "-B", branch, start)
    git = site.git_for(slot).with_settings(site.config.overlay(site.config.snapshot(slot.admin)))
    done = git.call(*args)
    if done.returncode == 0:
        return
    text = done.stderr.decode("utf-8", "replace")
    if "exists; cannot create" in text or "cannot lock ref" in text:
        raise collision(own_ref(branch), text)
    git.run(*args)


def release(site: Site, tree: GitWorktree) -> bool:
    """Give a worktree back to the pool, or remove it when the pool is full.

    So is one that an earlier process laid, as not all that happened to it is known. Returns False,
    and leaves it as it is, when it holds anything that its recorded commit does not.
    """
    slot = tree.slot
    if not slot.path.is_dir() or not tree.is_recorded():
        return False
    held = slot.lease()
    if held is not None:
        slot.write_lease(_in_state(held, LeaseState.RETURNING))
    if site.submodules or site.settings.pool == 0 or tree.is_reopened:
        discard(site, slot)
        return True
    slot.write_belongings(tree.belongings)
    if tree.left_ignored:
        tree.clean()
    remove_empty_folders(slot.path, tree.belongings.paths)
    slot.tidy()
    slot.detach(tree.head)
    _return(site, slot)
    return True


def _return(site: Site, slot: Slot) -> None:
    with repository_lock(site.common):
        is_full = len(idle_slots(site)) >= site.settings.pool
        if not is_full:
            move(slot, site.pool / slot.name)
            slot.drop_lease()
    if is_full:
        discard(site, slot)


def remove_empty_folders(tree: Path, kept: Sequence[str]) -> None:
    """Remove folders without any file, which git does not see; those below `kept` paths stay."""
    stay = tuple(f"{tree}/{path}/" for path in kept)
    for folder, _, files in os.walk(tree, topdown=False):
        if not files and folder != str(tree) and not f"{folder}/".startswith(stay):
            with suppress(OSError):  # not empty: it holds folders with files, or symlinks
                os.rmdir(folder)  # noqa: PTH106 - os.walk gives strings


def discard(site: Site, slot: Slot) -> None:
    """Remove a slot altogether; its branch stays."""
    with repository_lock(site.common):
        gone = forget(site, slot)
    if gone is not None:
        remove(gone)


def discard_idle(site: Site, path: Path) -> bool:
    """Remove a slot that is in the pool; False when it is not (any more)."""
    with repository_lock(site.common):
        slot = next((slot for slot in idle_slots(site) if slot.path == path), None)
        gone = None if slot is None or slot.lease() is not None else forget(site, slot)
    if gone is not None:
        remove(gone)
    return gone is not None


def forget(site: Site, slot: Slot) -> Path | None:
    """Take a slot from git and its tree out of the way; return where the tree is now.

    To be called with the lock held; removing the tree can wait until it is free again.
    """
    gone = site.trash / slot.name
    if (slot.path / ".git").exists() and slot.path.is_relative_to(site.home):
        site.trash.mkdir(mode=0o700, exist_ok=True)
        remove(gone)
        slot.path.rename(gone)
    remove(slot.admin)
    with suppress(OSError):
        slot.admin.parent.rmdir()
    return gone if gone.exists() else None
