"""Which commit comes before which."""

from __future__ import annotations

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
