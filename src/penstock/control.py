"""The typed Python API for steering a run: what the commands of the same names do.

`root` and `db` are as in `penstock.api`.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penstock.engine.gates import approve_gate
from penstock.engine.handover import HandoverRequest, HandoverResult
from penstock.errors import UsageError
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
