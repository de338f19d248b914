"""What `penstock clean` may remove: evidence of old finished runs, and worktrees without work.

Nothing of a run that has not ended is touched. A worktree goes only when its branch is provably
merged into the run's integration branch or into HEAD, or holds no commit of its own, and when
nothing uncommitted is in it; the branch itself always stays.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from penstock.model.records import Run, Workstream
from penstock.model.states import RUN_MOVES, RunState, WorkstreamState
from penstock.model.times import seconds
from penstock.store.api import Journal
from penstock.worktrees.api import Repository

PAGE = 200
FINISHED = frozenset(RUN_MOVES) - {RunState.PENDING, RunState.RUNNING}
ENDED = frozenset(
    {
        WorkstreamState.PENDING,
        WorkstreamState.DONE,
        WorkstreamState.FAILED,
        WorkstreamState.QUARANTINED,
        WorkstreamState.CANCELED,
    }
)


class Waste(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that may go: `kind` is prompts, artifacts, homes, logs or worktree; `size` in
    bytes; `path` is absolute."""

    kind: str
    path: str
    run_id: str
    ws_id: str | None
    size: int
    why: str


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A worktree that stays, and why."""

    path: str
    run_id: str
    ws_id: str
    why: str


class CleanPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What may go and what stays."""

    waste: tuple[Waste, ...]
    kept: tuple[Kept, ...] = ()

    @property
    def size(self) -> int:
        """How many bytes would be freed."""
        return sum(item.size for item in self.waste)


class Cleaner:
    """Looks through the folders `state` (a path) and `logs` of the repository at `root`."""

    def __init__(self, journal: Journal, repository: Repository, state: Path) -> None:
        self._journal = journal
        self._repository = repository
        self._places = {
            "prompts": state / "prompts",
            "artifacts": state / "artifacts",
            "homes": state / "homes",
            "logs": repository.root / "logs",
        }

    def plan(self, *, older_than_s: float, now: float) -> CleanPlan:
        """Return what may go: evidence of runs that ended `older_than_s` seconds before `now`,
        and worktrees of any finished run."""
        waste: list[Waste] = []
        kept: list[Kept] = []
        trees = self._repository.overview()["worktrees"]
        holders = {str(tree["path"]): tree.get("run_id") for tree in trees}
        for run in self._finished_runs():
            age = now - seconds(run.ended_at or run.updated_at)
            if age >= older_than_s:
                waste += self._evidence(run, age)
            for row in self._journal.list_workstreams(run.run_id):
                found = self._worktree(run, row, holders)
                if isinstance(found, Waste):
                    waste.append(found)
                elif found is not None:
                    kept.append(found)
        return CleanPlan(waste=tuple(waste), kept=tuple(kept))

    def remove(self, item: Waste) -> str | None:
        """Remove one thing; return None when it is gone, else why it stays."""
        if item.kind == "worktree":
            return self._release(item)
        try:
            shutil.rmtree(item.path)
        except OSError as error:
            return f"it cannot be removed: {error.strerror}"
        return None

    def _finished_runs(self) -> Iterator[Run]:
        offset = 0
        while page := self._journal.list_runs(limit=PAGE, offset=offset):
            yield from (run for run in page if run.status in FINISHED)
            offset += len(page)

    def _evidence(self, run: Run, age: float) -> Iterator[Waste]:
        """Yield the folders of a run that are really there, no links."""
        days = int(age // 86400)
        when = f"{days} days ago" if days > 1 else "yesterday" if days else "today"
        for kind, place in self._places.items():
            folder = place / run.run_id
            if not _is_child(folder, place) or folder.is_symlink() or not folder.is_dir():
                continue
            yield Waste(
                kind=kind,
                path=str(folder),
                run_id=run.run_id,
                ws_id=None,
                size=size_of(folder),
                why=f"the run {run.status} {when}",
            )

    def _worktree(
        self, run: Run, row: Workstream, holders: Mapping[str, str | None]
    ) -> Waste | Kept | None:
        """Judge the worktree of a workstream; None when it has none, or another run has it now."""
        if row.worktree_path is None:
            return None
        path = self._repository.root / row.worktree_path
        holder = holders.get(os.path.relpath(path, self._repository.root))
        if holder != run.run_id or not path.is_dir():
            return None
        reason = self._without_work(run, row)
        if reason is None:
            why = "its branch is not merged"
            return Kept(path=str(path), run_id=run.run_id, ws_id=row.ws_id, why=why)
        return Waste(
            kind="worktree",
            path=str(path),
            run_id=run.run_id,
            ws_id=row.ws_id,
            size=size_of(path),
            why=f"{reason}, unless something uncommitted is in it",
        )

    def _without_work(self, run: Run, row: Workstream) -> str | None:
        """Return why nothing would be lost with a worktree, None when something could be."""
        if row.status not in ENDED:
            return None
        if row.head_commit is None or row.head_commit == row.base_commit:
            return "it holds no commit of its own"
        for place in filter(None, (run.integration_branch, "HEAD")):
            head = self._repository.resolve(place)
            if head is not None and self._repository.is_ancestor(row.head_commit, head):
                return f"it is merged into {place}"
        return None

    def _release(self, item: Waste) -> str | None:
        """Give a worktree back unless it holds something that is not recorded."""
        row = self._journal.get_workstream(item.run_id, item.ws_id or "")
        base = row.base_commit or self._repository.head()
        branch = row.branch or f"workstream/{row.ws_id}/{row.run_id}"
        tree = self._repository.reopen(Path(item.path), branch, base, row.head_commit or base)
        if tree is None:
            return "git does not know it"
        if tree.unrecorded_work():
            return "something uncommitted is in it"
        self._repository.release(tree)
        return "something unrecorded is in it" if Path(item.path).is_dir() else None


def _is_child(folder: Path, place: Path) -> bool:
    """Tell whether a run's id names a folder right below `place`; `..` does not."""
    return Path(os.path.normpath(folder)).parent == place


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder, links not followed."""
    total, todo = 0, [os.fspath(folder)]
    while todo:
        with os.scandir(todo.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    todo.append(entry.path)
                else:
                    total += entry.stat(follow_symlinks=False).st_size
    return total
