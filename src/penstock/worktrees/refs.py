"""Refs read straight from their files, so that looking one up costs no child process.

Writing goes through git. A repository that does not keep refs in files (reftable) is asked
through git for reading too.
"""

from __future__ import annotations

import re
from pathlib import Path

from penstock.errors import GitError
from penstock.worktrees.git import Git, failure

_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_DEPTH = 5  # as git: SYMREF_MAXDEPTH
REF_PREFIX = "ref: "


def is_oid(text: str) -> bool:
    """Tell whether `text` is a whole object id."""
    return _OID.fullmatch(text) is not None


def read_text(path: Path) -> str | None:
    """Return a small file of git's, stripped; None when it is not there."""
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape").strip()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def packed_refs(common: Path) -> dict[str, str]:
    """Return all of packed-refs as ref -> object id."""
    refs: dict[str, str] = {}
    for line in (read_text(common / "packed-refs") or "").splitlines():
        oid, _, name = line.partition(" ")
        if name and is_oid(oid):
            refs[name] = oid
    return refs


class Refs:
    """The refs of one repository."""

    def __init__(self, git: Git, common: Path, *, in_files: bool) -> None:
        self._git = git
        self._common = common
        self._in_files = in_files

    def read(self, ref: str) -> str | None:
        """Return the object id that a full ref name stands for, or None."""
        if not self._in_files:
            return self._ask(ref)
        for _ in range(_DEPTH):
            text = read_text(self._common / ref)
            if text is None:
                return packed_refs(self._common).get(ref)
            if not text.startswith(REF_PREFIX):
                return text if is_oid(text) else self._ask(ref)
            ref = text[len(REF_PREFIX) :]
        return None

    def head(self, git_dir: Path) -> str | None:
        """Return the object id that the HEAD of a worktree names; None for an unborn branch."""
        text = read_text(git_dir / "HEAD")
        if not self._in_files or text is None:
            return self._ask("HEAD")
        if text.startswith(REF_PREFIX):
            return self.read(text[len(REF_PREFIX) :])
        return text if is_oid(text) else None

    def update(self, ref: str, commit: str, old: str | None, why: str) -> None:
        """Move `ref` from `old` (None: it must not exist) to `commit`.

        Raises GitError when it stood elsewhere, or when its name collides with another ref.
        """
        zero = "0" * len(commit)
        args = ("update-ref", "-m", f"penstock: {why}", "--no-deref", ref, commit, old or zero)
        done = self._git.call(*args)
        if done.returncode == 0:
            return
        text = done.stderr.decode("utf-8", "replace")
        if "exists; cannot create" in text:
            raise collision(ref, text)
        raise failure(args, done)

    def _ask(self, name: str) -> str | None:
        done = self._git.call(
            "rev-parse", "--verify", "--quiet", "--end-of-options", name, reading=True
        )
        text = done.stdout.decode("ascii", "replace").strip()
        return text if done.returncode == 0 and is_oid(text) else None


def collision(ref: str, text: str) -> GitError:
    """Return the error for a branch whose name is a folder of another branch, or the reverse."""
    name = ref.removeprefix("refs/heads/")
    match = re.search(r"'(refs/heads/[^']+)' exists", text)
    other = match[1].removeprefix("refs/heads/") if match else "another branch"
    return GitError(
        f"the branch {name} cannot be made, because git cannot have it beside {other}",
        hint=f"rename or delete that branch: git branch -m {other} <another-name>",
    )
