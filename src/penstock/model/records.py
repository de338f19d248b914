"""What the journal holds: runs, workstreams, attempts, events, errors, costs.

Times are ISO-8601 UTC strings ending in `Z`; `*_json` columns appear decoded.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec
from msgspec import field

from penstock.model.states import AttemptState, IntegrationState, RunState, WorkstreamState

Json = dict[str, Any]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a set of workstreams."""

    run_id: str
    status: RunState
    created_at: str
    updated_at: str
    reason: str | None = None
    reason_until: str | None = None
    base_commit: str | None = None
    integration_branch: str | None = None
    project_id: str | None = None
    phase_id: str | None = None
    exit_code: int | None = None
    error_message: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    metadata: Json = field(default_factory=dict)


class Workstream(msgspec.Struct, frozen=True, kw_only=True):
    """One workstream within a run; `metadata["bundle"]` is the bundle as it was when it began."""

    run_id: str
    ws_id: str
    status: WorkstreamState
    integration: IntegrationState
    created_at: str
    updated_at: str
    gate: int | None = None
    depends_on: tuple[str, ...] = ()
    reason: str | None = None
    reason_until: str | None = None
    worktree_path: str | None = None
    branch: str | None = None
    base_commit: str | None = None
    head_commit: str | None = None
    metadata: Json = field(default_factory=dict)


class NewWorkstream(msgspec.Struct, frozen=True, kw_only=True):
    """What a workstream is entered with; it is pending unless `status` says otherwise."""

    ws_id: str
    status: WorkstreamState = WorkstreamState.PENDING
    gate: int | None = None
    depends_on: tuple[str, ...] = ()
    metadata: Json = field(default_factory=dict)


class NewAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """The intent of an attempt, written before anything is done.

    `step_name` is edit, static, runtime, fix or integrate; `for_step` names the step that a fix
    turn serves. `attempt` counts from 1 within (run, workstream, step_name). `marker` is the value
    of the environment variable that every child of this attempt carries, `base_commit` the commit
    that the worktree is at before the attempt.
    """

    run_id: str
    ws_id: str
    step_name: str
    attempt: int
    tool_id: str | None = None
    for_step: str | None = None
    marker: str | None = None
    base_commit: str | None = None
    result: Json = field(default_factory=dict)


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One recorded attempt; `sequence` orders all attempts of a workstream.

    `pid` and `pid_start` (as in process.identity) name the process that does it, once it runs.
    """

    id: int
    run_id: str
    ws_id: str
    step_name: str
    attempt: int
    status: AttemptState
    sequence: int
    started_at: str | None = None
    completed_at: str | None = None
    tool_id: str | None = None
    for_step: str | None = None
    marker: str | None = None
    pid: int | None = None
    pid_start: int | None = None
    base_commit: str | None = None
    exit_code: int | None = None
    error_signature: str | None = None
    diff_hash: str | None = None
    result: Json = field(default_factory=dict)


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One event; `id` grows with time."""

    id: int
    timestamp: str
    event_type: str
    run_id: str | None = None
    ws_id: str | None = None
    payload: Json = field(default_factory=dict)


class ErrorRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One distinct error of a step, with how often it was seen."""

    id: int
    count: int
    first_seen_at: str
    last_seen_at: str
    run_id: str | None = None
    ws_id: str | None = None
    step_name: str | None = None
    error_code: str | None = None
    signature: str | None = None
    message: str | None = None
    context: Json = field(default_factory=dict)


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What one attempt cost; None means unknown."""

    run_id: str
    ws_id: str | None
    step_attempt_id: int | None
    model_name: str | None
    input_tokens: int | None
    output_tokens: int | None
    estimated_cost_usd: float | None
    actual_cost_usd: float | None
    timestamp: str


class ErrorContext(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the error pipeline for one workstream; `context` is all that it saved."""

    run_id: str
    ws_id: str
    current_state: str
    attempt_number: int
    created_at: str
    updated_at: str
    current_agent: str | None = None
    final_status: str | None = None
    context: Json = field(default_factory=dict)


class Cap(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that a turn must fit under; None is no limit.

    `name` is what is added up: `workstream` (of the turn), `run` (of the turn), or `day` (all runs
    since `since`, an ISO time; None: ever).
    """

    name: str
    max_cost_usd: float | None = None
    max_tokens: int | None = None
    since: str | None = None


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """What a turn may come to, held back until it is settled; None is unknown, never zero."""

    tokens: int | None = None
    cost_usd: float | None = None
    caps: tuple[Cap, ...] = ()


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What turns have cost, and what is reserved for those under way.

    `unpriced` counts settled turns of which no cost is known; they add nothing to `cost_usd`.
    """

    cost_usd: float
    input_tokens: int
    output_tokens: int
    unpriced: int
    reserved_cost_usd: float
    reserved_tokens: int


class RequestKind(StrEnum):
    """What another process may ask of the one that works on a run."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    RETRY = "retry"
    QUARANTINE = "quarantine"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Something asked of the process that works on a run; open until `heeded_at` is set."""

    id: int
    run_id: str
    kind: RequestKind
    created_at: str
    ws_id: str | None = None
    payload: Json = field(default_factory=dict)
    requested_by: str | None = None
    heeded_at: str | None = None
