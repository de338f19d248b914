"""The repository that a plan is for, as git knows it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from penstock.errors import GitError
from penstock.worktrees.git import Git, split_z

COMMITS = 2000
"""How many of the latest commits are looked at for files that change together."""
LOG_S = 30.0
"""How long git may take to list them (s)."""
READ_MAX = 16 << 20
"""Bytes of a file beyond which nothing of it is of use."""
_COMMIT = "%x01"


class GitTerrain:
    """The files of a checkout and their history. Nothing is followed out of the checkout."""

    def __init__(self, git: Git, root: Path) -> None:
        self._git = git
        self._root = root

    def files(self) -> Sequence[str]:
        """Return the tracked and the untracked, not ignored files, sorted; raises GitError."""
        return self._files

    @cached_property
    def _files(self) -> tuple[str, ...]:
        kinds = ("--cached", "--others", "--exclude-standard")
        listed = self._git.run("ls-files", "-z", *kinds, reading=True)
        return tuple(sorted({name for name in split_z(listed) if _is_text(name)}))

    def size(self, path: str) -> int:
        """Return the bytes of a file, 0 when it cannot be looked at."""
        try:
            found = (self._root / path).lstat()
        except (OSError, ValueError):
            return 0
        return found.st_size if stat.S_ISREG(found.st_mode) else 0

    def read(self, path: str) -> bytes:
        """Return the first 16 MiB of a file. Raises OSError, also for what is no regular file."""
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        descriptor = os.open(self._root / path, flags)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(f"{path} is no regular file")
            with os.fdopen(descriptor, "rb", closefd=False) as stream:
                return stream.read(READ_MAX)
        finally:
            os.close(descriptor)

    def history(self) -> Iterator[Sequence[str]]:
        """Yield the paths that each of the latest 2000 commits changed, newest first.

        Without a commit, or when git fails or takes too long, there is none.
        """
        form = (f"--format={_COMMIT}", "--name-only", "--no-renames", "--no-merges", "-z")
        try:
            listed = self._git.run(
                "log", f"--max-count={COMMITS}", *form, "--", reading=True, timeout=LOG_S
            )
        except GitError:
            return
        for commit in listed.split(b"\x01"):
            names = [name.lstrip("\n") for name in split_z(commit)]
            if found := [name for name in names if name and _is_text(name)]:
                yield found


def _is_text(name: str) -> bool:
    """Tell whether a name can be written into a bundle."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
