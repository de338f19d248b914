"""The typed Python API for steering a run: what the commands of the same names do.

`root` and `db` are as in `penstock.api`.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penstock.engine.control import why_not_retried
from penstock.engine.gates import approve_gate
from penstock.engine.handover import HandoverRequest, HandoverResult
from penstock.engine.ports import Observer, ResumeOptions
from penstock.errors import UsageError
from penstock.model.records import Run
from penstock.model.results import RunResult
from penstock.model.states import (
    RUN_MOVES,
    WORKSTREAM_MOVES,
    IntegrationState,
    RunState,
    WorkstreamState,
    advance,
)
from penstock.process.api import Stop
from penstock.wiring import Workspace, open_workspace
from penstock.worktrees.api import HandoverStrategy

Place = str | os.PathLike[str] | None


def approve(
    run_id: str,
    gate: int | None = None,
    *,
    by: str | None = None,
    note: str | None = None,
    root: Place = None,
    db: str | None = None,
) -> int:
    """Approve a gate of a run, by default the lowest that waits for it, and return its number.

    `by` says who, by default the login name. Raises UsageError when the run has ended, has no such
    gate or none that waits; NotFoundError.
    """
    with _open(root, db) as workspace:
        journal, needed = workspace.open_journal(create=False), workspace.settings.approvals
        return approve_gate(journal, run_id, gate, by or _me(), needed=needed, note=note)


def integrate(
    run_id: str,
    into: str,
    *,
    strategy: str = HandoverStrategy.MERGE.value,
    update_checkout: bool = False,
    allow_moved: bool = False,
    partial: bool = False,
    dry_run: bool = False,
    root: Place = None,
    db: str | None = None,
) -> HandoverResult:
    """Hand the result of a run over to the branch `into`, as merge, squash or rebase.

    A branch that is checked out needs `update_checkout`, one that has moved since the run began
    `allow_moved`, a run that has not succeeded `partial`; `dry_run` changes nothing. Said twice,
    nothing is done twice. Raises UsageError, RepositoryError, HandoverConflictError, ClaimError.
    """
    request = HandoverRequest(
        run_id=run_id,
        into=into,
        strategy=_strategy(strategy),
        update_checkout=update_checkout,
        allow_moved=allow_moved,
        partial=partial,
        dry_run=dry_run,
    )
    with _open(root, db) as workspace:
        return workspace.integrate(request)


def pause(
    run_id: str,
    *,
    reason: str | None = None,
    by: str | None = None,
    root: Place = None,
    db: str | None = None,
) -> Run:
    """Let a run begin nothing more, and return it; `resume` goes on with it.

    A process that works on it ends after the steps under way, which may be after this has returned.
    Raises UsageError when it has ended, NotFoundError.
    """
    with _open(root, db) as workspace:
        workspace.pause(run_id, reason=reason, by=by or _me())
        return workspace.reader.get_run(run_id)


def cancel(
    run_id: str,
    *,
    reason: str | None = None,
    compensate: bool = False,
    by: str | None = None,
    root: Place = None,
    db: str | None = None,
) -> Run:
    """Give a run up, with all of its workstreams that have not ended, and return it.

    `compensate` runs the compensation_actions of what has begun, the last first. A process that
    works on the run does it; until that has stopped what is under way the run is still running.
    Raises InvalidTransitionError when it has ended, NotFoundError.
    """
    with _open(root, db) as workspace:
        if advance(RUN_MOVES, workspace.reader.get_run(run_id).status, RunState.CANCELED):
            workspace.cancel(run_id, reason=reason, compensate=compensate, by=by or _me())
        return workspace.reader.get_run(run_id)


def quarantine(
    run_id: str,
    ws_id: str | None = None,
    *,
    reason: str,
    compensate: bool = False,
    by: str | None = None,
    root: Place = None,
    db: str | None = None,
) -> Run:
    """Set a run aside with its failed workstreams, or one failed workstream of it alone.

    The evidence goes to state/quarantine. A process that works on the run does it, as in `cancel`.
    Raises InvalidTransitionError when the run is neither running nor failed, or the workstream has
    not failed; UsageError for one that is done and merged; NotFoundError.
    """
    with _open(root, db) as workspace:
        if _can_be_quarantined(workspace, run_id, ws_id):
            workspace.quarantine(
                run_id, ws_id, reason=reason, compensate=compensate, by=by or _me()
            )
        return workspace.reader.get_run(run_id)


def _can_be_quarantined(workspace: Workspace, run_id: str, ws_id: str | None) -> bool:
    """Tell whether there is anything left to do. Raises InvalidTransitionError, NotFoundError."""
    if ws_id is None:
        status = workspace.reader.get_run(run_id).status
        return advance(RUN_MOVES, status, RunState.QUARANTINED)
    row = workspace.reader.get_workstream(run_id, ws_id)
    if row.status is WorkstreamState.DONE:  # of what is not merged, the merge is rejected
        return row.integration is not IntegrationState.REJECTED
    return advance(WORKSTREAM_MOVES, row.status, WorkstreamState.QUARANTINED)


def retry(
    run_id: str,
    *ws_ids: str,
    failed: bool = False,
    from_step: str = "edit",
    tool: str | None = None,
    root: Place = None,
    db: str | None = None,
    observer: Observer | None = None,
    stop: Stop | None = None,
) -> RunResult:
    """Try workstreams of a run again from a step (edit, static, runtime, integrate), and go on with it.

    They have failed, or could not be merged; `failed` means all of those. Where another process
    works on the run, that one does it, and what is returned is the result as it is now. Raises
    UsageError when there is nothing to retry, or one of them cannot be; NotFoundError.
    """
    with _open(root, db) as workspace:
        names = list(ws_ids)
        if failed:
            rows = workspace.reader.list_workstreams(run_id)
            names += [row.ws_id for row in rows if why_not_retried(row, from_step) is None]
        result = workspace.retry(
            run_id,
            tuple(dict.fromkeys(names)),
            from_step=from_step,
            options=ResumeOptions(tool=tool),
            observer=observer,
            stop=stop,
        )
        return result or workspace.result(run_id)


@contextmanager
def _open(root: Place, db: str | None) -> Iterator[Workspace]:
    with open_workspace(None if root is None else Path(root), db=db) as workspace:
        yield workspace


def _strategy(name: str) -> HandoverStrategy:
    try:
        return HandoverStrategy(name)
    except ValueError:
        known = ", ".join(strategy.value for strategy in HandoverStrategy)
        raise UsageError(f"there is no strategy {name!r}", hint=f"one of {known}") from None


def _me() -> str:
    """Return the login name. Raises UsageError on a machine that does not know it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError) as error:
        raise UsageError("it is not known who you are", hint="Say it with `by`.") from error
