"""The journal as the engine sees it: typed rows in, typed rows out.

Every method is one transaction. A change of state and its event are written together, and an
illegal change raises InvalidTransitionError and changes nothing. Once a run is claimed, writes to
it by anybody else raise ClaimLostError.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, Self

import msgspec

from penstock.breakers.circuit import DEFAULT_CIRCUIT, CircuitPolicy
from penstock.model.events import EventType
from penstock.model.outcome import OutcomeKind
from penstock.model.records import (
    Attempt,
    Cost,
    ErrorContext,
    ErrorRecord,
    Event,
    NewAttempt,
    NewWorkstream,
    Request,
    RequestKind,
    Reservation,
    Run,
    Spent,
    Workstream,
)
from penstock.model.states import AttemptState, IntegrationState, RunState, WorkstreamState
from penstock.model.toolhealth import ToolBreaker, ToolStatistics


class Journal(Protocol):
    """All that is known about runs. Implementations are safe to call from several threads."""

    def close(self) -> None:
        """Give the database back."""
        ...

    def together(self) -> AbstractContextManager[None]:
        """Make one transaction of all that this thread writes within the block; events come after.

        An error that leaves the block undoes all of it; one of a write must not be caught within.
        Not for claiming runs, and not for long: nobody else writes meanwhile.
        """
        ...

    # -- runs ------------------------------------------------------------------------------
    def create_run(
        self,
        run_id: str,
        *,
        status: RunState = RunState.PENDING,
        base_commit: str | None = None,
        integration_branch: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Run:
        """Add a run (event run_created). Raises UsageError when the id is taken."""
        ...

    def get_run(self, run_id: str) -> Run:
        """Return a run. Raises NotFoundError."""
        ...

    def list_runs(
        self, *, status: RunState | None = None, limit: int = 100, offset: int = 0
    ) -> list[Run]:
        """Return runs, newest first."""
        ...

    def move_run(
        self,
        run_id: str,
        to: RunState,
        *,
        reason: str | None = None,
        exit_code: int | None = None,
        error_message: str | None = None,
        retry: bool = False,
    ) -> Run:
        """Change a run's state, setting started_at and ended_at, with its events."""
        ...

    def set_run_base(self, run_id: str, base_commit: str, integration_branch: str) -> Run:
        """Record what a run starts from, once; a base that is there already stays."""
        ...

    def set_run_reason(self, run_id: str, reason: str | None, *, until: str | None = None) -> None:
        """Say why a run waits, or None when it no longer does."""
        ...

    def claim_run(
        self,
        run_id: str,
        owner: Mapping[str, Any],
        *,
        seen: Mapping[str, Any] | msgspec.UnsetType | None = msgspec.UNSET,
    ) -> int:
        """Take a run for this Journal object and return the new fence token (grows by one).

        From now on this object's writes to the run carry the token, and those of earlier holders
        raise ClaimLostError. Whether the earlier holder is dead is the caller's to judge before:
        hand what run_owner returned then as `seen`, and of two that judge at once only one gets
        the run; the other gets ClaimError. Without `seen` the run is taken in any case.
        """
        ...

    def release_run(self, run_id: str) -> None:
        """Give a claim back."""
        ...

    def run_owner(self, run_id: str) -> Mapping[str, Any] | None:
        """Return what the present holder said of itself (host, pid, start), or None."""
        ...

    # -- workstreams -----------------------------------------------------------------------
    def add_workstream(
        self,
        run_id: str,
        ws_id: str,
        *,
        gate: int | None = None,
        depends_on: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
    ) -> Workstream:
        """Add a pending workstream, or return the one that is there."""
        ...

    def add_workstreams(
        self, run_id: str, workstreams: Iterable[NewWorkstream]
    ) -> list[Workstream]:
        """Add pending workstreams, all or none; return each, or the one that was there, in order."""
        ...

    def get_workstream(self, run_id: str, ws_id: str) -> Workstream:
        """Return a workstream of a run. Raises NotFoundError."""
        ...

    def list_workstreams(self, run_id: str) -> list[Workstream]:
        """Return the workstreams of a run, sorted by id."""
        ...

    def find_workstream(self, ws_id: str) -> Workstream | None:
        """Return the row of the newest run that holds this workstream, or None."""
        ...

    def find_done_workstreams(self, ws_id: str) -> list[Workstream]:
        """Return all rows of that id that are done, newest run first."""
        ...

    def move_workstream(
        self,
        run_id: str,
        ws_id: str,
        to: WorkstreamState,
        *,
        reason: str | None = None,
        retry: bool = False,
    ) -> Workstream:
        """Change a workstream's state with its events; `reason` replaces the old one."""
        ...

    def move_integration(
        self, run_id: str, ws_id: str, to: IntegrationState, *, payload: Mapping[str, Any]
    ) -> Workstream:
        """Change how far a workstream is integrated (merge_queued, merged, merge_conflict)."""
        ...

    def update_workstream(
        self,
        run_id: str,
        ws_id: str,
        *,
        worktree_path: str | None = None,
        branch: str | None = None,
        base_commit: str | None = None,
        head_commit: str | None = None,
    ) -> Workstream:
        """Record facts; None leaves a field as it is."""
        ...

    def set_workstream_reason(
        self, run_id: str, ws_id: str, reason: str | None, *, until: str | None = None
    ) -> Workstream:
        """Say why a workstream waits (event workstream_waiting), or None when it goes on."""
        ...

    def retry_workstream(self, run_id: str, ws_id: str, from_step: str) -> Workstream:
        """Have a workstream tried again from a step (edit, static, runtime, integrate).

        One that failed becomes pending; from edit it also forgets its commits and worktree. One
        that is done but whose integration is `conflict` is queued for it once more, and keeps its
        commits. `metadata["retry"]` is {number, after: the highest sequence of its attempts, from}.
        """
        ...

    # -- attempts --------------------------------------------------------------------------
    def begin_attempt(
        self, intent: NewAttempt, *, reservation: Reservation | None = None
    ) -> Attempt:
        """Write the intent: a running attempt (events step_start, step_started).

        With a reservation, what is spent, what is reserved and this attempt must fit under every
        cap together, else BudgetExceeded; what it reserves is kept until the attempt is over.
        """
        ...

    def note_process(self, attempt_id: int, pid: int, start: int) -> None:
        """Record which process does an attempt that runs; a later one replaces it.

        `start` is its start time as process.identity gives it.
        """
        ...

    def finish_attempt(
        self,
        attempt_id: int,
        status: AttemptState,
        *,
        exit_code: int | None = None,
        error_signature: str | None = None,
        diff_hash: str | None = None,
        result: Mapping[str, Any] | None = None,
        head_commit: str | None = None,
        cost: Cost | None = None,
    ) -> Attempt:
        """Write the outcome (events step_end, step_completed), in one transaction with `head_commit`
        of the workstream and the row in cost_tracking.

        What the attempt had reserved is given up; with status unknown and no cost it is taken as
        the estimated cost.
        """
        ...

    def list_attempts(
        self, run_id: str, ws_id: str | None = None, *, step_name: str | None = None
    ) -> list[Attempt]:
        """Return attempts in the order in which they began."""
        ...

    # -- events, errors, cost, approvals ---------------------------------------------------
    def record_event(
        self,
        event_type: EventType,
        *,
        run_id: str | None = None,
        ws_id: str | None = None,
        payload: Mapping[str, Any] | None = None,
    ) -> Event:
        """Append an event."""
        ...

    def list_events(
        self,
        *,
        run_id: str | None = None,
        ws_id: str | None = None,
        event_type: EventType | None = None,
        after_id: int = 0,
        limit: int = 100,
        newest_first: bool = False,
    ) -> list[Event]:
        """Return events with an id above `after_id`."""
        ...

    def record_error(
        self,
        *,
        error_code: str,
        signature: str,
        message: str,
        run_id: str | None = None,
        ws_id: str | None = None,
        step_name: str | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> ErrorRecord:
        """Add an error, or count one more of the same (run, workstream, step, signature)."""
        ...

    def list_errors(self, run_id: str, ws_id: str | None = None) -> list[ErrorRecord]:
        """Return the errors of a run."""
        ...

    def list_costs(self, run_id: str, ws_id: str | None = None) -> list[Cost]:
        """Return what the attempts of a run cost."""
        ...

    def spent(
        self, *, run_id: str | None = None, ws_id: str | None = None, since: str | None = None
    ) -> Spent:
        """Return what was spent and what is reserved: by a run, a workstream of it, or by all.

        `since` (an ISO time) leaves out what was settled before, and what was reserved more than a
        day before.
        """
        ...

    def approve(self, run_id: str, gate: int, by: str, note: str | None = None) -> None:
        """Record that somebody approved a gate (event gate_approved).

        Not fenced: it is the user's word to whoever works on the run.
        """
        ...

    def approved_gates(self, run_id: str) -> frozenset[int]:
        """Return the approved gates of a run."""
        ...

    def save_error_context(
        self, run_id: str, ws_id: str, context: Mapping[str, Any]
    ) -> ErrorContext:
        """Keep the state of the error pipeline for a workstream, replacing the last one."""
        ...

    def get_error_context(self, run_id: str, ws_id: str) -> ErrorContext | None:
        """Return the state of the error pipeline for a workstream, or None."""
        ...

    def list_error_contexts(self, *, limit: int = 100) -> list[ErrorContext]:
        """Return the states of the error pipeline, the one that moved last first."""
        ...

    # -- requests --------------------------------------------------------------------------
    def add_request(
        self,
        run_id: str,
        kind: RequestKind,
        *,
        ws_id: str | None = None,
        payload: Mapping[str, Any] | None = None,
        by: str | None = None,
    ) -> Request:
        """Ask something of the process that works on a run (event request_made).

        Not fenced: it is the user's word to whoever works on the run.
        """
        ...

    def open_requests(self, run_id: str) -> list[Request]:
        """Return what nobody has heeded yet, in the order in which it was asked."""
        ...

    def heed_request(self, request_id: int) -> None:
        """Note that a request was heeded, or was refused; a second time does nothing."""
        ...

    # -- tools -----------------------------------------------------------------------------
    def tool_breaker(self, tool_id: str) -> ToolBreaker:
        """Return the circuit breaker of a tool; one that is not in the journal is closed."""
        ...

    def list_tool_breakers(self) -> list[ToolBreaker]:
        """Return all circuit breakers in the journal, by tool id."""
        ...

    def admit_tool_call(
        self, tool_id: str, *, policy: CircuitPolicy = DEFAULT_CIRCUIT
    ) -> ToolBreaker:
        """Let one call of a tool through; while it is a trial, others are held back.

        Raises CircuitBreakerOpen.
        """
        ...

    def record_tool_result(
        self,
        tool_id: str,
        kind: OutcomeKind,
        reset_at: float | None = None,
        *,
        policy: CircuitPolicy = DEFAULT_CIRCUIT,
    ) -> ToolBreaker:
        """Count the outcome of one call; return what the circuit breaker came to."""
        ...

    def reset_tool_breaker(self, tool_id: str) -> ToolBreaker:
        """Close a circuit breaker, because somebody mended the cause."""
        ...

    def tool_statistics(self, now: float, half_life_s: float) -> Mapping[str, ToolStatistics]:
        """Return the record of each tool over its EDIT and FIX turns, older ones counting less."""
        ...

    def busy_tools(self) -> Mapping[str, int]:
        """Return how many turns each tool has under way, lost ones counted until they are settled."""
        ...

    def last_routed(self, key: str) -> str | None:
        """Return the tool that a rotation was last given to, or None. `key` names the rotation."""
        ...

    def set_last_routed(self, key: str, tool_id: str) -> None:
        """Keep whose turn it was, for this and every other process."""
        ...

    # -- the database itself ---------------------------------------------------------------
    def table_counts(self) -> dict[str, int]:
        """Return the number of rows of each table, sorted by name, views and system tables left out."""
        ...

    def schema_version(self) -> int:
        """Return the number of the last migration applied."""
        ...


class DocumentedJournal(Journal, Protocol):
    """What the documented functions need beside what the engine does."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def add_workstream(
        self,
        run_id: str,
        ws_id: str,
        *,
        status: WorkstreamState = WorkstreamState.PENDING,
        gate: int | None = None,
        depends_on: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
    ) -> Workstream:
        """Add a workstream in whatever state, or return the one that is there."""
        ...

    def record_event(
        self,
        event_type: EventType | str,
        *,
        run_id: str | None = None,
        ws_id: str | None = None,
        payload: Mapping[str, Any] | None = None,
    ) -> Event:
        """Append an event, also of a type that penstock itself does not use."""
        ...

    def list_events(
        self,
        *,
        run_id: str | None = None,
        ws_id: str | None = None,
        event_type: EventType | str | None = None,
        after_id: int = 0,
        limit: int = 100,
        newest_first: bool = False,
    ) -> list[Event]:
        """Return events, also of a type that penstock itself does not use."""
        ...

    def record_attempt(
        self,
        intent: NewAttempt,
        status: AttemptState,
        *,
        started_at: str | None = None,
        completed_at: str | None = None,
    ) -> Attempt:
        """Write an attempt that somebody else made; `intent.attempt` 0 takes the next number."""
        ...
