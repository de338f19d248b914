"""Results of runs to render."""

from __future__ import annotations

from typing import Any

from penstock.model.results import RunResult, StepResult, WorkstreamResult

NASTY = "bad \x00\x1b[31m <tag> & ]]> | `code` \ud800 end"
"""Text with what XML, Markdown and terminals mind."""


def step(name: str = "edit", attempt: int = 1, *, success: bool = True, **more: Any) -> StepResult:
    """Return an attempt."""
    fields: dict[str, Any] = {
        "status": "succeeded" if success else "failed",
        "tool_id": "scripted",
        "outcome": "edited",
        "duration_sec": 0.5,
    }
    return StepResult(step_name=name, attempt=attempt, success=success, **{**fields, **more})


def check(name: str = "ruff", *, passed: bool = True, **more: Any) -> dict[str, Any]:
    """Return a check as the journal keeps it."""
    code = 0 if passed else 1
    return {"check_id": name, "passed": passed, "exit_code": code, "duration_sec": 0.2, **more}


def finding(message: str = "unused import", **more: Any) -> dict[str, Any]:
    """Return a finding as the journal keeps it."""
    return {"tool": "ruff", "path": "a.py", "line": 3, "code": "F401", "message": message, **more}


def workstream(ws_id: str = "ws-one", *steps: StepResult, **more: Any) -> WorkstreamResult:
    """Return a workstream."""
    fields: dict[str, Any] = {
        "final_status": "done",
        "branch": f"workstream/{ws_id}/run-1",
        "commit": "0123456789abcdef0123456789abcdef01234567",
        "reason": None,
        "cost_usd": None,
        "input_tokens": None,
        "output_tokens": None,
    }
    return WorkstreamResult(ws_id=ws_id, steps=steps, **{**fields, **more})


def repaired(ws_id: str = "ws-repaired") -> WorkstreamResult:
    """Return a workstream that one FIX turn mended."""
    details = {"checks": [check(passed=False)], "findings": [finding()], "findings_count": 1}
    return workstream(
        ws_id,
        step(),
        step(
            "static", success=False, error_message="ruff (exit 1): unused import", details=details
        ),
        step("fix"),
        step("static", 2, outcome="passed", details={"checks": [check()]}),
        cost_usd=0.0123,
        input_tokens=1200,
        output_tokens=80,
    )


def broken(
    ws_id: str = "ws-broken", text: str = "static: the same error again"
) -> WorkstreamResult:
    """Return a workstream that failed."""
    details = {"checks": [check(passed=False)], "findings": [finding(text)], "patch": "a.patch"}
    failed = step("static", success=False, error_message=text, details=details)
    return workstream(ws_id, step(), failed, final_status="failed", reason=text, commit=None)


def run(*workstreams: WorkstreamResult, **more: Any) -> RunResult:
    """Return a run."""
    fields: dict[str, Any] = {
        "run_id": "run-1",
        "status": "succeeded",
        "started_at": "2026-01-31T10:00:00.000000Z",
        "ended_at": "2026-01-31T10:01:05.000000Z",
    }
    return RunResult(workstreams=workstreams, **{**fields, **more})
