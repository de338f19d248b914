"""The typed Python API for steering a run: what the commands of the same names do.

`root` and `db` are as in `penstock.api`.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penstock.assembly import event_sink
from penstock.engine.gates import approve_gate
from penstock.engine.handover import HandoverRequest, HandoverResult
from penstock.errors import UsageError
from penstock.model.records import RequestKind, Run
from penstock.model.states import (
    RUN_MOVES,
    WORKSTREAM_MOVES,
    RunState,
    WorkstreamState,
    advance,
)
from penstock.process.identity import this_process
from penstock.store.api import Journal
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


def cancel(
    run_id: str, *, reason: str | None = None, root: Place = None, db: str | None = None
) -> Run:
    """Give a run up, with all of its workstreams that have not ended, and return it.

    While a process works on it, that process is asked to; the run then returned is still running.
    Raises InvalidTransitionError when it has ended, NotFoundError, ClaimError.
    """
    with _open(root, db) as workspace:
        return _set_aside(workspace, run_id, RequestKind.CANCEL, None, reason)


def quarantine(
    run_id: str,
    ws_id: str | None = None,
    *,
    reason: str,
    root: Place = None,
    db: str | None = None,
) -> Run:
    """Set a run aside with its failed workstreams, or one failed workstream of it alone.

    While a process works on it, that process is asked to. Raises InvalidTransitionError when the
    run is neither running nor failed, or the workstream has not failed; NotFoundError, ClaimError.
    """
    with _open(root, db) as workspace:
        return _set_aside(workspace, run_id, RequestKind.QUARANTINE, ws_id, reason)


def _set_aside(
    workspace: Workspace, run_id: str, kind: RequestKind, ws_id: str | None, reason: str | None
) -> Run:
    sink = event_sink(workspace.need_repository().root, None, workspace.trail)
    journal = workspace.open_journal(create=False, on_event=sink)
    run = journal.get_run(run_id)
    if ws_id is None:
        advance(RUN_MOVES, run.status, _RUN_ENDS[kind])
    if workspace.is_worked_on(run_id):
        journal.add_request(run_id, kind, ws_id=ws_id, payload={"reason": reason}, by=_me())
        return run
    journal.claim_run(run_id, this_process().to_dict(), seen=journal.run_owner(run_id))
    try:
        _move(journal, run_id, kind, ws_id, reason)
        return journal.get_run(run_id)
    finally:
        journal.release_run(run_id)


def _move(
    journal: Journal, run_id: str, kind: RequestKind, ws_id: str | None, reason: str | None
) -> None:
    """Move the workstreams concerned, one or all that can be, and then the run."""
    target = _WORKSTREAM_ENDS[kind]
    if ws_id is not None:
        journal.move_workstream(run_id, ws_id, target, reason=reason)
        return
    for row in journal.list_workstreams(run_id):
        if target in WORKSTREAM_MOVES[row.status]:
            journal.move_workstream(run_id, row.ws_id, target, reason=reason)
    journal.move_run(run_id, _RUN_ENDS[kind], reason=reason)


_RUN_ENDS = {
    RequestKind.CANCEL: RunState.CANCELED,
    RequestKind.QUARANTINE: RunState.QUARANTINED,
}
_WORKSTREAM_ENDS = {
    RequestKind.CANCEL: WorkstreamState.CANCELED,
    RequestKind.QUARANTINE: WorkstreamState.QUARANTINED,
}


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
