"""A commit of a tree as it is now, with all that was not committed; no branch or index moves."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from penstock.errors import RepositoryError
from penstock.worktrees.git import Git
from penstock.worktrees.integration import commit_tree
from penstock.worktrees.site import Site
from penstock.worktrees.slots import Slot


def take(site: Site, tree: Path, slot: Slot | None, include: Sequence[str] = ()) -> str:
    """Make a commit of the checkout (`slot` None) or of one of our worktrees, and return its id.

    Its parent is what HEAD names there. Ignored files are left out but for `include`, and so are
    those that we placed, and what git cannot stage. Raises RepositoryError when there is no commit yet.
    """
    git_dir = site.git_dir if slot is None else slot.admin
    head = site.refs.head(git_dir)
    if head is None:
        raise RepositoryError(f"HEAD of {tree} names no commit", hint="make a commit first")
    placed = () if slot is None else slot.belongings().paths
    with tempfile.TemporaryDirectory(prefix="penstock-snapshot-") as folder:
        index = Path(folder, "index")
        if (git_dir / "index").exists():  # with it git need not read what it knows to be unchanged
            shutil.copy2(git_dir / "index", index)
        made = _written(site.git.at(git_dir, tree), index, placed, include)
    return commit_tree(site, made, (head,), "What is not committed", {})


def _written(git: Git, index: Path, placed: Sequence[str], include: Sequence[str]) -> str:
    """Stage everything in an index of its own and return the tree that git makes of it."""
    env = {"GIT_INDEX_FILE": str(index)}
    spec = (":/", *(f":(top,exclude,literal){name.rstrip('/')}" for name in placed))
    git.call("add", "--all", "--ignore-errors", "--", *spec, env=env)
    for name in include:
        git.call("add", "--force", "--", f":(top,literal){name}", env=env)
    return git.run("write-tree", env=env).decode("ascii").strip()
