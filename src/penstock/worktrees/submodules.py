"""Submodules: filled from the user's own checkout, without a network, and looked at for edits.

A submodule of a linked worktree has a git folder of its own below the worktree's admin folder, so
nothing is shared with the user's. Those that the user has not filled stay empty folders, as git
leaves them, and a remark says so. Submodules of submodules stay empty too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from penstock.errors import GitError
from penstock.worktrees.config import list_settings, overlay, sensitive
from penstock.worktrees.git import Git, split_z
from penstock.worktrees.names import is_inside
from penstock.worktrees.refs import read_text
from penstock.worktrees.site import Site
from penstock.worktrees.slots import Slot


@dataclass(frozen=True, slots=True)
class Submodule:
    """One entry of `.gitmodules`."""

    name: str
    path: str


def listed(git: Git, tree: Path) -> tuple[Submodule, ...]:
    """Return the submodules that a tree's `.gitmodules` names; none when it cannot be read."""
    if not (tree / ".gitmodules").is_file():
        return ()
    args = ("config", "--file", ".gitmodules", "-z", "--get-regexp", r"^submodule\..*\.path$")
    done = git.call(*args, reading=True)
    pairs = (line.partition("\n") for line in split_z(done.stdout))
    found = (Submodule(key[len("submodule.") : -len(".path")], path) for key, _, path in pairs)
    return tuple(sub for sub in found if sub.path and is_inside(tree / sub.path, tree))


def lay(site: Site, slot: Slot) -> tuple[str, ...]:
    """Fill the submodules of a fresh tree; return remarks on those that stay empty."""
    if not site.submodules:
        return ()
    git = site.git_for(slot)
    said = (_fill(site, git, sub) for sub in listed(git, slot.path))
    return tuple(remark for remark in said if remark)


def _fill(site: Site, git: Git, sub: Submodule) -> str | None:
    source = site.common / "modules" / sub.name
    if not (source / "HEAD").exists():
        return f"the submodule {sub.path} is empty, as in your own checkout"
    local = {
        f"submodule.{sub.name}.url": str(source),
        f"submodule.{sub.name}.active": "true",
        "protocol.file.allow": "always",  # a repository that the user has cloned already
    }
    args = ("submodule", "--quiet", "update", "--force", "--", sub.path)
    done = git.with_settings(local).call(*args)
    if done.returncode == 0:
        return None
    words = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
    return f"the submodule {sub.path} could not be filled from your own: {''.join(words)}"


def guarded(site: Site, slot: Slot, git: Git, nested: Iterable[str] = ()) -> Git:
    """Return the same git with the filters that submodules or `nested` repositories set up off.

    `git add` looks into those that it knows with a git of its own, which reads their settings;
    ours are handed on to it.
    """
    paths = [sub.path for sub in listed(git, slot.path)] if site.submodules else []
    for path in dict.fromkeys((*paths, *nested)):
        inner = _inside(site, slot, path)
        if inner is not None:
            git = git.with_settings(inner.settings)
    return git


def edited(site: Site, slot: Slot) -> tuple[str, ...]:
    """Return the submodules that hold changes which no commit of theirs has."""
    if not site.submodules:
        return ()
    git = site.git_for(slot)
    args = ("status", "--porcelain", "-z", "--untracked-files=normal", "--ignore-submodules=all")
    found = []
    for sub in listed(git, slot.path):
        inner = _inside(site, slot, sub.path)
        if inner is not None and inner.run(*args, reading=True):
            found.append(sub.path)
    return tuple(found)


def restore(site: Site, slot: Slot, only: Collection[str] | None = None) -> None:
    """Bring submodules (those at the paths `only`) back to what the tree's index records."""
    if not site.submodules:
        return
    git = site.git_for(slot)
    for sub in listed(git, slot.path):
        if only is not None and sub.path not in only:
            continue
        inner = _inside(site, slot, sub.path)
        if inner is not None:
            inner.run("reset", "--hard", "--quiet")
            inner.run("clean", "-ffdq")
        _fill(site, git, sub)


def _inside(site: Site, slot: Slot, path: str) -> Git | None:
    """Return git for a repository in the tree, with filters that a tool set up in it off."""
    place = slot.path / path
    text = read_text(place / ".git") or "gitdir: .git"
    git_dir = (place / text.removeprefix("gitdir: ")).resolve()
    homes = (slot.admin.resolve(), place.resolve())
    if not (git_dir / "HEAD").exists() or not any(git_dir.is_relative_to(h) for h in homes):
        return None
    git = site.git.own(git_dir, place)
    try:
        found = sensitive(list_settings(git).values)
    except GitError:
        return None
    return git.with_settings(overlay(site.config.trusted, found))
