"""What `penstock clean` may remove: what is provably merged, empty, or left by the dead.

Nothing of a run that has not ended is touched, nor of one that another process works on: whatever
belongs to a run goes with the run's lock held, after another look at its state. A worktree goes only
when its work is in the run's integration branch, in HEAD, or in a branch that the run was handed
over to, or when it holds no commit of its own; and when nothing uncommitted is in it. Branches
always stay.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec

from penstock.engine.merged import why_nothing_is_lost
from penstock.environment.api import Leftover, Leftovers
from penstock.errors import ClaimError, NotFoundError
from penstock.folders import remove_tree
from penstock.model.records import Run, Workstream
from penstock.model.states import RUN_MOVES, RunState
from penstock.model.times import seconds
from penstock.store.api import Journal
from penstock.worktrees.api import Repository

PAGE = 200
FINISHED = frozenset(RUN_MOVES) - {RunState.PENDING, RunState.RUNNING}
CALL_REST_S = 7200.0
"""A call outside of a run that wrote nothing for so long is over: no tool may take longer."""
QUARANTINE = "quarantine"


class Waste(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that may go; `size` in bytes, `path` absolute.

    `kind` is prompts, artifacts, homes, logs, quarantine, worktree (of a workstream), pool (an idle
    worktree), calls (of a call outside of a run) or temporary (a block of ports and its folder).
    """

    kind: str
    path: str
    run_id: str | None
    ws_id: str | None
    size: int
    why: str


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Something that stays, and why."""

    path: str
    run_id: str | None
    ws_id: str | None
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
    """Looks through the folders `state` (a path) and `logs` of the repository at `root`.

    `hold` gives the lock of a run; entering it raises ClaimError when another process has it.
    """

    def __init__(
        self,
        journal: Journal,
        repository: Repository,
        state: Path,
        *,
        hold: Callable[[str], AbstractContextManager[None]],
        leftovers: Leftovers,
    ) -> None:
        self._journal = journal
        self._repository = repository
        self._hold = hold
        self._leftovers = leftovers
        self._calls = state / "calls"
        self._places = {
            "prompts": state / "prompts",
            "artifacts": state / "artifacts",
            "homes": state / "homes",
            "logs": repository.root / "logs",
        }
        self._quarantine = state / QUARANTINE

    # -- what there is ---------------------------------------------------------------------
    def plan(
        self, *, older_than_s: float, now: float, pool: bool = False, quarantine: bool = False
    ) -> CleanPlan:
        """Return what may go, and which worktrees and folders stay.

        That is evidence of runs that ended `older_than_s` seconds before `now`, with `quarantine`
        what was put aside to be looked at; worktrees of any finished run, with `pool` idle ones;
        what calls outside of runs left `older_than_s` ago; and ports and temporary files that
        nobody holds any more.
        """
        found: list[Waste | Kept] = []
        for run in self._finished_runs():
            age = now - seconds(run.ended_at or run.updated_at)
            if age >= older_than_s:
                found += self._evidence(run, age, quarantine)
        found += self._worktrees(pool=pool)
        found += self._old_calls(older_than_s, now)
        found += map(_temporary, self._leftovers.leftovers())
        return CleanPlan(
            waste=tuple(item for item in found if isinstance(item, Waste)),
            kept=tuple(item for item in found if isinstance(item, Kept)),
        )

    def _finished_runs(self) -> Iterator[Run]:
        offset = 0
        while page := self._journal.list_runs(limit=PAGE, offset=offset):
            yield from (run for run in page if run.status in FINISHED)
            offset += len(page)

    def _evidence(self, run: Run, age: float, quarantine: bool) -> Iterator[Waste | Kept]:
        """Yield the folders of a run that are really there, no links."""
        days = int(age // 86400)
        when = f"{days} days ago" if days > 1 else "yesterday" if days else "today"
        for kind, ws_id, folder in self._folders(run.run_id):
            if folder.is_symlink() or not folder.is_dir():
                continue
            if kind == QUARANTINE and not quarantine:
                why = "it was put aside to be looked at; --quarantine removes it"
                yield Kept(path=str(folder), run_id=run.run_id, ws_id=ws_id, why=why)
                continue
            yield Waste(
                kind=kind,
                path=str(folder),
                run_id=run.run_id,
                ws_id=ws_id,
                size=size_of(folder),
                why=f"the run {run.status} {when}",
            )

    def _folders(self, run_id: str) -> Iterator[tuple[str, str | None, Path]]:
        """Yield where evidence of a run may lie: its kind, its workstream if it is of one, the folder."""
        for kind, place in self._places.items():
            if _is_child(place / run_id, place):
                yield kind, None, place / run_id
        for row in self._journal.list_workstreams(run_id):
            folder = self._quarantine / f"{run_id}_{row.ws_id}"
            if _is_child(folder, self._quarantine):
                yield QUARANTINE, row.ws_id, folder

    def _old_calls(self, older_than_s: float, now: float) -> Iterator[Waste]:
        if not self._calls.is_dir() or self._calls.is_symlink():
            return
        for folder in sorted(self._calls.iterdir()):
            rest = now - _last_change(folder)
            if (
                folder.is_dir()
                and not folder.is_symlink()
                and rest >= max(older_than_s, CALL_REST_S)
            ):
                yield Waste(
                    kind="calls",
                    path=str(folder),
                    run_id=None,
                    ws_id=None,
                    size=size_of(folder),
                    why="a call outside of a run that is over",
                )

    # -- worktrees -------------------------------------------------------------------------
    def _worktrees(self, *, pool: bool) -> Iterator[Waste | Kept]:
        trees = self._repository.worktrees()
        yield from (self._judge(tree) for tree in trees if tree["state"] != "idle")
        yield from (self._idle(tree, pool=pool) for tree in trees if tree["state"] == "idle")

    def _idle(self, tree: Mapping[str, Any], *, pool: bool) -> Waste | Kept:
        path = self._repository.root / tree["path"]
        if pool:
            why = "it is idle"
            size = size_of(path)
            return Waste(kind="pool", path=str(path), run_id=None, ws_id=None, size=size, why=why)
        why = "it is idle, ready for the next workstream; --pool removes it"
        return Kept(path=str(path), run_id=None, ws_id=None, why=why)

    def _judge(self, tree: Mapping[str, Any]) -> Waste | Kept:
        """Judge a worktree that is no idle one."""
        path = self._repository.root / tree["path"]
        run_id, ws_id = tree["run_id"], tree["ws_id"]
        reason, goes = self._verdict(path, run_id, ws_id)
        if not goes:
            return Kept(path=str(path), run_id=run_id, ws_id=ws_id, why=reason)
        return Waste(
            kind="worktree",
            path=str(path),
            run_id=run_id,
            ws_id=ws_id,
            size=size_of(path),
            why=f"{reason}, unless something uncommitted is in it",
        )

    def _verdict(self, path: Path, run_id: str | None, ws_id: str | None) -> tuple[str, bool]:
        """Return why a worktree goes or stays, and whether it goes."""
        try:
            run = self._journal.get_run(run_id or "")
            row = self._journal.get_workstream(run.run_id, ws_id or "")
        except NotFoundError:
            return "the journal does not know whose it is", False
        if run.status not in FINISHED:
            return f"its run has not ended ({run.status})", False
        if row.worktree_path is None or self._repository.root / row.worktree_path != path:
            return "its workstream has another worktree by now", False
        reason = why_nothing_is_lost(self._journal, self._repository, run, row)
        return (reason, True) if reason else ("its branch is not merged", False)

    # -- removing --------------------------------------------------------------------------
    def remove(self, item: Waste) -> str | None:
        """Remove one thing; return None when it is gone, else why it stays.

        What belongs to a run is looked at again with the run's lock held: it may go on since.
        """
        if item.kind == "temporary":
            return self._free(item)
        if item.kind == "pool":
            gone = self._repository.discard_idle(Path(item.path))
            return None if gone else "it is not idle any more"
        if item.run_id is None:
            return _removed(Path(item.path))
        try:
            with self._hold(item.run_id):
                return self._remove_of_run(item, item.run_id)
        except ClaimError as error:
            return str(error)

    def _free(self, item: Waste) -> str | None:
        port = int(Path(item.path).name)
        known = Leftover(path=item.path, port=port, run_id=item.run_id, ws_id=item.ws_id)
        return None if self._leftovers.free(known) else "somebody uses it by now"

    def _remove_of_run(self, item: Waste, run_id: str) -> str | None:
        status = self._journal.get_run(run_id).status
        if status not in FINISHED:
            return f"its run goes on ({status})"
        if item.kind != "worktree":
            return _removed(Path(item.path))
        reason, goes = self._verdict(Path(item.path), run_id, item.ws_id)
        if not goes:
            return reason
        return self._release(
            Path(item.path), self._journal.get_workstream(run_id, item.ws_id or "")
        )

    def _release(self, path: Path, row: Workstream) -> str | None:
        """Give a worktree back unless it holds something that is not recorded."""
        base = row.base_commit or self._repository.head()
        branch = row.branch or f"workstream/{row.ws_id}/{row.run_id}"
        tree = self._repository.reopen(path, branch, base, row.head_commit or base)
        if tree is None:
            return "git does not know it"
        if tree.unrecorded_work():
            return "something uncommitted is in it"
        self._repository.release(tree)
        return "something unrecorded is in it" if path.is_dir() else None


def _temporary(leftover: Leftover) -> Waste:
    return Waste(
        kind="temporary",
        path=leftover.path,
        run_id=leftover.run_id,
        ws_id=leftover.ws_id,
        size=size_of(Path(leftover.path)),
        why="no process holds these ports and temporary files any more",
    )


def _removed(folder: Path) -> str | None:
    """Remove a folder; return why it is still there."""
    remove_tree(folder)
    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        return f"it cannot be removed: {error.strerror}"
    return None


def _last_change(folder: Path) -> float:
    """Return when something was last written in a folder or in what it holds, as far as seen."""
    times = [status.st_mtime for status in _statuses(folder)]
    return max(times, default=folder.lstat().st_mtime)


def _is_child(folder: Path, place: Path) -> bool:
    """Tell whether a run's id names a folder right below `place`; `..` does not."""
    return Path(os.path.normpath(folder)).parent == place


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder, links not followed; what vanishes is left out."""
    return sum(status.st_size for status in _statuses(folder))


def _statuses(folder: Path) -> Iterator[os.stat_result]:
    """Yield the status of every file below a folder that can be seen."""
    todo = [os.fspath(folder)]
    while todo:
        try:
            with os.scandir(todo.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(entry.path)
                    else:
                        yield entry.stat(follow_symlinks=False)
        except OSError:
            continue
