"""Where a pipeline works: in the worktree of a workstream, or on named files of the repository.

An AI agent never works there itself. It gets a worktree of its own, laid from all that the place
holds now; of what it changes there, only what it may change is brought over, and all else is gone
with that worktree.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from penstock.checks.api import Place
from penstock.engine.escalation.ports import Edges
from penstock.engine.job import relative
from penstock.errors import NotFoundError
from penstock.model.bundle import Bundle
from penstock.model.escalation import PendingAttempt
from penstock.model.records import Workstream
from penstock.schedule.scope import ScopeMatcher, refusal
from penstock.typed import typed
from penstock.worktrees.api import Change, Changes, Worktree

SUFFIX = "-errors"
"""Stands behind the workstream's id in the name of an agent's own worktree."""
_TAKEN = "taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """The tree that a pipeline mends. `row` is the workstream in the journal, None for one that it
    does not have; `bundle` is set when `tree` is that workstream's worktree."""

    root: Path
    tree: Path
    row: Workstream | None = None
    bundle: Bundle | None = None

    @property
    def place(self) -> Place:
        """The same for the checker."""
        return Place(tree=self.tree, root=self.root)

    @property
    def shown(self) -> str:
        """The tree as people are told of it."""
        return "the repository" if self.tree == self.root else relative(self.tree, self.root)

    def refusal(self, change: Change, files: tuple[str, ...], protected: tuple[str, ...]) -> str:
        """Return why an agent's change is not brought over, empty when it may be.

        In a worktree the scope of the workstream counts, else only the `files` themselves.
        """
        for path in change.paths:
            if (why := refusal(path, protected)) is not None:
                return f"{path}: {why}"
            if not self.covers(path, files):
                return f"{path}: {change.kind.value} outside the scope"
        if change.escapes or change.symlink_target is not None or change.submodule:
            return f"{change.path}: made a link or a repository"
        return ""

    def covers(self, path: str, files: tuple[str, ...]) -> bool:
        """Tell whether a path may be changed: it is one of the files, or in a worktree in scope."""
        if self.bundle is None:
            return path in files
        return ScopeMatcher(self.bundle.claims).allows(path)


def find_workplace(edges: Edges, run_id: str, ws_id: str) -> Workplace:
    """Return where the files of a workstream lie now: in its worktree while it has one."""
    row = _row(edges, run_id, ws_id)
    if row is None or row.worktree_path is None:
        return Workplace(root=edges.root, tree=edges.root, row=row)
    held = edges.repository().worktrees()
    ours = [w for w in held if (w["ws_id"], w["run_id"], w["state"]) == (ws_id, run_id, _TAKEN)]
    given = row.metadata.get("bundle")
    if not ours or not isinstance(given, dict):
        return Workplace(root=edges.root, tree=edges.root, row=row)
    bundle = typed(given, Bundle)
    tree = edges.root / str(ours[0]["path"])
    return Workplace(root=edges.root, tree=tree, row=row, bundle=bundle)


def _row(edges: Edges, run_id: str, ws_id: str) -> Workstream | None:
    try:
        return edges.journal.get_workstream(run_id, ws_id)
    except NotFoundError:
        return None


def branch_of(run_id: str, ws_id: str) -> str:
    """Return the branch of the worktree that agents of a pipeline work in."""
    return f"workstream/{ws_id}{SUFFIX}/{run_id}"


@contextmanager
def agents_tree(edges: Edges, run_id: str, ws_id: str, start: str) -> Iterator[Worktree]:
    """Lend a worktree at a commit; at the end it is gone, with all that was done in it."""
    repository, branch = edges.repository(), branch_of(run_id, ws_id)
    clear_agents_tree(edges, run_id, ws_id, start)
    tree = repository.lease(f"{ws_id}{SUFFIX}", run_id, branch, start)
    try:
        yield tree
    finally:
        tree.reset(start)
        repository.release(tree)
        repository.remove_branch(branch)


def clear_agents_tree(edges: Edges, run_id: str, ws_id: str, start: str | None) -> None:
    """Give back the worktree that a dead process had lent to an agent, if there is one."""
    repository, branch = edges.repository(), branch_of(run_id, ws_id)
    repository.recover(live_runs=[])
    for held in repository.worktrees():
        if (held["ws_id"], held["run_id"]) != (f"{ws_id}{SUFFIX}", run_id):
            continue
        commit = start or str(held["commit"] or repository.head())
        left = repository.reopen(edges.root / str(held["path"]), branch, commit, commit)
        if left is not None:
            left.reset(commit)
            repository.release(left)
    if repository.resolve(branch) is not None:
        repository.remove_branch(branch)


def commit_work(edges: Edges, workplace: Workplace) -> str | None:
    """Commit what was mended in a workstream's worktree to its branch and record it, so that a retry
    goes on from there; return the commit.

    None for files of no worktree, when nothing has changed, and when the tree holds something that
    the workstream may not change: that is left as it lies. Safe to repeat after a death.
    """
    row = workplace.row
    if workplace.bundle is None or row is None or row.branch is None or row.base_commit is None:
        return None
    head = row.head_commit or row.base_commit
    tree = edges.repository().reopen(workplace.tree, row.branch, row.base_commit, head)
    changes = tree.changes() if tree is not None else None
    if tree is None or changes is None or changes.empty:
        return None
    if refusals(workplace, changes, (), edges.protected):
        return None
    subject = edges.masks.prose(f"{row.ws_id}: fix: what checks found")
    trailers = {
        "Penstock-Run": row.run_id,
        "Penstock-Workstream": row.ws_id,
        "Penstock-Step": "error pipeline",
    }
    commit = tree.commit(subject, trailers)
    edges.journal.update_workstream(row.run_id, row.ws_id, head_commit=commit)
    return commit


def undo_pending(edges: Edges, run_id: str, ws_id: str, pending: PendingAttempt) -> None:
    """End what an attempt whose process died still has running, and clear its worktree."""
    edges.sweep([pending.marker], [])
    if pending.start is not None:
        clear_agents_tree(edges, run_id, ws_id, pending.start)


def refusals(
    workplace: Workplace, changes: Changes, files: tuple[str, ...], protected: tuple[str, ...]
) -> tuple[str, ...]:
    """Return why an agent's changes as a whole are not brought over, none when they may be."""
    found = [workplace.refusal(change, files, protected) for change in changes.changes]
    return (*(why for why in found if why), *changes.tampering)
