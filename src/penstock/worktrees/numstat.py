"""The size of a diff between two commits."""

from __future__ import annotations

from penstock.model.figures import DiffStat
from penstock.worktrees.git import Git


def diff_stat(git: Git, base: str, head: str) -> DiffStat:
    """Measure the diff from `base` to `head`; a rename is one file. Raises GitError when one of
    them is gone."""
    safe = ("--no-ext-diff", "--no-textconv")
    told = git.run("diff-tree", "-r", "-M", "--numstat", *safe, base, head, "--", reading=True)
    rows = [line.split(b"\t", 2) for line in told.splitlines()]
    return DiffStat(
        files=len(rows),
        insertions=sum(int(row[0]) for row in rows if row[0] != b"-"),
        deletions=sum(int(row[1]) for row in rows if row[1] != b"-"),
    )
