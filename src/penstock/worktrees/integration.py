"""Merging into the integration branch without any checkout."""

from __future__ import annotations

import time
from collections.abc import Mapping

from penstock.errors import GitError, RepositoryError
from penstock.worktrees.api import MergeOutcome
from penstock.worktrees.git import MERGE_TREE_MINIMUM, failure, split_z
from penstock.worktrees.history import is_ancestor
from penstock.worktrees.lock import repository_lock
from penstock.worktrees.names import own_ref
from penstock.worktrees.objects import Commit, read_commit, write_commit
from penstock.worktrees.site import Site
from penstock.worktrees.worktree import as_person, message

_CONFLICT = 1


def merge(
    site: Site, branch: str, into: str, subject: str, trailers: Mapping[str, str]
) -> MergeOutcome:
    """Merge `branch` into `into`, always with a merge commit; a conflict changes nothing.

    When `into` has not moved since the branch started, the merged tree is the branch's own and no
    merging is needed; otherwise `git merge-tree` does it in memory, which needs git 2.38. Raises
    RepositoryError when a branch is missing or `into` is checked out, GitError when git fails.
    """
    target = own_ref(into)
    text = message(subject, trailers)
    with repository_lock(site.common):
        ours, theirs = _at(site, into), _at(site, branch)
        if is_ancestor(site, theirs, ours):
            return MergeOutcome(commit=ours, message=f"{branch} is already in {into}")
        site.require_not_checked_out(into)
        tree, conflicts = _merged_tree(site, ours, theirs)
        if tree is None:
            shown = ", ".join(conflicts[:5])
            return MergeOutcome(
                commit=None, conflicts=conflicts, message=f"{branch} conflicts in {shown}"
            )
        commit = _commit(site, Commit(tree, (ours, theirs)), text)
        site.refs.update(target, commit, ours, f"merge {branch}")
    return MergeOutcome(commit=commit, message=f"merged {branch} into {into}")


def _at(site: Site, branch: str) -> str:
    commit = site.refs.read(own_ref(branch))
    if commit is None:
        raise RepositoryError(
            f"the branch {branch} does not exist",
            hint=f"put it back: git branch {branch} <commit>",
        )
    return commit


def _merged_tree(site: Site, ours: str, theirs: str) -> tuple[str | None, tuple[str, ...]]:
    if is_ancestor(site, ours, theirs):
        links = read_commit(site.common, theirs)
        if links is not None:
            return links.tree, ()
        return site.git.line("rev-parse", "--verify", f"{theirs}^{{tree}}"), ()
    if site.git.version < MERGE_TREE_MINIMUM:
        raise GitError(
            "merging workstreams that ran side by side needs git 2.38",
            hint="install git 2.38 or later",
        )
    args = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ours, theirs)
    done = site.git.call(*args)
    if done.returncode not in (0, _CONFLICT):
        raise failure(args, done)
    tree, *paths = split_z(done.stdout)
    if done.returncode == _CONFLICT:
        return None, tuple(sorted(set(paths)))
    return tree, ()


def _commit(site: Site, commit: Commit, text: str) -> str:
    if site.plain_objects:
        return write_commit(site.common, commit, site.identity, text, time.time())
    parents = [arg for parent in commit.parents for arg in ("-p", parent)]
    args = ("commit-tree", commit.tree, *parents, "-F", "-")
    data = site.git.run(*args, stdin=text.encode("utf-8", "replace"), env=as_person(site.identity))
    return data.decode("ascii").strip()
