"""Finding the repository, and refusing one that cannot be worked in."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from penstock.errors import RepositoryError
from penstock.model.settings import WorktreeSettings
from penstock.process.identity import this_process
from penstock.worktrees.config import ConfigWatch, Listing, list_settings
from penstock.worktrees.git import Git, failure, find_git
from penstock.worktrees.names import SLOT_PREFIX
from penstock.worktrees.objects import Identity
from penstock.worktrees.recovery import marker_of
from penstock.worktrees.refs import Refs
from penstock.worktrees.site import Site

NOBODY = Identity("penstock", "penstock@localhost")
_BUSY = {
    "MERGE_HEAD": ("a merge", "git merge --abort"),
    "CHERRY_PICK_HEAD": ("a cherry-pick", "git cherry-pick --abort"),
    "REVERT_HEAD": ("a revert", "git revert --abort"),
    "rebase-merge": ("a rebase", "git rebase --abort"),
    "rebase-apply": ("a rebase or patch series", "git rebase --abort, or git am --abort"),
    "BISECT_START": ("a bisection", "git bisect reset"),
}


def open_site(path: Path, settings: WorktreeSettings) -> Site:
    """Find the repository that `path` lies in; see open_repository for what is raised."""
    if not path.is_dir():
        raise RepositoryError(f"{path} is not a folder", hint="name a folder of a git repository")
    git = find_git(path)
    root, git_dir, common = _places(git, path)
    owner = this_process()
    git = replace(
        git.at(git_dir, root),
        common=common,
        marker=marker_of(common, owner.pid, owner.start),
    )
    _refuse_unfinished(git_dir)
    listing = list_settings(git)
    refs = Refs(git, common, in_files="extensions.refstorage" not in listing.values)
    if refs.head(git_dir) is None:
        raise RepositoryError(
            f"{root} has no commit yet", hint="commit something first: git add -A && git commit"
        )
    return Site(
        root=root,
        git=git,
        git_dir=git_dir,
        common=common,
        refs=refs,
        identity=_identity(listing),
        config=ConfigWatch(git, common, listing),
        settings=settings,
        owner=owner,
        submodules=(root / ".gitmodules").exists(),
        plain_objects="core.sharedrepository" not in listing.values,
    )


def _places(git: Git, path: Path) -> tuple[Path, Path, Path]:
    """Return the top of the checkout, its git folder, and the folder that all worktrees share."""
    args = (
        "rev-parse", "--path-format=absolute", "--is-bare-repository", "--is-inside-work-tree",
        "--git-dir", "--git-common-dir", "--show-toplevel",
    )  # fmt: skip
    done = git.call(*args, reading=True)
    lines = os.fsdecode(done.stdout).split("\n")
    if lines[0] == "true":
        raise RepositoryError(
            f"{path} is a bare repository, which has no checkout to work beside",
            hint="clone it (git clone) and run penstock in the clone",
        )
    if done.returncode != 0 and lines[0] != "false":
        error = failure(("rev-parse",), done)
        raise RepositoryError(f"{path} is not in a usable git repository: {error}", hint=error.hint)
    if lines[1] != "true" or len(lines) != 6:
        raise RepositoryError(
            f"{path} is not in the checkout of a git repository",
            hint="run penstock in the repository's own folder (without line breaks in its name)",
        )
    git_dir, common, root = (Path(line).resolve() for line in lines[2:5])
    if git_dir.name.startswith(SLOT_PREFIX) and git_dir.parent == common / "worktrees":
        raise RepositoryError(
            f"{root} is a worktree that penstock made", hint="run penstock in your own checkout"
        )
    return root, git_dir, common


def _refuse_unfinished(git_dir: Path) -> None:
    for name, (what, way_out) in _BUSY.items():
        if (git_dir / name).exists():
            raise RepositoryError(
                f"the repository is in the middle of {what}", hint=f"finish it, or {way_out}"
            )


def _identity(listing: Listing) -> Identity:
    name, email = listing.values.get("user.name", ""), listing.values.get("user.email", "")
    clean = [_without_marks(text) for text in (name, email)]
    return Identity(clean[0], clean[1]) if all(clean) else NOBODY


def _without_marks(text: str) -> str:
    """Drop the characters that cannot stand in a commit's author line."""
    return "".join(char for char in text if char not in "<>\n\0").strip()
