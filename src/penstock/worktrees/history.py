"""Which commit comes before which, and which holds the work of another."""

from __future__ import annotations

from penstock.worktrees.diff import parse_raw
from penstock.worktrees.git import failure
from penstock.worktrees.objects import known_descent
from penstock.worktrees.site import Site


def is_ancestor(site: Site, ancestor: str, commit: str) -> bool:
    """Tell whether `ancestor` is reachable from `commit`; False when either is unknown to git.

    Looked up in loose commits first, in both directions, as what a run has just made is loose.
    """
    if ancestor == commit:
        return True
    known = known_descent(site.common, ancestor, commit)
    if known is None and known_descent(site.common, commit, ancestor):
        known = False
    if known is not None:
        return known
    args = ("merge-base", "--is-ancestor", ancestor, commit)
    done = site.git.call(*args, reading=True)
    if done.returncode > 1 and b"Not a valid" not in done.stderr:
        raise failure(args, done)
    return done.returncode == 0


def holds(site: Site, base: str, commit: str, place: str) -> bool:
    """Tell whether the commit `place` has every path that differs between `base` and `commit` just
    as `commit` has it, deleted ones included: then no work is lost with `commit`, however it came
    to `place`. Raises GitError when one of them is unknown.
    """
    changed = _paths(site, base, commit)
    return bool(changed) and changed.isdisjoint(_paths(site, commit, place))


def _paths(site: Site, old: str, new: str) -> frozenset[str]:
    """Return the paths in which two commits differ."""
    args = ("diff-tree", "-r", "--raw", "--no-renames", "-z", old, new, "--")
    return frozenset(entry.path for entry in parse_raw(site.git.run(*args, reading=True)))
