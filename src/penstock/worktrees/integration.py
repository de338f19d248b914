"""Merging into the integration branch without any checkout, and moving branches of ours."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from penstock.errors import GitError, RepositoryError
from penstock.worktrees.api import MergeOutcome
from penstock.worktrees.history import is_ancestor
from penstock.worktrees.lock import repository_lock
from penstock.worktrees.merging import Merged, merge_trees
from penstock.worktrees.merging import tree_of as tree_of
from penstock.worktrees.names import own_ref
from penstock.worktrees.objects import Commit, Identity, write_commit
from penstock.worktrees.refs import is_oid
from penstock.worktrees.site import Site
from penstock.worktrees.slots import remove_stale
from penstock.worktrees.worktree import as_person, message

_STALE_S = 2.0
"""How long (seconds) a lock beside a ref of ours may be old before its git counts as dead."""


def merge(
    site: Site, branch: str, into: str, subject: str, trailers: Mapping[str, str]
) -> MergeOutcome:
    """Merge `branch` into `into`, always with a merge commit; a conflict changes nothing.

    When `into` has not moved since the branch started, the merged tree is the branch's own and no
    merging is needed; otherwise `git merge-tree` does it in memory, which needs git 2.38. Raises
    RepositoryError when a branch is missing or `into` is checked out, GitError when git fails.
    """
    target = own_ref(into)
    with repository_lock(site.common):
        ours, theirs = _at(site, into), _at(site, branch)
        if is_ancestor(site, theirs, ours):
            return MergeOutcome(commit=ours, message=f"{branch} is already in {into}")
        site.require_not_checked_out(into)
        merged = merge_trees(site, ours, theirs)
        if merged.conflicts:
            return _conflict(branch, merged)
        links = Commit(merged.tree, (ours, theirs))
        commit = record(site, links, message(subject, trailers), site.identity)
        site.refs.update(target, commit, ours, f"merge {branch}")
    return MergeOutcome(commit=commit, message=f"merged {branch} into {into}", tree=merged.tree)


def try_merge(
    site: Site, ours: str, theirs: str, subject: str, trailers: Mapping[str, str]
) -> MergeOutcome:
    """Make the merge commit of two commits and move no ref; `ours` when it holds `theirs`."""
    if is_ancestor(site, theirs, ours):
        text = f"{theirs[:12]} is already in {ours[:12]}"
        return MergeOutcome(commit=ours, message=text, tree=tree_of(site, ours))
    merged = merge_trees(site, ours, theirs)
    if merged.conflicts:
        return _conflict(theirs[:12], merged)
    links = Commit(merged.tree, (ours, theirs))
    commit = record(site, links, message(subject, trailers), site.identity)
    text = f"merged {theirs[:12]} onto {ours[:12]}"
    return MergeOutcome(commit=commit, message=text, tree=merged.tree)


def _conflict(what: str, merged: Merged) -> MergeOutcome:
    shown = ", ".join(merged.conflicts[:5])
    more = len(merged.conflicts) - 5
    return MergeOutcome(
        commit=None,
        conflicts=merged.conflicts,
        message=f"{what} conflicts in {shown}" + (f" and {more} more" if more > 0 else ""),
        tree=merged.tree,
        messages=merged.messages,
    )


def commit_tree(
    site: Site, tree: str, parents: Sequence[str], subject: str, trailers: Mapping[str, str]
) -> str:
    """Make a commit of a tree and return its id; raises GitError when an object is missing."""
    wanted = [(tree, "tree"), *((parent, "commit") for parent in parents)]
    asked = "".join(f"{oid}\n" for oid, _ in wanted).encode()
    said = site.git.run("cat-file", "--batch-check", stdin=asked, reading=True).decode().split("\n")
    for (oid, kind), line in zip(wanted, said, strict=False):
        if not is_oid(oid) or not line.startswith(f"{oid} {kind} "):
            raise GitError(f"{oid} is no {kind} of this repository")
    links = Commit(tree, tuple(parents))
    return record(site, links, message(subject, trailers), site.identity)


def advance(site: Site, branch: str, commit: str, expected: str) -> bool:
    """Move a branch of ours from `expected` to `commit`; False when it is elsewhere.

    True as well when it is at `commit` already. Raises RepositoryError for a branch that is not
    ours or is checked out, GitError when git cannot write the ref.
    """
    ref = own_ref(branch)
    with repository_lock(site.common):
        at = site.refs.read(ref)
        if at != expected or at == commit:
            return at == commit
        site.require_not_checked_out(branch)
        with suppress(FileNotFoundError):
            remove_stale(site.common / f"{ref}.lock", _STALE_S)
        try:
            site.refs.update(ref, commit, expected, "advance")
        except GitError:
            if site.refs.read(ref) == expected:
                raise
            return False  # moved by another git, which our lock does not keep out
    return True


def _at(site: Site, branch: str) -> str:
    commit = site.refs.read(own_ref(branch))
    if commit is None:
        raise RepositoryError(
            f"the branch {branch} does not exist",
            hint=f"put it back: git branch {branch} <commit>",
        )
    return commit


def record(site: Site, commit: Commit, text: str, who: Identity) -> str:
    """Write a commit object with this message as it is, and return its id."""
    if site.plain_objects:
        return write_commit(site.common, commit, who, text, time.time())
    parents = [arg for parent in commit.parents for arg in ("-p", parent)]
    args = ("commit-tree", commit.tree, *parents, "-F", "-")
    data = site.git.run(*args, stdin=text.encode("utf-8", "replace"), env=as_person(who))
    return data.decode("ascii").strip()
