"""What of a run goes into the audit trail: every turn with its reasons, beginnings, ends, errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.audit.api import AuditTrail, EventType, Severity
from penstock.engine.calls import CallResult
from penstock.engine.job import Job
from penstock.model import events
from penstock.model.records import Attempt, Event

DIRECT = "direct"
"""The capability of a turn whose tool the bundle or the user named."""

_EVENTS: dict[str, tuple[EventType, Severity]] = {
    events.EventType.WORKSTREAM_START: (EventType.WORKSTREAM_START, Severity.INFO),
    events.EventType.WORKSTREAM_END: (EventType.WORKSTREAM_END, Severity.INFO),
    events.EventType.BREAKER_TRIP: (EventType.ERROR, Severity.ERROR),
    events.EventType.SCOPE_VIOLATION: (EventType.ERROR, Severity.ERROR),
    events.EventType.MAIN_CHECKOUT_TOUCHED: (EventType.ERROR, Severity.WARNING),
    events.EventType.CAPABILITY_REFUSED: (EventType.ERROR, Severity.ERROR),
    events.EventType.PREFLIGHT: (EventType.HEALTH_CHECK, Severity.INFO),
    events.EventType.MERGE_CONFLICT: (EventType.ERROR, Severity.ERROR),
    events.EventType.SECRET_FOUND: (EventType.ERROR, Severity.CRITICAL),
}


def audit_event(trail: AuditTrail, event: Event) -> None:
    """Record a run's event that belongs into the trail. Raises AIMAuditLogError."""
    if event.event_type not in _EVENTS:
        return
    kind, severity = _EVENTS[event.event_type]
    trail.event(
        kind,
        f"{event.ws_id or event.run_id}: {event.event_type.replace('_', ' ')}",
        severity=severity,
        details=event.payload,
        run_id=event.run_id,
        ws_id=event.ws_id,
    )


def audit_turn(job: Job, attempt: Attempt) -> None:
    """Record a finished turn as an invocation. Raises AIMAuditLogError."""
    trail = job.services.audit
    if trail is None:
        return
    result, route = attempt.result, job.route
    trail.invocation(
        tool_id=attempt.tool_id or job.tool_id,
        capability=job.bundle.capability or DIRECT if route is not None else DIRECT,
        payload=_payload(job, attempt),
        success=not result.get("error"),
        message=str(result.get("error") or result.get("message") or "done"),
        content=_content(attempt),
        outcome=result.get("outcome"),
        duration_s=result.get("tool_sec"),
        fallback=bool(route and route.get("fallback")),
        cost_usd=(result.get("usage") or {}).get("cost_usd"),
        routing=route,
        run_id=job.run_id,
        ws_id=job.ws_id,
    )


def audit_call(
    trail: AuditTrail | None,
    result: CallResult,
    capability: str,
    payload: Mapping[str, Any],
    *,
    run_id: str | None = None,
    ws_id: str | None = None,
) -> None:
    """Record a call outside of any turn, where auditing is on. Raises AIMAuditLogError."""
    if trail is None:
        return
    trail.invocation(
        tool_id=result.tool_id,
        capability=capability,
        payload=payload,
        success=result.success,
        message=result.message,
        content=result.content,
        outcome=result.outcome.kind.value,
        duration_s=result.duration_s,
        fallback=bool(result.attempts),
        cost_usd=result.usage.cost_usd,
        run_id=run_id,
        ws_id=ws_id,
    )


def _payload(job: Job, attempt: Attempt) -> dict[str, Any]:
    given = job.bundle.capability_payload or {}
    return {
        "prompt": "\n".join(job.bundle.tasks),
        "files": list(job.bundle.files_scope),
        **given,
        "step": attempt.step_name,
        "prompt_file": attempt.result.get("prompt_file"),
    }


def _content(attempt: Attempt) -> dict[str, Any]:
    result = attempt.result
    files = result.get("files", [])
    return {
        "files_modified": [f["path"] for f in files if f["kind"] != "added"],
        "files_created": [f["path"] for f in files if f["kind"] == "added"],
        "exit_code": attempt.exit_code,
        "commit": result.get("commit"),
        "patch": result.get("patch"),
        "attempt": attempt.attempt,
    }
