"""Commit objects read and written in place, each of which would cost a child process otherwise.

The loose object format is that of gitformat-loose(5): zlib over "commit <size>", NUL, content;
the name is the hash of what was compressed. Only commits are handled here. What is not a loose
object (packed, or in an alternate) is left to git.
"""

from __future__ import annotations

import hashlib
import os
import time
import zlib
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from penstock.errors import GitError

_WALK = 64
_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Identity:
    """Who commits."""

    name: str
    email: str

    def stamp(self, now: float) -> str:
        """Return the author or committer line's value for a moment (seconds since the epoch)."""
        offset = time.localtime(now).tm_gmtoff // 60
        sign = "-" if offset < 0 else "+"
        zone = f"{sign}{abs(offset) // 60:02d}{abs(offset) % 60:02d}"
        return f"{self.name} <{self.email}> {int(now)} {zone}"


@dataclass(frozen=True, slots=True)
class Commit:
    """The links of a commit."""

    tree: str
    parents: tuple[str, ...]


def read_commit(common: Path, oid: str) -> Commit | None:
    """Return the links of a loose commit; None when it is not one."""
    try:
        packed = (common / "objects" / oid[:2] / oid[2:]).read_bytes()
        data = zlib.decompressobj().decompress(packed, _LARGEST)
    except (OSError, zlib.error):
        return None
    kind, _, content = data.partition(b"\0")
    if not kind.startswith(b"commit "):
        return None
    head = content.partition(b"\n\n")[0].decode("utf-8", "replace").splitlines()
    trees = [line[5:] for line in head if line.startswith("tree ")]
    parents = [line[7:] for line in head if line.startswith("parent ")]
    return Commit(trees[0], tuple(parents)) if trees else None


def write_commit(common: Path, commit: Commit, who: Identity, message: str, now: float) -> str:
    """Write a commit object durably and return its id; raises GitError when that is impossible."""
    lines = [f"tree {commit.tree}", *(f"parent {parent}" for parent in commit.parents)]
    lines += [f"author {who.stamp(now)}", f"committer {who.stamp(now)}", "", message]
    content = "\n".join(lines).encode("utf-8", "replace")
    whole = b"commit %d\0" % len(content) + content
    algorithm = "sha1" if len(commit.tree) == 40 else "sha256"
    oid = hashlib.new(algorithm, whole, usedforsecurity=False).hexdigest()
    try:
        _store(common / "objects" / oid[:2], oid[2:], zlib.compress(whole, 1))
    except OSError as error:
        raise GitError(
            f"cannot write a commit to {common / 'objects'}: {error.strerror}",
            hint="penstock must be able to write to the repository, and the disk must have room",
        ) from error
    return oid


def _store(folder: Path, name: str, packed: bytes) -> None:
    if (folder / name).exists():
        return
    folder.mkdir(exist_ok=True)
    # git's own prefix: what a death leaves behind is removed by the next `git gc`
    temporary = folder / f"tmp_obj_{os.getpid()}_{time.monotonic_ns()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(packed)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(folder / name)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def known_descent(common: Path, ancestor: str, commit: str) -> bool | None:
    """Tell whether `ancestor` is reachable from `commit`, as far as loose commits tell.

    None when the search leaves them, or after a few dozen commits: then git must be asked.
    """
    seen, todo, sure = {commit}, deque([commit]), True
    while todo and len(seen) <= _WALK:
        oid = todo.popleft()
        if oid == ancestor:
            return True
        links = read_commit(common, oid)
        if links is None:
            sure = False
            continue
        fresh = [parent for parent in links.parents if parent not in seen]
        seen.update(fresh)
        todo.extend(fresh)
    return False if sure and not todo else None
