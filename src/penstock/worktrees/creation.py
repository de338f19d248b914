"""Making a repository, for the demonstration."""

from __future__ import annotations

from pathlib import Path

from penstock.worktrees.git import find_git

AUTHOR = {
    "GIT_AUTHOR_NAME": "penstock",
    "GIT_AUTHOR_EMAIL": "penstock@localhost",
    "GIT_COMMITTER_NAME": "penstock",
    "GIT_COMMITTER_EMAIL": "penstock@localhost",
}


def create_repository(folder: Path, message: str) -> None:
    """Make `folder` a git repository with one commit on `main` that holds all that lies in it.

    Raises ToolMissingError without a fitting git, GitError when git cannot do it.
    """
    git = find_git(folder)
    git.run("init", "--quiet", "--initial-branch=main")
    git.run("add", "--all")
    git.run("commit", "--quiet", "--no-verify", f"--message={message}", env=AUTHOR)
