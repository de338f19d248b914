"""The names of the events in the journal."""

from __future__ import annotations

from enum import StrEnum


class EventType(StrEnum):
    """Type of a journal event; payloads are in docs/reference/events.md."""

    RUN_CREATED = "run_created"
    RUN_STARTED = "run_started"
    RUN_COMPLETED = "run_completed"
    RUN_QUARANTINED = "run_quarantined"
    RUN_CANCELED = "run_canceled"
    RUN_STATUS_CHANGED = "run_status_changed"
    RUN_RESUMED = "run_resumed"
    RUN_INTERRUPTED = "run_interrupted"
    WORKSTREAM_STATUS_CHANGED = "workstream_status_changed"
    WORKSTREAM_START = "workstream_start"
    WORKSTREAM_END = "workstream_end"
    WORKSTREAM_WAITING = "workstream_waiting"
    STEP_START = "step_start"
    STEP_END = "step_end"
    STEP_STARTED = "step_started"
    STEP_COMPLETED = "step_completed"
    TOOL_RUN = "tool_run"
    FIX_ATTEMPT = "fix_attempt"
    FIX_ATTEMPT_ERROR = "fix_attempt_error"
    FIX_DECISION = "fix_decision"
    BREAKER_TRIP = "breaker_trip"
    SCOPE_VIOLATION = "scope_violation"
    MAIN_CHECKOUT_TOUCHED = "main_checkout_touched"
    PROCESSES_SWEPT = "processes_swept"
    TEST_GATE_EXECUTED = "test_gate_executed"
    TEST_GATE_ERROR = "test_gate_error"
    GATE_WAITING = "gate_waiting"
    GATE_APPROVED = "gate_approved"
    MERGE_QUEUED = "merge_queued"
    MERGED = "merged"
    MERGE_CONFLICT = "merge_conflict"
    MERGE_REJECTED = "merge_rejected"
    BUDGET_EXCEEDED = "budget_exceeded"
    WORK_SAVED = "work_saved"
