"""Merging two commits in memory: no checkout, no index, no branch, and no program of the user's.

`git merge-tree` (git 2.38) writes the merged tree as objects. What it would take from the user's
settings is laid down here, so that the same commits give the same tree everywhere: a merge driver
(which is a command) becomes git's own three-way merge of texts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from penstock.errors import GitError
from penstock.worktrees.git import MERGE_TREE_MINIMUM, Git, failure
from penstock.worktrees.history import is_ancestor
from penstock.worktrees.objects import read_commit
from penstock.worktrees.refs import is_oid
from penstock.worktrees.site import Site

_CONFLICT = 1
_SETTINGS = {
    "merge.conflictStyle": "diff3",
    "merge.default": "text",
    "merge.directoryRenames": "conflict",
    "merge.renames": "true",
    "merge.renormalize": "false",
    "merge.verbosity": "2",
}
_TEXT_MERGE = "git merge-file --diff3 --marker-size=%L -L ours -L base -L theirs %A %O %B"
_MERELY_SAID = "Auto-merging"


@dataclass(frozen=True, slots=True)
class Merged:
    """The tree that two commits come to; with `conflicts` (paths) it holds markers.

    `messages` are git's words about the conflicts.
    """

    tree: str
    conflicts: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()


def tree_of(site: Site, commit: str) -> str:
    """Return the tree of a commit; raises GitError when the commit is unknown."""
    links = read_commit(site.common, commit)
    if links is not None:
        return links.tree
    return site.git.line("rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}")


def merge_trees(site: Site, ours: str, theirs: str) -> Merged:
    """Merge two commits over their merge base.

    When `theirs` descends from `ours` the tree is its own and nothing needs merging; otherwise
    raises GitError before git 2.38, or when git fails.
    """
    if is_ancestor(site, ours, theirs):
        return Merged(tree_of(site, theirs))
    require_merge_tree(site)
    args = ("merge-tree", "--write-tree", "--name-only", "--messages", "-z", ours, theirs)
    return read_merge(quiet(site), args)


def require_merge_tree(site: Site) -> None:
    """Raise GitError when git cannot merge without a checkout."""
    if site.git.version < MERGE_TREE_MINIMUM:
        raise GitError(
            "merging workstreams that ran side by side needs git 2.38",
            hint="install git 2.38 or later",
        )


def quiet(site: Site) -> Git:
    """Return git with every merge driver that is set up now replaced by the merge of texts."""
    found = site.config.snapshot(site.git_dir).sensitive
    drivers = [name for name in found if name.startswith("merge.") and name.endswith(".driver")]
    return site.git.with_settings(_SETTINGS | dict.fromkeys(drivers, _TEXT_MERGE))


def read_merge(git: Git, args: tuple[str, ...]) -> Merged:
    """Run a `git merge-tree -z --name-only --messages` and return what it came to."""
    done = git.call(*args)
    fields = iter(os.fsdecode(done.stdout).split("\0"))
    tree = next(fields)
    # it says 1 for an unknown commit as well, but then it gives no tree
    if done.returncode not in (0, _CONFLICT) or not is_oid(tree):
        raise failure(args, done)
    paths = tuple(iter(lambda: next(fields, ""), ""))
    if done.returncode == 0:
        return Merged(tree)
    said = (text for kind, text in _messages(fields) if kind != _MERELY_SAID)
    return Merged(tree, tuple(sorted(set(paths))), tuple(said))


def _messages(fields: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Yield kind and text of each message: number of paths, that many paths, kind, text."""
    for count in fields:
        if not count.isdigit():
            return
        for _ in range(int(count)):
            next(fields)
        yield next(fields), next(fields).strip()
