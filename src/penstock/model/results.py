"""The result of a run, as printed by `--json` and returned by the Python API."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import field


class StepResult(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt of one step. `step_name` is edit, static, runtime, fix or integrate."""

    step_name: str
    attempt: int
    status: str
    tool_id: str | None
    outcome: str | None
    success: bool
    duration_sec: float | None
    details: dict[str, Any] = field(default_factory=dict)
    error_message: str | None = None


class WorkstreamResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one workstream; cost and tokens are None when unknown."""

    ws_id: str
    final_status: str
    branch: str | None
    commit: str | None
    reason: str | None
    cost_usd: float | None
    input_tokens: int | None
    output_tokens: int | None
    steps: tuple[StepResult, ...] = ()


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a run."""

    run_id: str
    status: str
    started_at: str | None
    ended_at: str | None
    workstreams: tuple[WorkstreamResult, ...] = ()
    dry_run: bool = False
