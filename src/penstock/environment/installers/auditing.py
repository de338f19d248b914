"""What changes of packages are called in the audit trail. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from penstock.environment.api import InstallResult, SyncReport

_KINDS = {"install": "tool_install", "upgrade": "tool_upgrade", "uninstall": "tool_uninstall"}
"""Types of audit events by the action of a result."""


class Told(NamedTuple):
    """An audit event to be: type, message, severity, details."""

    kind: str
    message: str
    severity: str
    details: Mapping[str, Any]


def events_of(report: SyncReport) -> Iterator[Told]:
    """Yield an event for each thing that was done; what was not begun is none."""
    for result in (*report.results, *report.rolled_back):
        if result.action != "none":
            yield Told(_kind(result), _words(result), _severity(result.success), _details(result))


def summary(report: SyncReport) -> tuple[str, str, Mapping[str, Any]]:
    """Return message, severity and details of the event for a whole sync."""
    done = [result.tool for result in report.results if result.success]
    failed = [result.tool for result in report.results if not result.success]
    back = [result.tool for result in report.rolled_back if result.success]
    details = {
        "changed": done,
        "failed": failed,
        "rolled_back": back,
        "remaining": [tool.tool for tool in report.remaining],
        "notes": list(report.notes),
    }
    words = f"{len(done)} changed, {len(failed)} failed, {len(back)} put back"
    return words, _severity(report.ok), details


def _kind(result: InstallResult) -> str:
    if result.action == "rollback":
        return "tool_uninstall" if result.version is None else "tool_upgrade"
    return _KINDS[result.action]


def _words(result: InstallResult) -> str:
    verdict = "" if result.success else "failed: "
    return f"{result.manager.value} {result.action} {result.tool}: {verdict}{result.message}"


def _severity(success: bool) -> str:
    return "info" if success else "error"


def _details(result: InstallResult) -> Mapping[str, Any]:
    return {
        "tool": result.tool,
        "manager": result.manager.value,
        "success": result.success,
        "version": result.version,
        "command": result.command,
        "rollback_data": dict(result.rollback_data),
    }
