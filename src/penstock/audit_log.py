"""The documented audit logger, in the repository of the current folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.audit.api import EventType, Severity
from penstock.wiring import open_workspace

Details = Mapping[str, Any]


class AuditLogger:
    """Records events in the audit trail of the repository of the current folder.

    Nothing is recorded where enable_audit_logging is false.
    """

    def log_event(
        self,
        event_type: EventType | str,
        message: str,
        details: Details | None = None,
        severity: Severity | str = Severity.INFO,
    ) -> None:
        """Record an event; `run_id` and `ws_id` among the details name what it belongs to.

        It is on file when this returns. Raises AIMAuditLogError when it is not, ValueError for an
        unknown type or severity.
        """
        kind, weight = EventType(event_type), Severity(severity)
        told = dict(details or {})
        with open_workspace() as workspace:
            if workspace.trail is None:
                return
            workspace.trail.event(
                kind,
                message,
                severity=weight,
                details=told,
                run_id=_text(told.get("run_id")),
                ws_id=_text(told.get("ws_id")),
            )

    def log_error(self, context: str, message: str, details: Details | None = None) -> None:
        """Record an error; `context` says where it came up. Raises AIMAuditLogError."""
        told = {"context": context, **(details or {})}
        self.log_event(EventType.ERROR, message, told, Severity.ERROR)


def get_audit_logger() -> AuditLogger:
    """Return the audit logger."""
    return AuditLogger()


def log_event(
    event_type: EventType | str,
    message: str,
    details: Details | None = None,
    severity: Severity | str = Severity.INFO,
) -> None:
    """Record an event; see `AuditLogger.log_event`."""
    get_audit_logger().log_event(event_type, message, details, severity)


def log_error(context: str, message: str, details: Details | None = None) -> None:
    """Record an error; see `AuditLogger.log_error`."""
    get_audit_logger().log_error(context, message, details)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
