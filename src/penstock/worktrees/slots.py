"""Slots: git worktrees of ours, each an admin folder of git's and a tree that can be moved.

A slot lies in the pool (idle, clean, HEAD detached) or beside it (leased). Its admin folder keeps
the name it was made with; where the tree lies is said by git's own file `gitdir` in it, and who
has it on lease by our file `penstock`.
"""

from __future__ import annotations

import os
import shutil
import stat
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec

from penstock.errors import GitError
from penstock.process.identity import ProcessIdentity
from penstock.typed import typed_json
from penstock.worktrees.names import SLOT_PREFIX
from penstock.worktrees.refs import REF_PREFIX, read_text

LEASE_FILE = "penstock"
KEEP_FILE = "penstock-keep"
_GITS_OWN = frozenset(
    {"HEAD", "ORIG_HEAD", "commondir", "gitdir", "index", "locked", "logs", "refs"}
)
_OPERATIONS = (
    "MERGE_HEAD", "MERGE_MODE", "MERGE_MSG", "MERGE_RR", "AUTO_MERGE", "CHERRY_PICK_HEAD",
    "REVERT_HEAD", "BISECT_LOG", "BISECT_START", "SQUASH_MSG", "rebase-merge", "rebase-apply",
    "sequencer", "info",
)  # fmt: skip
"""Operations half way through, which would turn our next commit into something else."""
_FRESH_LOCK_S = 2.0


class LeaseState(StrEnum):
    """What is being done with a slot outside the pool."""

    TAKING = "taking"
    TAKEN = "taken"
    RETURNING = "returning"
    KEPT = "kept"


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """Who has a slot, for which branch, and what is being done with it."""

    ws_id: str
    run_id: str
    branch: str
    state: LeaseState
    owner: ProcessIdentity


class Belongings(msgspec.Struct, frozen=True, kw_only=True):
    """Paths in a tree that are in no commit by our own doing, and stay when it is cleaned.

    `placed` were copied or linked from the user's checkout, `made` came from set-up commands.
    """

    placed: tuple[str, ...] = ()
    made: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """All of them, once each."""
        return tuple(dict.fromkeys((*self.placed, *self.made)))


@dataclass(frozen=True, slots=True)
class Slot:
    """A worktree of ours: git's admin folder and the folder of the tree."""

    admin: Path
    path: Path

    @property
    def name(self) -> str:
        """The name that it was made with."""
        return self.admin.name

    def head_text(self) -> str:
        """Return what HEAD holds: `ref: <ref>` or an object id, "" when there is none."""
        return read_text(self.admin / "HEAD") or ""

    def point_here(self) -> tuple[str, ...]:
        """Make admin folder and tree point at each other; return the files that did not."""
        wanted = {
            self.admin / "gitdir": f"{self.path}/.git",
            self.path / ".git": f"gitdir: {self.admin}",
            self.admin / "commondir": "../..",
        }
        wrong = {file: text for file, text in wanted.items() if not _holds(file, text)}
        for file, text in wrong.items():
            if file.is_dir() and not file.is_symlink():
                remove(file)
            replace_file(file, text + "\n")
        return tuple(file.name for file in wrong)

    def set_head(self, text: str) -> None:
        """Write HEAD."""
        replace_file(self.admin / "HEAD", text + "\n")

    def detach(self, commit: str) -> None:
        """Let HEAD name a commit, so that no branch counts as checked out here."""
        self.set_head(commit)

    def lease(self) -> Lease | None:
        """Return who has it; None when nobody has, or the file cannot be read."""
        try:
            return typed_json((self.admin / LEASE_FILE).read_bytes(), Lease)
        except (OSError, msgspec.DecodeError):
            return None

    def write_lease(self, lease: Lease) -> None:
        """Record who has it."""
        replace_file(self.admin / LEASE_FILE, msgspec.json.encode(lease).decode())

    def drop_lease(self) -> None:
        """Record that nobody has it."""
        (self.admin / LEASE_FILE).unlink(missing_ok=True)

    def belongings(self) -> Belongings:
        """Return what lies in the tree beside git's files by our own doing."""
        try:
            return typed_json((self.admin / KEEP_FILE).read_bytes(), Belongings)
        except (OSError, msgspec.DecodeError):
            return Belongings()

    def write_belongings(self, belongings: Belongings) -> None:
        """Record what lies in the tree by our own doing."""
        if belongings != self.belongings():
            replace_file(self.admin / KEEP_FILE, msgspec.json.encode(belongings).decode())

    def end_operations(self) -> None:
        """Drop merges, rebases and the like that were left half way through."""
        for name in _OPERATIONS:
            remove(self.admin / name)

    def tidy(self) -> None:
        """Drop everything from the admin folder that git did not need to make the slot."""
        for entry in list(self.admin.iterdir()):
            if entry.name not in _GITS_OWN and entry.name not in (LEASE_FILE, KEEP_FILE):
                remove(entry)

    def clear_locks(self, *, patience_s: float = _FRESH_LOCK_S) -> tuple[Path, ...]:
        """Remove lock files left in the admin folder, once each is `patience_s` (seconds) old.

        To be called when nothing of ours works in this slot; an editor that looks at the tree may
        hold one for a moment.
        """
        locks = tuple(self.admin.rglob("*.lock"))
        for lock in locks:
            remove_stale(lock, patience_s)
        return locks


def _holds(file: Path, text: str) -> bool:
    return not file.is_symlink() and read_text(file) == text


def new_name() -> str:
    """Return a name for a slot that no other has."""
    return f"{SLOT_PREFIX}{uuid.uuid4().hex[:12]}"


def own_admins(common: Path) -> Iterator[Path]:
    """Yield the admin folders of all slots of the repository, by name."""
    with suppress(FileNotFoundError):
        yield from sorted((common / "worktrees").glob(f"{SLOT_PREFIX}*"))


def tree_of(admin: Path) -> Path | None:
    """Return where an admin folder says that its tree lies, or None when it does not say."""
    text = read_text(admin / "gitdir")
    return Path(text).parent if text else None


def admin_of(tree: Path, common: Path) -> Path | None:
    """Return the admin folder that a tree names in its `.git` file, if it is one of ours."""
    text = read_text(tree / ".git")
    if not text or not text.startswith("gitdir: "):
        return None
    admin = Path(text[len("gitdir: ") :])
    ours = admin.parent == common / "worktrees" and admin.name.startswith(SLOT_PREFIX)
    return admin if ours and admin.is_dir() else None


def branch_of(head_text: str) -> str | None:
    """Return the branch that a HEAD file names, or None."""
    prefix = f"{REF_PREFIX}refs/heads/"
    return head_text[len(prefix) :] if head_text.startswith(prefix) else None


def replace_file(path: Path, text: str) -> None:
    """Write a small file so that it is there whole or not at all; raises GitError."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{time.monotonic_ns()}.tmp")
    try:
        temporary.write_bytes(os.fsencode(text))
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise GitError(f"cannot write {path}: {error.strerror}") from error


def remove(path: Path) -> None:
    """Remove a file or a whole folder, one that is write-protected too; symlinks are not followed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, onerror=_make_writable_and_retry)
    else:
        path.unlink(missing_ok=True)


def _make_writable_and_retry(function: Callable[..., object], path: str, _info: object) -> None:
    # what could not be removed is a name in a folder that may not be written to, or such a folder
    for folder in (Path(path).parent, Path(path)):
        if folder.is_dir() and not folder.is_symlink():
            folder.chmod(folder.stat().st_mode | stat.S_IRWXU)
    if function in (os.unlink, os.rmdir, os.remove):
        with suppress(FileNotFoundError):
            function(path)
    elif Path(path).exists():
        shutil.rmtree(path)


def remove_stale(lock: Path, patience_s: float) -> bool:
    """Remove a lock file as soon as it is `patience_s` (seconds) old; False when it went itself."""
    while True:
        try:
            age = time.time() - lock.stat().st_mtime
        except FileNotFoundError:
            return False
        if not 0 <= age < patience_s:
            remove(lock)
            return True
        time.sleep(0.02)
