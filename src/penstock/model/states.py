"""States of runs, workstreams, attempts and integrations, and their only legal moves."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import TypeVar

from penstock.errors import InvalidTransitionError


class RunState(StrEnum):
    """State of a run."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    QUARANTINED = "quarantined"
    CANCELED = "canceled"


class WorkstreamState(StrEnum):
    """State of a workstream within a run. FIX turns happen inside the two checking states."""

    PENDING = "pending"
    STARTED = "started"
    EDITING = "editing"
    READY_FOR_STATIC = "ready_for_static"
    STATIC_CHECK = "static_check"
    RUNTIME_TESTS = "runtime_tests"
    DONE = "done"
    FAILED = "failed"
    QUARANTINED = "quarantined"
    CANCELED = "canceled"


class AttemptState(StrEnum):
    """State of one recorded attempt; `unknown` means that its outcome was lost in a crash."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    UNKNOWN = "unknown"


class IntegrationState(StrEnum):
    """How far a finished workstream has come on its way into the integration branch."""

    NONE = "none"
    QUEUED = "queued"
    MERGED = "merged"
    CONFLICT = "conflict"
    REJECTED = "rejected"


S = TypeVar("S", bound=Enum)

_R, _W, _A, _I = RunState, WorkstreamState, AttemptState, IntegrationState

RUN_MOVES: Mapping[RunState, frozenset[RunState]] = {
    _R.PENDING: frozenset({_R.RUNNING, _R.CANCELED}),
    _R.RUNNING: frozenset({_R.SUCCEEDED, _R.FAILED, _R.QUARANTINED, _R.CANCELED}),
    _R.FAILED: frozenset({_R.QUARANTINED}),
    _R.SUCCEEDED: frozenset(),
    _R.QUARANTINED: frozenset(),
    _R.CANCELED: frozenset(),
}
WORKSTREAM_MOVES: Mapping[WorkstreamState, frozenset[WorkstreamState]] = {
    _W.PENDING: frozenset({_W.STARTED, _W.CANCELED}),
    _W.STARTED: frozenset({_W.EDITING, _W.CANCELED}),
    _W.EDITING: frozenset({_W.READY_FOR_STATIC, _W.FAILED, _W.CANCELED}),
    _W.READY_FOR_STATIC: frozenset({_W.STATIC_CHECK, _W.CANCELED}),
    _W.STATIC_CHECK: frozenset({_W.RUNTIME_TESTS, _W.FAILED, _W.CANCELED}),
    _W.RUNTIME_TESTS: frozenset({_W.DONE, _W.FAILED, _W.CANCELED}),
    _W.FAILED: frozenset({_W.QUARANTINED}),
    _W.DONE: frozenset(),
    _W.QUARANTINED: frozenset(),
    _W.CANCELED: frozenset(),
}
ATTEMPT_MOVES: Mapping[AttemptState, frozenset[AttemptState]] = {
    _A.PENDING: frozenset({_A.RUNNING, _A.CANCELED}),
    _A.RUNNING: frozenset({_A.SUCCEEDED, _A.FAILED, _A.CANCELED, _A.UNKNOWN}),
    _A.SUCCEEDED: frozenset(),
    _A.FAILED: frozenset(),
    _A.CANCELED: frozenset(),
    _A.UNKNOWN: frozenset(),
}
INTEGRATION_MOVES: Mapping[IntegrationState, frozenset[IntegrationState]] = {
    _I.NONE: frozenset({_I.QUEUED}),
    _I.QUEUED: frozenset({_I.MERGED, _I.CONFLICT, _I.REJECTED}),
    _I.CONFLICT: frozenset({_I.QUEUED, _I.REJECTED}),
    _I.MERGED: frozenset(),
    _I.REJECTED: frozenset(),
}
# An explicit retry by the user is the one way back; nothing in the program takes it by itself.
RUN_RETRY: Mapping[RunState, frozenset[RunState]] = {_R.FAILED: frozenset({_R.RUNNING})}
WORKSTREAM_RETRY: Mapping[WorkstreamState, frozenset[WorkstreamState]] = {
    _W.FAILED: frozenset({_W.PENDING})
}

RUN_ALIASES: Mapping[str, str] = {"in_progress": "running"}
ATTEMPT_ALIASES: Mapping[str, str] = {
    "success": "succeeded",
    "completed": "succeeded",
    "error": "failed",
}


def advance(
    moves: Mapping[S, frozenset[S]],
    current: S,
    target: S,
    *,
    retry: Mapping[S, frozenset[S]] | None = None,
) -> bool:
    """Tell whether `current` to `target` is a change (True) or no move at all (False).

    `retry` adds the moves that only an explicit retry may make.
    Raises InvalidTransitionError naming from, to and the allowed targets.
    """
    if current == target:
        return False
    allowed = moves[current] | (retry or {}).get(current, frozenset())
    if target in allowed:
        return True
    names = ", ".join(sorted(s.value for s in allowed)) or "none, it is terminal"
    raise InvalidTransitionError(
        f"illegal transition from {current.value} to {target.value} (allowed: {names})"
    )


def is_terminal(moves: Mapping[S, frozenset[S]], state: S) -> bool:
    """Tell whether no move at all leads out of `state`."""
    return not moves[state]
