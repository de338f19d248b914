"""Repository and Worktree as the engine sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import msgspec


class ChangeKind(StrEnum):
    """What happened to a path."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"
    RENAMED = "renamed"
    TYPE_CHANGED = "type_changed"
    MODE_CHANGED = "mode_changed"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One changed path. `old_path` is the other name of a rename.

    `oid` is the id of the object that is there now, empty where there is none or it is not known.
    `symlink_target` is set for a symlink; `escapes` when that target lies outside the worktree.
    `submodule` marks a gitlink or a nested repository.
    """

    path: str
    kind: ChangeKind
    old_path: str | None = None
    old_mode: str = ""
    new_mode: str = ""
    oid: str = ""
    symlink_target: str | None = None
    escapes: bool = False
    submodule: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """Both names of a rename, else the one."""
        return (self.path,) if self.old_path is None else (self.old_path, self.path)


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """The diff of a turn against its start.

    `diff_hash` is a SHA-256 over the whole content of the workstream's diff against its *base*,
    new files included; equal hashes mean equal trees. `ignored` lists ignored files that the turn
    created. `hidden` lists paths whose index flags (assume-unchanged, skip-worktree) were found
    set and taken away before the diff. `tampering` lists what was changed in git's own files
    (hooks, config, the worktree's `.git` file), each as one line for people. `assumed` is for dry
    runs: no tool ran, and a change is taken for granted.
    """

    changes: tuple[Change, ...]
    diff_hash: str
    tree: str
    ignored: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    tampering: tuple[str, ...] = ()
    assumed: bool = False

    @property
    def empty(self) -> bool:
        """Tell whether nothing changed."""
        return not self.changes and not self.assumed


class MergeOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a merge came to; `commit` is None on a conflict.

    `tree` is the merged tree; on a conflict it holds the conflicting texts with markers (base
    included, git's diff3 style). `conflicts` are the paths in question, `messages` git's words
    about each conflict.
    """

    commit: str | None
    conflicts: tuple[str, ...] = ()
    message: str = ""
    tree: str | None = None
    messages: tuple[str, ...] = ()


class HandoverStrategy(StrEnum):
    """How a run's result comes to a branch of the user's."""

    MERGE = "merge"
    SQUASH = "squash"
    REBASE = "rebase"


class HandedCommit(msgspec.Struct, frozen=True, kw_only=True):
    """One commit in few words."""

    commit: str
    subject: str


class Handover(msgspec.Struct, frozen=True, kw_only=True):
    """What was handed over to a branch, or with `dry_run` would be.

    The branch went from `previous` to `commit` (in a dry run it stays, and both are the same), which
    holds the commit `source`.
    `commits` are those that the result consists of, oldest first, without merges; with squash they
    are in the one commit, and not in the branch's history. `stat` is git's summary of the diff.
    `as_checked` tells that the branch's tree is the one that the run has checked, and `already`
    that the branch held it all before.
    """

    commit: str
    previous: str
    source: str
    strategy: HandoverStrategy
    commits: tuple[HandedCommit, ...] = ()
    stat: str = ""
    checkout_updated: bool = False
    as_checked: bool = True
    already: bool = False
    dry_run: bool = False


class Fingerprint(Protocol):
    """The state of the user's checkout at one moment."""

    def differences(self, later: Fingerprint) -> tuple[str, ...]:
        """Return what changed until `later`: paths and names of refs and config files."""
        ...


class Worktree(Protocol):
    """One leased worktree on its own branch."""

    @property
    def path(self) -> Path:
        """Where it lies."""
        ...

    @property
    def branch(self) -> str:
        """Its branch."""
        ...

    @property
    def base(self) -> str:
        """The commit that its branch started from."""
        ...

    @property
    def head(self) -> str:
        """The recorded commit that the tree was last brought to or committed as."""
        ...

    def reset(self, commit: str) -> None:
        """Bring tree, index and branch to `commit`; untracked files go, ignored ones stay."""
        ...

    def lay(self, commit: str, *, base: str) -> None:
        """Bring tree, index and branch to any `commit`; later diffs are against `base`.

        Like `reset`, but `commit` need not descend from `head`; what the branch held before is
        reachable from it no more.
        """
        ...

    def unrecorded_work(self) -> bytes:
        """Return a binary patch of all that differs from `head` (untracked files included), or b""."""
        ...

    def changes(self, *, exclude: Sequence[str] = ()) -> Changes:
        """Stage everything and return the diff against `head`. Call it once, after a turn."""
        ...

    def patch(self, paths: Sequence[str]) -> bytes:
        """Return the binary patch of these staged paths against `head`."""
        ...

    def revert(self, paths: Sequence[str]) -> Changes:
        """Bring these paths back to `head` and return the diff that is left."""
        ...

    def commit(self, subject: str, trailers: Mapping[str, str]) -> str:
        """Commit what `changes` staged, hooks off, and return the commit's id."""
        ...

    def scope_since_base(self) -> tuple[Change, ...]:
        """Return the committed diff of the branch against its base."""
        ...

    def diff_hash(self) -> str:
        """Return the hash of the committed diff against the base, as `Changes.diff_hash` is one."""
        ...

    def diff_text(self, *, max_bytes: int) -> str:
        """Return the committed diff against the base as text, cut at `max_bytes`."""
        ...


class Repository(Protocol):
    """The user's git repository. Nothing here touches the user's own checkout."""

    @property
    def root(self) -> Path:
        """The top of the user's checkout, resolved."""
        ...

    @property
    def objects(self) -> Path:
        """The folder in which git keeps objects."""
        ...

    def head(self) -> str:
        """Return the commit that HEAD names."""
        ...

    def resolve(self, name: str) -> str | None:
        """Return the commit that a name stands for, or None."""
        ...

    def is_ancestor(self, ancestor: str, commit: str) -> bool:
        """Tell whether `ancestor` is reachable from `commit`."""
        ...

    def ensure_branch(self, branch: str, commit: str) -> str:
        """Create a branch at `commit` unless it exists; return the commit that it is at."""
        ...

    def lease(self, ws_id: str, run_id: str, branch: str, start: str) -> Worktree:
        """Lay a clean worktree for a new branch at `start` (or the existing branch, see `reopen`)."""
        ...

    def reopen(self, path: Path, branch: str, base: str, head: str) -> Worktree | None:
        """Open a worktree left by an earlier process, mended and on its branch; None when it is gone.

        Uncommitted work is left in place: ask `unrecorded_work`, then `reset`.
        """
        ...

    def release(self, worktree: Worktree) -> None:
        """Give a clean, recorded worktree back to the pool. One with other work in it is kept."""
        ...

    def merge(
        self, branch: str, into: str, *, message: str, trailers: Mapping[str, str]
    ) -> MergeOutcome:
        """Merge without fast-forward and without any checkout; a conflict changes nothing."""
        ...

    def try_merge(
        self, ours: str, theirs: str, *, message: str, trailers: Mapping[str, str]
    ) -> MergeOutcome:
        """Make the merge commit of two commits (parents `ours`, `theirs`) and move no branch.

        `ours` itself when it holds `theirs` already.
        """
        ...

    def tree_of(self, commit: str) -> str:
        """Return the tree of a commit."""
        ...

    def commit_tree(
        self, tree: str, parents: Sequence[str], *, message: str, trailers: Mapping[str, str]
    ) -> str:
        """Make a commit of a tree and return its id; no branch moves."""
        ...

    def snapshot(self, tree: Path, *, include: Sequence[str] = ()) -> str:
        """Make a commit of all that a tree (the checkout's or one of ours) holds now, of ignored files
        only `include`, and return its id; no branch and no index moves."""
        ...

    def patch_between(self, base: str, head: str) -> bytes:
        """Return the binary patch from one commit to another; empty when one is gone."""
        ...

    def remove_branch(self, branch: str) -> None:
        """Remove a branch of ours that no worktree is on; harmless when there is none."""
        ...

    def advance(self, branch: str, commit: str, *, expected: str) -> bool:
        """Move a branch of ours from `expected` to `commit`; False when it is elsewhere.

        True as well when it is at `commit` already, so that it can be said again after a crash.
        """
        ...

    def handover(
        self,
        source: str,
        target: str,
        *,
        strategy: HandoverStrategy,
        base: str,
        allow_moved: bool = False,
        update_checkout: bool = False,
        message: str,
        trailers: Mapping[str, str],
        dry_run: bool = False,
    ) -> Handover:
        """Bring what `source` (a branch of ours) has since `base` to the user's branch `target`.

        Raises RepositoryError when the target does not exist, is checked out (unless it is here
        and `update_checkout` is given), has moved since `base` without `allow_moved`, or when the
        checkout to be updated has changes; HandoverConflictError when the two do not fit. Nothing
        has changed then. Safe to say again after a death at any moment.
        """
        ...

    def read_file(self, commit: str, path: str) -> bytes | None:
        """Return what a plain file holds in a commit, byte for byte; None where there is none."""
        ...

    def list_files(self, commit: str, folder: str) -> tuple[str, ...]:
        """Return the paths of the plain files in and below a folder of a commit, sorted."""
        ...

    def amend(
        self,
        branch: str,
        expected: str,
        files: Mapping[str, bytes | None],
        *,
        message: str,
        trailers: Mapping[str, str],
    ) -> str | None:
        """Add a commit to a branch of ours that gives these files other contents, and return it.

        None when the branch is not at `expected` any more, `expected` when the files (None: none)
        are so already. A checkout here that is on the branch comes along. Raises RepositoryError
        when that has changes or the branch is checked out elsewhere. Nothing has changed then.
        """
        ...

    def fingerprint(self) -> Fingerprint:
        """Take the fingerprint of the user's checkout."""
        ...

    def holds(self, base: str, commit: str, place: str) -> bool:
        """Tell whether `place` has all that `commit` changed since `base` just as `commit` has it.

        So it does after a squash or a rebase, in which `commit` itself is not to be found.
        """
        ...

    def discard_idle(self, path: Path) -> bool:
        """Remove a worktree from the pool; False when it is not idle there (any more)."""
        ...

    def recover(self, *, live_runs: Sequence[str]) -> tuple[str, ...]:
        """Clear what a killed process left behind (locks, half-made worktrees); say what was done."""
        ...

    def worktrees(self) -> list[dict[str, Any]]:
        """Return our worktrees as in `overview`, at little cost."""
        ...

    def overview(self) -> dict[str, Any]:
        """Return branches and worktrees of ours: {"branches": [...], "worktrees": [...]}."""
        ...
