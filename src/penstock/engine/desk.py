"""The worktrees of the workstreams at work in this process."""

from __future__ import annotations

from pathlib import Path

import msgspec

from penstock.engine.job import Job, relative
from penstock.engine.services import Services
from penstock.errors import EnvironmentProblem, RepositoryError
from penstock.model.events import EventType
from penstock.model.records import Workstream
from penstock.worktrees.api import Worktree

_TAKEN = "taken"


class Desk:
    """Opens a workstream's worktree when it is first needed, and gives it back at the end.

    Several threads may use it, each for workstreams of its own.
    """

    def __init__(self) -> None:
        self._trees: dict[str, Worktree] = {}

    def worktree(self, job: Job) -> Worktree:
        """Return the worktree of a job, clean and at its recorded commit."""
        if job.ws_id not in self._trees:
            self._trees[job.ws_id] = self._open(job)
        return self._trees[job.ws_id]

    def release(self, job: Job) -> None:
        """Give the worktree back to the pool; its branch holds all that was recorded.

        That is also done for one that a dead process had opened and did not come to give back.
        """
        tree = self._trees.pop(job.ws_id, None)
        if tree is None and (left := self._left_behind(job)) is not None:
            tree = self._cleared(job, left)
        if tree is not None and is_linked(tree.path):
            job.services.repository.release(tree)

    def forget(self, job: Job) -> None:
        """Leave a worktree that is not usable any more."""
        self._trees.pop(job.ws_id, None)

    def has_vanished(self, job: Job) -> bool:
        """Tell whether the worktree that a job was given is not there any more, or git has lost it."""
        tree = self._trees.get(job.ws_id)
        return tree is not None and not is_linked(tree.path)

    def _open(self, job: Job) -> Worktree:
        row = job.row()
        tree = self._reopen(job, row)
        if tree is not None:
            return self._cleared(job, tree)
        return self._lease(job, row)

    def _left_behind(self, job: Job) -> Worktree | None:
        """Return the worktree of a dead process; None without one.

        Nor when its commit is gone: what lies there may be all that is left of it.
        """
        row = job.row()
        if _place(job, row) is None or commit_gone(job) is not None:
            return None
        return self._reopen(job, row)

    def _reopen(self, job: Job, row: Workstream) -> Worktree | None:
        place = _place(job, row)
        if place is None or row.base_commit is None:
            return None
        head = row.head_commit or row.base_commit
        return job.services.repository.reopen(place, job.branch, row.base_commit, head)

    def _cleared(self, job: Job, tree: Worktree) -> Worktree:
        """Keep what a dead process left uncommitted as a patch, and go back to what is recorded."""
        left = tree.unrecorded_work()
        if left:
            number = len(job.attempts())
            patch = job.keep_patch(f"unrecorded_{number}", left)
            job.event(EventType.WORK_SAVED, {"patch": patch, "bytes": len(left)})
        tree.reset(tree.head)
        return tree

    def _lease(self, job: Job, row: Workstream) -> Worktree:
        services = job.services
        base = row.base_commit or services.repository.resolve(job.integration_branch)
        if base is None:
            raise EnvironmentProblem(
                f"the branch {job.integration_branch} is gone",
                hint=f"put it back: git branch {job.integration_branch} <commit>",
            )
        start = base if row.head_commit is None else _present(job, row.head_commit)
        update = services.journal.update_workstream
        update(job.run_id, job.ws_id, branch=job.branch, base_commit=base)
        tree = services.repository.lease(job.ws_id, job.run_id, job.branch, start)
        place = relative(tree.path, services.root)
        row = update(job.run_id, job.ws_id, worktree_path=place)
        if start == base:
            return tree
        row = msgspec.structs.replace(row, base_commit=base)
        return services.repository.reopen(tree.path, job.branch, base, start) or tree


def is_linked(tree: Path) -> bool:
    """Tell whether a worktree is there, and its `.git` file names a folder of git's that is.

    A dry run has the repository itself in place of worktrees, whose `.git` may be that folder.
    """
    link = tree / ".git"
    if link.is_dir():
        return (link / "HEAD").exists()
    try:
        folder = link.read_text(encoding="utf-8").strip().removeprefix("gitdir: ")
    except (OSError, UnicodeDecodeError):
        return False
    return (tree / folder / "HEAD").exists()


def commit_gone(job: Job) -> str | None:
    """Return the words for a recorded commit that git does not have any more; None with all there."""
    row = job.row()
    for commit in (row.head_commit, row.base_commit):
        if commit is not None and job.services.repository.resolve(commit) is None:
            return f"the recorded commit {commit[:12]} of {job.branch} is gone from the repository"
    return None


def _present(job: Job, commit: str) -> str:
    """Return a recorded commit. Raises RepositoryError when git does not have it any more."""
    if job.services.repository.resolve(commit) is None:
        raise RepositoryError(commit_gone(job) or f"the commit {commit[:12]} is gone")
    return commit


def _place(job: Job, row: Workstream) -> Path | None:
    """Return where a workstream has a worktree by the repository's own account, None when nowhere.

    What the journal says may be out of date: a process can die between the laying of a worktree and
    the record of it, and a place that was given back can be somebody else's now.
    """
    if row.worktree_path is not None and not (job.services.root / row.worktree_path).is_dir():
        return None
    return leased_place(job.services, job.ws_id, job.run_id, prefer=row.worktree_path)


def leased_place(
    services: Services, ws_id: str, run_id: str, prefer: str | None = None
) -> Path | None:
    """Return the worktree that is leased to a workstream of a run, None when there is none."""
    held = services.repository.worktrees()
    ours = [w for w in held if (w["ws_id"], w["run_id"]) == (ws_id, run_id)]
    places = [str(w["path"]) for w in ours if w["state"] == _TAKEN]
    found = prefer if prefer in places else next(iter(places), None)
    return None if found is None else services.root / found
