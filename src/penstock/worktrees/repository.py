"""The user's repository, opened for work beside their own checkout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from penstock.errors import GitError, RepositoryError
from penstock.model.settings import WorktreeSettings
from penstock.worktrees import (
    amending,
    checkout,
    fingerprint,
    handover,
    integration,
    pool,
    recovery,
    snapshot,
)
from penstock.worktrees.api import Handover, HandoverStrategy, MergeOutcome
from penstock.worktrees.faults import file_errors
from penstock.worktrees.fingerprint import CheckoutFingerprint
from penstock.worktrees.git import split_z
from penstock.worktrees.history import holds, is_ancestor
from penstock.worktrees.lock import repository_lock
from penstock.worktrees.names import HOME, OWN_BRANCHES, OWN_REFS, own_ref
from penstock.worktrees.opening import open_site
from penstock.worktrees.refs import REF_PREFIX
from penstock.worktrees.site import Site
from penstock.worktrees.slots import (
    Lease,
    LeaseState,
    Slot,
    admin_of,
    branch_of,
    own_admins,
    tree_of,
)
from penstock.worktrees.worktree import GitWorktree

OWN_PATHS = ("state", "logs", HOME, ".state", ".AIM_ai-tools-registry/AIM_audit")
"""Our own folders in a repository: in no fingerprint, and never to be tracked."""


def open_repository(
    path: Path, settings: WorktreeSettings, *, own_paths: Sequence[str] = OWN_PATHS
) -> GitRepository:
    """Open the git repository that `path` lies in.

    Raises ToolMissingError without a fitting git and RepositoryError when there is no repository,
    it is bare, has no commit, or is in the middle of a merge, rebase, cherry-pick, revert or
    bisect.
    """
    return GitRepository(open_site(path, settings), own_paths)


class GitRepository:
    """The user's git repository; see `Repository` in the api. Safe to use from several threads."""

    def __init__(self, site: Site, own_paths: Sequence[str]) -> None:
        self._site = site
        self._own_paths = tuple(own_paths)

    @property
    def root(self) -> Path:
        """The top of the user's checkout, resolved."""
        return self._site.root

    @property
    def objects(self) -> Path:
        """The folder in which git keeps objects."""
        return self._site.common / "objects"

    @property
    def exclude_file(self) -> Path:
        """The file in which ignore patterns of one's own are kept, `info/exclude`."""
        return self._site.common / "info" / "exclude"

    def head(self) -> str:
        """Return the commit that HEAD names."""
        commit = self._site.refs.head(self._site.git_dir)
        if commit is None:
            raise RepositoryError(
                f"HEAD of {self.root} names no commit", hint="make a commit first: git commit"
            )
        return commit

    def resolve(self, name: str) -> str | None:
        """Return the commit that a name stands for, or None."""
        if name == "HEAD":
            return self._site.refs.head(self._site.git_dir)
        if name.startswith(OWN_BRANCHES):
            found = self._site.refs.read(own_ref(name))
            if found is not None:
                return found
        args = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        done = self._site.git.call(*args, reading=True)
        return done.stdout.decode("ascii").strip() if done.returncode == 0 else None

    def is_ancestor(self, ancestor: str, commit: str) -> bool:
        """Tell whether `ancestor` is reachable from `commit`."""
        return is_ancestor(self._site, ancestor, commit)

    def ensure_branch(self, branch: str, commit: str) -> str:
        """Create a branch at `commit` unless it exists; return the commit that it is at."""
        ref = own_ref(branch)
        with repository_lock(self._site.common):
            found = self._site.refs.read(ref)
            if found is None:
                self._site.refs.update(ref, commit, None, "start")
        return found or commit

    @file_errors("lay a worktree")
    def lease(
        self, ws_id: str, run_id: str, branch: str, start: str, *, base: str | None = None
    ) -> GitWorktree:
        """Lay a clean worktree with `branch` at `start`, on a slot of the pool if there is one.

        The branch is made, or moved to `start` when it exists already. `base` is the commit that
        the workstream started from, if that is another. Raises RepositoryError when the branch is
        checked out elsewhere or cannot be made, EnvironmentProblem when a set-up command fails.
        """
        return pool.lease(self._site, ws_id, run_id, branch, start, base or start)

    @file_errors("open a worktree")
    def reopen(self, path: Path, branch: str, base: str, head: str) -> GitWorktree | None:
        """Open a worktree left by an earlier process, mended and on its branch; None when it is gone.

        Uncommitted work is left in place: ask `unrecorded_work`, then `reset`.
        """
        site = self._site
        slot = self._find(path)
        if slot is None:
            return None
        with repository_lock(site.common):
            slot.point_here()
            slot.clear_locks()
            slot.end_operations()
            if site.refs.read(own_ref(branch)) is None:
                site.refs.update(own_ref(branch), head, None, "back again")
            slot.set_head(f"{REF_PREFIX}{own_ref(branch)}")
            self._own(slot, branch)
        return GitWorktree(site, slot, branch=branch, base=base, head=head, is_reopened=True)

    def _own(self, slot: Slot, branch: str) -> None:
        held = slot.lease()
        ws_id, _, run_id = branch.removeprefix("workstream/").rpartition("/")
        slot.write_lease(
            Lease(
                ws_id=held.ws_id if held else ws_id,
                run_id=held.run_id if held else run_id,
                branch=branch,
                state=LeaseState.TAKEN,
                owner=self._site.owner,
            )
        )

    def _find(self, path: Path) -> Slot | None:
        if not path.is_dir() or path.resolve().parent != self._site.home.resolve():
            return None
        admin = admin_of(path, self._site.common)
        known = (a for a in own_admins(self._site.common) if tree_of(a) == path)
        admin = admin or next(known, None)
        if admin is None or not (admin / "index").exists():
            return None
        return Slot(admin, path)

    @file_errors("give a worktree back")
    def release(self, worktree: Any) -> None:
        """Give a clean, recorded worktree back to the pool. One with other work in it is kept."""
        if not isinstance(worktree, GitWorktree):
            raise TypeError(f"{worktree!r} is no worktree of this repository")
        pool.release(self._site, worktree)

    @file_errors("merge")
    def merge(
        self, branch: str, into: str, *, message: str, trailers: Mapping[str, str]
    ) -> MergeOutcome:
        """Merge without fast-forward and without any checkout; a conflict changes nothing."""
        return integration.merge(self._site, branch, into, message, trailers)

    @file_errors("merge")
    def try_merge(
        self, ours: str, theirs: str, *, message: str, trailers: Mapping[str, str]
    ) -> MergeOutcome:
        """Make the merge commit of two commits (parents `ours`, `theirs`) and move no branch.

        `ours` itself when it holds `theirs` already. On a conflict the commit is None, and `tree`
        holds the conflicting texts with markers. Raises GitError when a commit is unknown.
        """
        return integration.try_merge(self._site, ours, theirs, message, trailers)

    def tree_of(self, commit: str) -> str:
        """Return the tree of a commit; raises GitError when the commit is unknown."""
        return integration.tree_of(self._site, commit)

    @file_errors("make a commit")
    def commit_tree(
        self, tree: str, parents: Sequence[str], *, message: str, trailers: Mapping[str, str]
    ) -> str:
        """Make a commit of a tree and return its id; no branch moves.

        Raises GitError when the tree or a parent is not in the repository.
        """
        return integration.commit_tree(self._site, tree, parents, message, trailers)

    @file_errors("take a snapshot")
    def snapshot(self, tree: Path, *, include: Sequence[str] = ()) -> str:
        """Make a commit of all that a tree holds now, of ignored files only `include`; return its id.

        `tree` is the top of the checkout, or one of our worktrees. Raises RepositoryError for
        another one, GitError when git cannot.
        """
        is_checkout = tree == self.root
        slot = None if is_checkout else self._find(tree)
        if slot is None and not is_checkout:
            raise RepositoryError(f"{tree} is no worktree of ours in {self.root}")
        return snapshot.take(self._site, tree, slot, include)

    @file_errors("move a branch")
    def advance(self, branch: str, commit: str, *, expected: str) -> bool:
        """Move a branch of ours from `expected` to `commit`; False when it is elsewhere.

        True as well when it is at `commit` already, so that it can be said again after a crash.
        Raises RepositoryError for a branch that is not ours, or that is checked out somewhere.
        """
        return integration.advance(self._site, branch, commit, expected)

    def patch_between(self, base: str, head: str) -> bytes:
        """Return the binary patch from one commit to another; empty when one is gone."""
        if self.resolve(base) is None or self.resolve(head) is None:
            return b""
        how = ("-r", "-p", "--binary", "--full-index", "--no-ext-diff", "--no-textconv")
        return self._site.git.run("diff-tree", *how, base, head, "--", reading=True)

    def remove_branch(self, branch: str) -> None:
        """Remove a branch of ours that no worktree is on; harmless when there is none."""
        ref = own_ref(branch)
        with repository_lock(self._site.common):
            self._site.require_not_checked_out(branch)
            at = self._site.refs.read(ref)
            if at is not None:
                self._site.git.run("update-ref", "-d", "--no-deref", ref, at)

    @file_errors("hand over")
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
        wish = handover.Wish(
            source=source,
            target=target,
            strategy=strategy,
            base=base,
            allow_moved=allow_moved,
            update_checkout=update_checkout,
            message=message,
            trailers=trailers,
        )
        return handover.preview(self._site, wish) if dry_run else handover.give(self._site, wish)

    def read_file(self, commit: str, path: str) -> bytes | None:
        """Return what a plain file holds in a commit, byte for byte; None where there is none."""
        return amending.read_file(self._site, commit, path)

    def list_files(self, commit: str, folder: str) -> tuple[str, ...]:
        """Return the paths of the plain files in and below a folder of a commit, sorted."""
        return amending.list_files(self._site, commit, folder)

    @file_errors("change files of a branch")
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
        return amending.amend(
            self._site, branch, expected, files, subject=message, trailers=trailers
        )

    def fingerprint(self) -> CheckoutFingerprint:
        """Take the fingerprint of the user's checkout."""
        site = self._site
        return fingerprint.take(site.root, site.git_dir, site.common, self._own_paths)

    def holds(self, base: str, commit: str, place: str) -> bool:
        """Tell whether `place` has all that `commit` changed since `base` just as `commit` has it.

        Raises GitError when one of them is unknown.
        """
        return holds(self._site, base, commit, place)

    @file_errors("remove an idle worktree")
    def discard_idle(self, path: Path) -> bool:
        """Remove a worktree from the pool; False when it is not idle there (any more)."""
        return self._site.pool.is_dir() and pool.discard_idle(self._site, path)

    @file_errors("recover")
    def recover(self, *, live_runs: Sequence[str] = ()) -> tuple[str, ...]:  # noqa: ARG002
        """Clear what a killed process left behind (locks, half-made worktrees); say what was done.

        What living processes hold is known from their own marks on it, so unfinished runs
        (`live_runs`) need no exception of their own: their worktrees stay as they are.
        """
        return (*checkout.mend_locked(self._site), *recovery.recover(self._site))

    def tracked_own_paths(self) -> tuple[str, ...]:
        """Return those of our own folders in which git tracks files."""
        args = ("ls-files", "-z", "--", *self._own_paths)
        literal = {"GIT_LITERAL_PATHSPECS": "1"}
        names = split_z(self._site.git.run(*args, reading=True, env=literal))
        return tuple(
            own
            for own in self._own_paths
            if any(name == own or name.startswith(f"{own}/") for name in names)
        )

    def require_own_paths_untracked(self) -> None:
        """Raise RepositoryError when git tracks files in a folder of ours; the hint names the way."""
        tracked = self.tracked_own_paths()
        if not tracked:
            return
        hint = f"take it out of git: git rm -r --cached {tracked[0]}"
        if tracked[0] == "state":
            hint = "set `db` in config/pipeline.yaml to a file elsewhere, or " + hint
        raise RepositoryError(
            f"git tracks files in {', '.join(f'{name}/' for name in tracked)},"
            " where penstock keeps files of its own",
            hint=hint,
        )

    def overview(self) -> dict[str, Any]:
        """Return branches and worktrees of ours.

        {"branches": [{"name", "commit"}], "worktrees": [{"path", "branch", "commit", "state",
        "ws_id", "run_id"}]}; the state is idle, taking, taken, returning or kept.
        """
        fmt = "--format=%(objectname) %(refname)"
        lines = self._site.git.run("for-each-ref", fmt, *OWN_REFS, reading=True)
        pairs = (line.split(" ", 1) for line in lines.decode("utf-8").splitlines())
        branches = [{"name": ref.removeprefix("refs/heads/"), "commit": oid} for oid, ref in pairs]
        return {"branches": branches, "worktrees": self.worktrees()}

    def worktrees(self) -> list[dict[str, Any]]:
        """Return our worktrees as in `overview`; no child process is needed for them."""
        rows = (self._worktree_row(admin) for admin in own_admins(self._site.common))
        return [row for row in rows if row is not None]

    def _worktree_row(self, admin: Path) -> dict[str, Any] | None:
        tree = tree_of(admin)
        if tree is None or not tree.is_relative_to(self._site.home):
            return None
        slot = Slot(admin, tree)
        held = slot.lease()
        try:
            commit = self._site.refs.head(admin)
        except GitError:
            commit = None
        return {
            "path": tree.relative_to(self.root).as_posix(),
            "branch": branch_of(slot.head_text()),
            "commit": commit,
            "state": held.state.value if held else "idle",
            "ws_id": held.ws_id if held else None,
            "run_id": held.run_id if held else None,
        }
