"""The documented functions that call a capability at once, in the repository of the current folder.

Unlike a workstream, a call works in the folder as it is: no worktree, no checks, no commit.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from penstock.engine.calls import CallResult
from penstock.errors import AIMCapabilityNotFoundError, AIMRegistryNotFoundError, PenstockError
from penstock.model.times import iso
from penstock.tools.api import ToolResult
from penstock.wiring import open_workspace

Payload = Mapping[str, Any]


def invoke_adapter(
    tool_id: str, capability: str, payload: Payload, timeout_sec: float | None = None
) -> dict[str, Any]:
    """Call one tool for a capability; returns {success, message, content}.

    Raises NotFoundError for an unknown tool.
    """
    with open_workspace() as workspace:
        return _document(workspace.call_tool(tool_id, capability, payload, timeout_sec))


def route_capability(
    capability: str, payload: Payload, timeout_sec: float | None = None
) -> dict[str, Any]:
    """Call the tools of a capability until one succeeds; returns {success, message, content}.

    When all fail the message lists every attempt and `content.attempts` holds them; a capability
    that no rule names gives a failed result too.
    """
    with open_workspace() as workspace:
        try:
            return _document(workspace.call_capability(capability, payload, timeout_sec))
        except AIMCapabilityNotFoundError as error:
            text = f"capability {capability!r} is not defined in coordination rules: {error}"
            return {"success": False, "message": text, "content": {"attempts": []}}


def execute_with_aim(
    capability: str,
    payload: Payload,
    fallback_tool: str | None = None,
    context: Mapping[str, Any] | None = None,
    run_id: str | None = None,
    ws_id: str | None = None,
) -> ToolResult:
    """Call a capability; when AIM cannot do it, call `fallback_tool` directly.

    `context` may hold timeout_sec. Both errors are told when both fail. Raises nothing for what
    tools do; ConfigError and AIMRegistryLoadError for a registry that is wrong.
    """
    timeout = (context or {}).get("timeout_sec")
    with open_workspace() as workspace:
        try:
            done = workspace.call_capability(
                capability, payload, timeout, run_id=run_id, ws_id=ws_id
            )
        except (AIMCapabilityNotFoundError, AIMRegistryNotFoundError) as error:
            aim_error = str(error)
        else:
            if done.success or done.content.get("refused"):
                return _tool_result(done)
            aim_error = done.message
        if fallback_tool is None:
            return _failed("aim", aim_error)
        try:
            direct = workspace.call_tool(fallback_tool, capability, payload, timeout)
        except PenstockError as error:
            return _failed(fallback_tool, f"AIM: {aim_error}\nFallback: {error}")
        if direct.success:
            return _tool_result(direct)
        return _failed(fallback_tool, f"AIM: {aim_error}\nFallback: {direct.message}")


def record_audit_log(
    tool_id: str, capability: str, payload: Payload, result: Mapping[str, Any]
) -> str | None:
    """Record a call in the audit trail and return the line's hash; None where auditing is off.

    `result` is {success, message, content}. Raises AIMAuditLogError.
    """
    with open_workspace() as workspace:
        if workspace.trail is None:
            return None
        return workspace.trail.invocation(
            tool_id=tool_id,
            capability=capability,
            payload=payload,
            success=bool(result.get("success")),
            message=str(result.get("message") or ""),
            content=result.get("content"),
        )


def _document(result: CallResult) -> dict[str, Any]:
    return {"success": result.success, "message": result.message, "content": result.content}


def _tool_result(result: CallResult) -> ToolResult:
    exit_code = result.content.get("exit_code")
    return ToolResult(
        tool_id=result.tool_id,
        command_line=shlex.join(result.argv),
        exit_code=0 if result.success else exit_code or 1,
        stdout=str(result.content.get("stdout") or ""),
        stderr="" if result.success else result.message,
        timed_out=result.outcome.kind.value in ("timeout", "idle"),
        started_at=iso(result.started_at),
        completed_at=iso(result.started_at + result.duration_s),
        duration_sec=result.duration_s,
        success=result.success,
    )


def _failed(tool_id: str, error: str) -> ToolResult:
    return ToolResult(
        tool_id=tool_id,
        command_line="",
        exit_code=1,
        stdout="",
        stderr=error,
        timed_out=False,
        started_at=iso(0),
        completed_at=iso(0),
        duration_sec=0.0,
        success=False,
    )
