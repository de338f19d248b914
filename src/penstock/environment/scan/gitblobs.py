"""What git has: which objects commits or the index brought, and the bytes of objects, in batches.

Everything is read from git's objects and not from its diffs, for attributes (`-diff`, `binary`) would
hide a file from a diff. Nothing is fetched: what a partial clone lacks counts as not looked at.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol

from penstock.errors import GitError, UsageError

COMMITS_AT_ONCE = 2000
BATCH_BYTES = 32 << 20
"""How much is asked for at once."""
OBJECT_LIMIT = 256 << 20
"""A larger object is not looked through."""
_GITLINK = "160000"
_NO_FETCH = {"GIT_NO_LAZY_FETCH": "1"}
_RAW = ("--raw", "-r", "-z", "--no-abbrev", "--no-ext-diff", "--no-textconv")


class Git(Protocol):
    """git in one repository."""

    def run(
        self,
        *args: str,
        stdin: bytes | None = None,
        reading: bool = False,
        env: Mapping[str, str] | None = None,
    ) -> bytes:
        """Run git and return its output. Raises GitError when it fails."""
        ...


class Brought(NamedTuple):
    """An object that a commit (None: the index) has at a path, and those that were there before."""

    path: str
    oid: str
    before: tuple[str, ...]
    commit: str | None = None


class Blob(NamedTuple):
    """The bytes of an object; None with the reason why there are none."""

    oid: str
    data: bytes | None
    why: str = ""


# -- which objects ---------------------------------------------------------------------------
def staged(git: Git, index: str | None = None) -> list[Brought]:
    """Return what is staged and differs from the last commit; `index` is the index file instead of the
    usual one. Raises GitError."""
    env = {**_NO_FETCH, **({"GIT_INDEX_FILE": index} if index else {})}
    against = _head_or_nothing(git)
    raw = git.run("diff-index", *_RAW, "-M", "--cached", against, "--", reading=True, env=env)
    return list(_parsed(raw))


def between(git: Git, base: str, head: str) -> list[Brought]:
    """Return what one commit has that differs from another. Raises GitError."""
    raw = git.run("diff-tree", *_RAW, "-M", base, head, "--", reading=True, env=_NO_FETCH)
    return list(_parsed(raw))


def commits_of(git: Git, revisions: Sequence[str] = (), paths: Sequence[str] = ()) -> list[str]:
    """Return the commits of revisions (`main..topic`; none: of all branches, tags and stashes),
    oldest first. Raises UsageError for what is no revision, GitError."""
    which = ("--end-of-options", *revisions)
    if not revisions:
        which = ("--all", "HEAD") if _has_head(git) else ("--all",)
    try:
        return _listed(git, which, paths)
    except GitError as error:
        if not revisions:
            raise
        raise UsageError(
            f"{' '.join(revisions)} names no commits of this repository",
            hint="name a range or a branch: git log --oneline main..topic",
        ) from error


def commits_between(git: Git, base: str, head: str) -> list[str]:
    """Return the commits of `head` that `base` does not have, oldest first. Raises GitError."""
    return _listed(git, ("--end-of-options", f"{base}..{head}"))


def _listed(git: Git, which: Sequence[str], paths: Sequence[str] = ()) -> list[str]:
    how = ("--reverse", "--topo-order")
    return git.run("rev-list", *how, *which, "--", *paths, reading=True).decode().split()


def brought_by(git: Git, commits: Sequence[str], paths: Sequence[str] = ()) -> Iterator[Brought]:
    """Yield what commits brought; of a merge, what none of its parents has. Raises GitError."""
    how = ("--stdin", "--root", "-c", "-M", "--always")
    rest = iter(commits)
    while part := list(islice(rest, COMMITS_AT_ONCE)):
        asked = "".join(f"{commit}\n" for commit in part).encode()
        raw = git.run(
            "diff-tree", *_RAW, *how, "--", *paths, stdin=asked, reading=True, env=_NO_FETCH
        )
        yield from _parsed(raw)


def _head_or_nothing(git: Git) -> str:
    """Return HEAD, before the first commit the tree without files."""
    if _has_head(git):
        return "HEAD"
    return git.run("hash-object", "-t", "tree", "--stdin", stdin=b"").decode().strip()


def _has_head(git: Git) -> bool:
    try:
        return bool(git.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", reading=True))
    except GitError:
        return False


def _parsed(raw: bytes) -> Iterator[Brought]:
    """Read raw diffs, with the commits in between; deleted files and submodules are left out."""
    fields = iter(os.fsdecode(raw).split("\0"))
    commit: str | None = None
    for record in fields:
        if not record.startswith(":"):
            commit = record.strip() or commit
            continue
        parents = len(record) - len(record.lstrip(":"))
        words = record[parents:].split(" ")
        mode, oid = words[parents], words[2 * parents + 1]
        before = tuple(words[parents + 1 : 2 * parents + 1])
        path = next(fields)
        if parents == 1 and words[-1][0] in "RC":
            path = next(fields)
        if mode != _GITLINK and oid.strip("0"):
            yield Brought(path, oid, tuple(o for o in before if o.strip("0")), commit)


# -- their bytes -----------------------------------------------------------------------------
def blobs(git: Git, oids: Iterable[str]) -> Iterator[Blob]:
    """Yield the objects in their order, a few megabytes of them in memory at once. Raises GitError."""
    rest = iter(oids)
    while part := list(islice(rest, 10_000)):
        for batch in _batches(git, part):
            if isinstance(batch, Blob):
                yield batch
            else:
                yield from _read(git, batch)


def read_loose(objects: Path, oid: str) -> bytes | None:
    """Return the bytes of an object that lies by itself in the folder of objects, None for any other.

    The format is that of gitformat-loose(5).
    """
    try:
        packed = (objects / oid[:2] / oid[2:]).read_bytes()
        data = zlib.decompressobj().decompress(packed, OBJECT_LIMIT)
    except (OSError, zlib.error):
        return None
    head, _, body = data.partition(b"\0")
    kind, _, size = head.partition(b" ")
    return body if kind == b"blob" and size == b"%d" % len(body) else None


def _batches(git: Git, oids: Sequence[str]) -> Iterator[list[str] | Blob]:
    """Cut objects into batches by their sizes; one that is not to be had comes by itself."""
    told = _ask(git, "--batch-check=%(objectname) %(objecttype) %(objectsize)", oids)
    batch: list[str] = []
    size = 0
    for line in told.decode().splitlines():
        oid, kind, *more = line.split()
        length = int(more[0]) if more else 0
        if kind != "blob" or length > OBJECT_LIMIT:
            why = "is not in this clone" if kind == "missing" else f"{length >> 20} MB are too much"
            yield Blob(oid, None, why)
            continue
        if batch and size + length > BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(oid)
        size += length
    if batch:
        yield batch


def _read(git: Git, oids: Sequence[str]) -> Iterator[Blob]:
    data = _ask(git, "--batch", oids)
    at = 0
    for oid in oids:
        end = data.index(b"\n", at)
        size = int(data[at:end].rsplit(b" ", 1)[1])
        yield Blob(oid, data[end + 1 : end + 1 + size])
        at = end + 1 + size + 1


def _ask(git: Git, how: str, oids: Sequence[str]) -> bytes:
    asked = "".join(f"{oid}\n" for oid in oids).encode()
    return git.run("cat-file", how, "--buffer", stdin=asked, reading=True, env=_NO_FETCH)
