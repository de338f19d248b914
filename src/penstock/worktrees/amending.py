"""Changing a few plain files of a branch of ours in one commit, without a checkout.

Contents are taken and given byte for byte: no filter, and no change of line ends, comes in between.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from penstock.errors import RepositoryError
from penstock.worktrees import checkout
from penstock.worktrees.git import split_z
from penstock.worktrees.integration import record, tree_of
from penstock.worktrees.lock import repository_lock
from penstock.worktrees.names import own_ref
from penstock.worktrees.objects import Commit
from penstock.worktrees.site import Site
from penstock.worktrees.worktree import message

_PLAIN = ("100644", "100755")
_FRESH = "100644"


class _Blob(NamedTuple):
    """What a commit has at a path."""

    mode: str
    oid: str


def read_file(site: Site, commit: str, path: str) -> bytes | None:
    """Return what a plain file holds in a commit; None where there is no file, or a link.

    Raises GitError when the commit is unknown.
    """
    found = _blobs(site, commit, path).get(path)
    if found is None or found.mode not in _PLAIN:
        return None
    return site.git.run("cat-file", "blob", found.oid, reading=True)


def list_files(site: Site, commit: str, folder: str) -> tuple[str, ...]:
    """Return the paths of the plain files that lie in or below a folder in a commit, sorted."""
    found = _blobs(site, commit, f"{folder.rstrip('/')}/", "-r")
    return tuple(sorted(path for path, blob in found.items() if blob.mode in _PLAIN))


def _blobs(site: Site, commit: str, path: str, *more: str) -> dict[str, _Blob]:
    args = ("ls-tree", "-z", "--full-tree", *more, commit, "--", path)
    listed = split_z(site.git.run(*args, reading=True, env={"GIT_LITERAL_PATHSPECS": "1"}))
    found: dict[str, _Blob] = {}
    for line in listed:
        fields, _, name = line.partition("\t")
        mode, kind, oid = fields.split(" ")
        if kind == "blob":
            found[name] = _Blob(mode, oid)
    return found


def amend(
    site: Site,
    branch: str,
    expected: str,
    files: Mapping[str, bytes | None],
    *,
    subject: str,
    trailers: Mapping[str, str],
) -> str | None:
    """Add a commit to a branch of ours that gives these files other contents (None: removes them).

    `expected` is the commit that the branch is at; None is returned when it is elsewhere, and
    `expected` itself when the files are so already. A checkout here that is on the branch comes
    along. Raises RepositoryError when that has changes, the branch is checked out elsewhere, or a
    path is no plain file; GitError when git fails. Nothing has changed then.
    """
    ref = own_ref(branch)
    with repository_lock(site.common):
        checkout.mend(site)
        if site.refs.read(ref) != expected:
            return None
        tree = _changed_tree(site, expected, files)
        if tree == tree_of(site, expected):
            return expected
        here = checkout.require_free(site, branch, update=True)
        links = Commit(tree, (expected,))
        commit = record(site, links, message(subject, trailers), site.identity)
        checkout.advance(site, checkout.Move(ref=ref, old=expected, new=commit), here=here)
    return commit


def _changed_tree(site: Site, commit: str, files: Mapping[str, bytes | None]) -> str:
    """Return the tree of a commit with these files changed, made in an index of its own."""
    lines = [_index_line(site, commit, path, content) for path, content in sorted(files.items())]
    with tempfile.TemporaryDirectory(prefix="penstock-index-") as folder:
        env = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        site.git.run("read-tree", commit, env=env)
        site.git.run("update-index", "-z", "--index-info", stdin=b"".join(lines), env=env)
        return site.git.run("write-tree", env=env).decode("ascii").strip()


def _index_line(site: Site, commit: str, path: str, content: bytes | None) -> bytes:
    """Return what tells git's index of one file; its mode stays."""
    found = _blobs(site, commit, path).get(path)
    is_own = any(part.lower() == ".git" for part in path.split("/"))  # git leaves it out in silence
    if is_own or (found is not None and found.mode not in _PLAIN):
        raise RepositoryError(f"{path} is no plain file in {commit[:12]}")
    if content is None:
        return b"0 " + b"0" * len(commit) + b"\t" + os.fsencode(path) + b"\0"
    made = site.git.run("hash-object", "-w", "--no-filters", "--stdin", stdin=content)
    mode = _FRESH if found is None else found.mode
    return mode.encode() + b" " + made.strip() + b"\t" + os.fsencode(path) + b"\0"
