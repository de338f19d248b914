"""Gates that wait for somebody's word."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.errors import UsageError
from penstock.model.states import RunState
from penstock.store.api import Journal

_UNFINISHED = frozenset({RunState.PENDING, RunState.RUNNING})


def approve_gate(
    journal: Journal,
    run_id: str,
    gate: int | None,
    by: str,
    *,
    needed: Iterable[int],
    note: str | None = None,
) -> int:
    """Record that somebody approves a gate of a run, and return which.

    Without `gate` it is the lowest of those that need an approval (`needed`, the setting) and have
    none. Raises UsageError when the run has ended, has no such gate, or none that waits;
    NotFoundError.
    """
    run = journal.get_run(run_id)
    if run.status not in _UNFINISHED:
        raise UsageError(
            f"run {run_id} has ended ({run.status.value})", hint=f"penstock status {run_id}"
        )
    gates = {row.gate for row in journal.list_workstreams(run_id) if row.gate is not None}
    if gate is None:
        gate = min(gates & frozenset(needed) - journal.approved_gates(run_id), default=None)
        if gate is None:
            raise UsageError(f"no gate of {run_id} waits to be approved")
    if gate not in gates:
        names = ", ".join(str(number) for number in sorted(gates))
        raise UsageError(f"{run_id} has no gate {gate} (it has: {names})")
    journal.approve(run_id, gate, by, note)
    return gate
