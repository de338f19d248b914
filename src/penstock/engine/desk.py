"""The worktrees of the workstreams at work in this process."""

from __future__ import annotations

import msgspec

from penstock.engine.job import Job, relative
from penstock.errors import EnvironmentProblem
from penstock.model.events import EventType
from penstock.model.records import Workstream
from penstock.worktrees.api import Worktree

_TAKEN = "taken"


class Desk:
    """Opens a workstream's worktree when it is first needed, and gives it back at the end."""

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
        tree = self._trees.pop(job.ws_id, None) or self._reopen(job, job.row())
        if tree is not None:
            job.services.repository.release(tree)

    def _open(self, job: Job) -> Worktree:
        row = job.row()
        tree = self._reopen(job, row)
        if tree is not None:
            return self._cleared(job, tree)
        return self._lease(job, row)

    def _reopen(self, job: Job, row: Workstream) -> Worktree | None:
        if row.base_commit is None or (place := self._place(job, row)) is None:
            return None
        path = job.services.root / place
        head = row.head_commit or row.base_commit
        return job.services.repository.reopen(path, job.branch, row.base_commit, head)

    def _place(self, job: Job, row: Workstream) -> str | None:
        """Return where the workstream has a worktree by the repository's own account, or None.

        What the journal says may be out of date: a process can die between the laying of a
        worktree and the record of it, and a place that was given back can be somebody else's now.
        """
        services = job.services
        if row.worktree_path is not None and not (services.root / row.worktree_path).is_dir():
            return None
        held = services.repository.overview()["worktrees"]
        ours = [w for w in held if (w["ws_id"], w["run_id"]) == (job.ws_id, job.run_id)]
        places = [str(w["path"]) for w in ours if w["state"] == _TAKEN]
        return row.worktree_path if row.worktree_path in places else next(iter(places), None)

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
        update = services.journal.update_workstream
        update(job.run_id, job.ws_id, branch=job.branch, base_commit=base)
        start = row.head_commit or base
        tree = services.repository.lease(job.ws_id, job.run_id, job.branch, start)
        place = relative(tree.path, services.root)
        update(job.run_id, job.ws_id, worktree_path=place)
        if start == base:
            return tree
        row = msgspec.structs.replace(row, worktree_path=place, base_commit=base)
        return self._reopen(job, row) or tree
