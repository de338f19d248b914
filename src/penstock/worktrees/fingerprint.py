"""The fingerprint of the user's checkout: did a tool reach out of its worktree?

A walk over everything below the top, ignored files included, by (mode, size, mtime, ctime, inode),
and git's own state by content. Left out are our own folders and branches. `git status` would not
do: it misses a second edit of a dirty file, ignored folders, and refs.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.worktrees.index import read_index
from penstock.worktrees.names import HOME, OWN_REFS, POOL, TRASH
from penstock.worktrees.refs import packed_refs, read_text

Mark = tuple[int, ...]

_FILES = ("config", "config.worktree", "info/exclude", "info/attributes", "info/sparse-checkout")


@dataclass(frozen=True, slots=True)
class CheckoutFingerprint:
    """The state of a checkout at one moment."""

    files: dict[str, Mark] = field(repr=False)
    git: dict[str, Any] = field(repr=False)
    index: bytes = field(repr=False)

    def differences(self, later: Any) -> tuple[str, ...]:
        """Return what changed until `later`, sorted: paths, refs, and git's own files."""
        changed = [] if self.files == later.files else differing(self.files, later.files)
        changed += differing(self.git, later.git)
        if self.index != later.index:
            before, now = read_index(self.index), read_index(later.index)
            changed += [f".git/index: {path}" for path in differing(before, now)]
        return tuple(sorted(changed))


def differing(before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """Return the keys that were added, removed or have another value."""
    return [key for key in before.keys() | now.keys() if before.get(key) != now.get(key)]


def take(root: Path, git_dir: Path, common: Path, own_paths: Iterable[str]) -> CheckoutFingerprint:
    """Take the fingerprint of the checkout at `root`; `own_paths` are relative to it."""
    own = frozenset(f"{root}/{path}" for path in own_paths) | {f"{root}/.git"}
    files: dict[str, Mark] = {}
    _walk(str(root), own, files, len(str(root)) + 1)
    _strays(root / HOME, common, files, len(str(root)) + 1)
    try:
        index = (git_dir / "index").read_bytes()
    except OSError:
        index = b""
    return CheckoutFingerprint(files, _git_state(git_dir, common), index)


def _walk(top: str, own: frozenset[str], files: dict[str, Mark], cut: int) -> None:
    todo = [top]
    while todo:
        try:
            entries = os.scandir(todo.pop())
        except OSError:
            continue  # gone since, or not to be read: its own mark has told of that
        with entries:
            todo += _mark_all(entries, own, files, cut)


def _mark_all(
    entries: Iterable[os.DirEntry[str]], own: frozenset[str], files: dict[str, Mark], cut: int
) -> list[str]:
    """Enter the marks of a folder's entries; return the folders among them."""
    folders = []
    for entry in entries:
        path = entry.path
        if path in own:
            continue
        try:
            s = entry.stat(follow_symlinks=False)
        except OSError:
            continue  # gone since it was listed
        if stat.S_ISDIR(s.st_mode):
            files[path[cut:]] = (s.st_mode,)
            folders.append(path)
        else:
            mark = (s.st_mode, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino)
            files[path[cut:]] = mark
    return folders


def _strays(home: Path, common: Path, files: dict[str, Mark], cut: int) -> None:
    """Enter what lies beside the worktrees and is none: where `../x` leads from one of them."""
    try:
        entries = os.scandir(home)
    except OSError:
        return
    with entries:
        for entry in entries:
            if entry.name in (POOL, TRASH, ".gitignore"):
                continue
            if not entry.is_dir(follow_symlinks=False):
                _mark_all((entry,), frozenset(), files, cut)
            elif _is_stray(entry.path, common):
                files[entry.path[cut:]] = ()
                _walk(entry.path, frozenset(), files, cut)


def _is_stray(folder: str, common: Path) -> bool:
    # another thread may be giving a worktree back: moved away since it was listed, it is no stray
    if Path(folder, ".git").exists() or not Path(folder).is_dir():
        return False
    # nor is one whose tool has removed its `.git`: that is for the turn of that tool to answer for
    links = (common / "worktrees").glob("*/gitdir")
    return all(read_text(link) != f"{folder}/.git" for link in links)


def _git_state(git_dir: Path, common: Path) -> dict[str, Any]:
    state: dict[str, Any] = {".git/HEAD": read_text(git_dir / "HEAD")}
    for name in _FILES:
        state[f".git/{name}"] = read_text(common / name)
    state.update(_hooks(common / "hooks"))
    refs = packed_refs(common)
    refs.update(_loose(common))
    state.update((ref, oid) for ref, oid in refs.items() if not ref.startswith(OWN_REFS))
    return state


def _hooks(folder: Path) -> dict[str, Mark]:
    marks: dict[str, Mark] = {}
    _walk(str(folder), frozenset(), marks, len(str(folder)) + 1)
    return {f".git/hooks/{name}": mark for name, mark in marks.items()}


def _loose(common: Path) -> dict[str, str]:
    refs: dict[str, str] = {}
    for folder, _, files in os.walk(common / "refs"):
        for file in files:
            path = Path(folder, file)
            ref = path.relative_to(common).as_posix()
            if not ref.endswith(".lock") and not ref.startswith(OWN_REFS):
                refs[ref] = read_text(path) or ""
    return refs
