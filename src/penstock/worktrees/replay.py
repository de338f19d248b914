"""Commits carried onto another one without a checkout: raw reading, three-way merging, writing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from penstock.errors import GitError, HandoverConflictError
from penstock.worktrees.git import Git
from penstock.worktrees.integration import record
from penstock.worktrees.merging import Merged, merge_trees, tree_of
from penstock.worktrees.objects import Commit
from penstock.worktrees.site import Site


@dataclass(frozen=True, slots=True)
class RawCommit:
    """A commit as it is stored; `author` is the value of its line, bytes are as git has them."""

    oid: str
    tree: str
    parents: tuple[str, ...]
    author: bytes
    encoding: bytes | None
    message: bytes

    @property
    def key(self) -> tuple[bytes, bytes]:
        """What stays the same when a commit is replayed: its author with the time, its message."""
        return (self.author, self.message)

    @property
    def title(self) -> str:
        """The first line of the message."""
        return self.message.split(b"\n", 1)[0].decode("utf-8", "replace")


def commits_since(
    git: Git, tip: str, *known: str, merges_too: bool = True
) -> tuple[RawCommit, ...]:
    """Return what `tip` reaches and none of `known` does, parents before children."""
    some = () if merges_too else ("--no-merges",)
    without = [f"^{oid}" for oid in known]
    listed = git.run("rev-list", "--topo-order", "--reverse", *some, tip, *without, reading=True)
    if not listed:
        return ()
    data = git.run("cat-file", "--batch", stdin=listed, reading=True)
    return tuple(_split(data))


def _split(data: bytes) -> Iterator[RawCommit]:
    """Read `<oid> commit <size>`, newline, content, newline, over and over."""
    at = 0
    while at < len(data):
        end = data.index(b"\n", at)
        oid, kind, size = data[at:end].split(b" ")
        if kind != b"commit":
            raise GitError(f"{oid.decode()} is no commit")
        at = end + 1 + int(size) + 1
        yield _parse(oid.decode(), data[end + 1 : at - 1])


def _parse(oid: str, content: bytes) -> RawCommit:
    head, _, text = content.partition(b"\n\n")
    fields: dict[bytes, list[bytes]] = {}
    for line in head.split(b"\n"):
        name, _, value = line.partition(b" ")
        fields.setdefault(name, []).append(value)
    return RawCommit(
        oid=oid,
        tree=fields[b"tree"][0].decode(),
        parents=tuple(parent.decode() for parent in fields.get(b"parent", ())),
        author=fields[b"author"][0],
        encoding=next(iter(fields.get(b"encoding", ())), None),
        message=text,
    )


def three_way(site: Site, *, base: str, ours: str, theirs: str) -> Merged:
    """Apply what lies between `base` and `theirs` to `ours`; `base` must be an ancestor of `theirs`.

    `git merge-tree` takes no base before 2.40, so it is given a commit with the tree of `ours`
    whose parent is `base`.
    """
    if tree_of(site, ours) == tree_of(site, base):
        return Merged(tree_of(site, theirs))
    stand_in = record(site, Commit(tree_of(site, ours), (base,)), "ours\n", site.identity)
    return merge_trees(site, stand_in, theirs)


def replay(site: Site, onto: str, commits: Sequence[RawCommit]) -> str:
    """Apply commits one after the other to `onto` and return the last one made.

    Authors and messages stay. A commit that fits as it is, is taken as it is; one whose change is
    there already is left out. Raises HandoverConflictError naming the commit and its files.
    """
    tip = onto
    for commit in commits:
        (parent,) = commit.parents or ("",)
        if parent == tip:
            tip = commit.oid
            continue
        if not parent:
            raise GitError(f"{commit.oid[:12]} has no parent and cannot be replayed")
        merged = three_way(site, base=parent, ours=tip, theirs=commit.oid)
        if merged.conflicts:
            raise HandoverConflictError(
                f"{commit.oid[:12]} ({commit.title}) conflicts in {names(merged.conflicts)}",
                hint="--strategy merge or squash takes the whole result at once",
            )
        was_empty = tree_of(site, parent) == commit.tree
        if merged.tree != tree_of(site, tip) or was_empty:
            tip = _again(site, commit, merged.tree, tip)
    return tip


def _again(site: Site, commit: RawCommit, tree: str, parent: str) -> str:
    stamp = site.identity.stamp(time.time()).encode("utf-8", "replace")
    lines = [
        b"tree " + tree.encode(),
        b"parent " + parent.encode(),
        b"author " + commit.author,
        b"committer " + stamp,
        *([b"encoding " + commit.encoding] if commit.encoding else []),
    ]
    content = b"\n".join(lines) + b"\n\n" + commit.message
    made = site.git.run("hash-object", "-t", "commit", "-w", "--stdin", stdin=content)
    return made.decode("ascii").strip()


def names(paths: Sequence[str]) -> str:
    """Return the first few of these paths in one line."""
    more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
    return ", ".join(paths[:5]) + more
