"""Reading git's accounts of changes: `status --porcelain=v2 -z` and the raw diff format."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from penstock.worktrees.api import Change, ChangeKind

SYMLINK = "120000"
GITLINK = "160000"
ABSENT = "000000"

_KINDS = {
    "A": ChangeKind.ADDED,
    "D": ChangeKind.DELETED,
    "R": ChangeKind.RENAMED,
    "T": ChangeKind.TYPE_CHANGED,
    "C": ChangeKind.ADDED,
    "M": ChangeKind.MODIFIED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One changed path in git's words: modes (octal) and object ids on both sides."""

    letter: str
    path: str
    old_mode: str
    new_mode: str
    old_oid: str
    new_oid: str
    old_path: str | None = None

    @property
    def kind(self) -> ChangeKind:
        """What happened to the path."""
        if self.letter == "M" and self.old_oid == self.new_oid:
            return ChangeKind.MODE_CHANGED
        return _KINDS[self.letter]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What `git status` says of a tree whose changes have been staged.

    `left` are paths that differ from the index all the same, `untracked` those outside it,
    `ignored` what the ignore rules hide (folders end in `/`).
    """

    staged: tuple[Entry, ...] = ()
    left: tuple[str, ...] = ()
    dirty_submodules: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Tell whether everything is as HEAD has it, ignored files apart."""
        return not (self.staged or self.left or self.dirty_submodules or self.untracked)


def parse_status(data: bytes) -> Status:
    """Read `git status --porcelain=v2 -z`."""
    fields = iter(os.fsdecode(data).split("\0"))
    staged: list[Entry] = []
    left: list[str] = []
    dirty: list[str] = []
    others: dict[str, list[str]] = {"?": [], "!": []}
    for record in fields:
        mark, _, rest = record.partition(" ")
        if mark in others:
            others[mark].append(rest)
        elif mark in ("1", "2"):
            entry, state, sub = _tracked(mark, rest, fields)
            staged += [entry] if state[0] != "." else []
            left += [entry.path] if state[1] != "." and sub[0] == "N" else []
            dirty += [entry.path] if sub[0] == "S" and sub[1:] != "..." else []
        elif mark == "u":
            left.append(rest.split(" ", 9)[9])
    return Status(
        staged=tuple(staged),
        left=tuple(left),
        dirty_submodules=tuple(dirty),
        untracked=tuple(others["?"]),
        ignored=tuple(others["!"]),
    )


def _tracked(mark: str, rest: str, fields: Iterator[str]) -> tuple[Entry, str, str]:
    parts = rest.split(" ", 7 if mark == "1" else 8)
    state, sub, old_mode, new_mode, _, old_oid, new_oid = parts[:7]
    entry = Entry(
        letter=state[0],
        path=parts[-1],
        old_mode=old_mode,
        new_mode=new_mode,
        old_oid=old_oid,
        new_oid=new_oid,
        old_path=next(fields) if mark == "2" else None,
    )
    return entry, state, sub


def parse_raw(data: bytes) -> tuple[Entry, ...]:
    """Read the output of `diff-tree -r --raw -z` and `diff-index --raw -z`."""
    fields = iter(os.fsdecode(data).split("\0"))
    entries = []
    for record in fields:
        if not record.startswith(":"):
            continue
        old_mode, new_mode, old_oid, new_oid, state = record[1:].split(" ")
        letter, first = state[0], next(fields)
        renamed = letter in "RC"
        entries.append(
            Entry(
                letter=letter,
                path=next(fields) if renamed else first,
                old_path=first if letter == "R" else None,
                old_mode=old_mode,
                new_mode=new_mode,
                old_oid=old_oid,
                new_oid=new_oid,
            )
        )
    return tuple(entries)


def content_hash(entries: Iterable[Entry]) -> str:
    """Return the SHA-256 of the content that a diff leads to; the same for the same result.

    Over (path, mode, object id) of each changed path in order, so that a rename hashes like the
    delete and the add that it is. No change at all gives a constant.
    """
    facts: dict[str, str] = {}
    for entry in entries:
        if entry.old_path is not None:
            facts.setdefault(entry.old_path, ABSENT)
        gone = entry.letter == "D"
        facts[entry.path] = ABSENT if gone else f"{entry.new_mode} {entry.new_oid}"
    digest = hashlib.sha256()
    for path in sorted(facts):
        digest.update(f"{facts[path]}\0{path}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def to_change(entry: Entry, tree: Path) -> Change:
    """Return an entry as the engine sees it; symlinks are looked up in the tree."""
    target = _target(tree / entry.path) if entry.new_mode == SYMLINK else None
    return Change(
        path=entry.path,
        kind=entry.kind,
        old_path=entry.old_path,
        old_mode=entry.old_mode,
        new_mode=entry.new_mode,
        oid=entry.new_oid if entry.new_oid.strip("0") else "",
        symlink_target=target,
        escapes=target is not None and escapes(tree, entry.path, target),
        submodule=GITLINK in (entry.old_mode, entry.new_mode),
    )


def _target(link: Path) -> str | None:
    try:
        return str(link.readlink())
    except OSError:
        return None


def escapes(tree: Path, path: str, target: str) -> bool:
    """Tell whether a symlink at `path` leads out of the tree, or into git's own files.

    An absolute target always does: it means another place once the change is merged.
    """
    if Path(target).is_absolute():
        return True
    root = tree.resolve()
    end = ((root / path).parent / target).resolve()
    return not end.is_relative_to(root) or end.relative_to(root).parts[:1] == (".git",)
