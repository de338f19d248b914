"""The documented functions over router_config.json and ExecutionRequests, in the current repository."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from typing import Any

from penstock.breakers.circuit import DEFAULT_CIRCUIT, cooling_until
from penstock.config.router import load_router_config
from penstock.errors import UsageError
from penstock.model.execution import ExecutionRequest
from penstock.model.ids import next_ulid
from penstock.model.router import App
from penstock.routing.api import ToolState
from penstock.routing.requests import ExecutionRequestBuilder
from penstock.routing.tasks import TaskRouter
from penstock.store.api import Journal
from penstock.wiring import open_workspace

HALF_LIFE_S = 7 * 86400.0
"""After a week a turn counts half as much for `auto`."""


def route_task(
    task_kind: str,
    risk_tier: str | None = None,
    complexity: str | None = None,
    domain: str | None = None,
) -> str | None:
    """Return the app of config/router_config.json that a task goes to, or None.

    A rotation goes on by one, for every process that uses this journal. Raises ConfigError.
    """
    with open_workspace() as workspace:
        config = load_router_config(workspace.root)
        journal = workspace.open_journal()
        router = TaskRouter(
            config,
            clock=time.time,
            rotation=journal,
            states=lambda: tool_states(journal, config.apps, time.time()),
        )
        return router.route_task(task_kind, risk_tier, complexity, domain)


def get_tool_config(tool_id: str) -> App:
    """Return an app of config/router_config.json. Raises NotFoundError, ConfigError."""
    with open_workspace() as workspace:
        config = load_router_config(workspace.root)
    return TaskRouter(config, clock=time.time).get_tool_config(tool_id)


def tool_states(journal: Journal, apps: Mapping[str, App], now: float) -> dict[str, ToolState]:
    """Return what the journal knows of each app at a moment (s since the epoch)."""
    breakers = {breaker.tool_id: breaker for breaker in journal.list_tool_breakers()}
    records, busy = journal.tool_statistics(now, HALF_LIFE_S), journal.busy_tools()
    found = {}
    for app_id, app in apps.items():
        breaker, record = breakers.get(app_id), records.get(app_id)
        found[app_id] = ToolState(
            tool_id=app_id,
            cooling_until=cooling_until(breaker, DEFAULT_CIRCUIT, now) if breaker else None,
            cooling_reason=(breaker.reason or "") if breaker else "",
            busy=busy.get(app_id, 0),
            max_parallel=app.limits.max_parallel,
            successes=record.successes if record else 0.0,
            failures=record.failures if record else 0.0,
            median_s=record.median_s if record else None,
            cost_per_success=record.cost_per_success if record else None,
        )
    return found


def create_execution_request(
    task_kind: str, tool_id: str | None = None, prompt: str | None = None, **kw: Any
) -> ExecutionRequest:
    """Return a request for a task.

    `kw` takes project_id and phase_id (both `default` unless given), workstream_id, description,
    complexity, risk_tier, domain, priority; command, strategy, allowed_tools; context, prompt_spec,
    read, write, create, forbidden; max_attempts, timeout_seconds; constraints and metadata
    (mappings); created_by, correlation_id, trace_flags. Raises ExecutionRequestError, a ValueError,
    and UsageError for another name.
    """
    given = {"project_id": "default", "phase_id": "default", **kw}
    parts = {method: _take(given, names) for method, names in _PARTS.items()}
    constraints = given.pop("constraints", None) or {}
    if given:
        raise UsageError(f"an ExecutionRequest has no {', '.join(sorted(given))}")
    builder = ExecutionRequestBuilder(new_id=new_request_id, clock=time.time)
    builder.with_task(task_kind, **parts["task"]).with_tool(tool_id, **parts["tool"])
    builder.with_input(prompt, **parts["input"]).with_limits(**parts["limits"])
    return builder.with_constraints(**constraints).with_metadata(**parts["metadata"]).build()


_PARTS: Mapping[str, tuple[str, ...]] = {
    "task": (
        "description", "project_id", "phase_id", "workstream_id",
        "complexity", "risk_tier", "domain", "priority",
    ),
    "tool": ("command", "strategy", "allowed_tools"),
    "input": ("context", "prompt_spec", "read", "write", "create", "forbidden"),
    "limits": ("max_attempts", "timeout_seconds"),
    "metadata": ("metadata", "created_by", "correlation_id", "trace_flags"),
}  # fmt: skip


def _take(given: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: given.pop(name) for name in names if name in given}


class _Ulids:
    """A source of ULIDs, each above the one before, for all threads of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: str | None = None

    def new(self) -> str:
        """Make the next one."""
        with self._lock:
            self._last = next_ulid(time.time_ns() // 1_000_000, os.urandom(10), self._last)
            return self._last


_ULIDS = _Ulids()


def new_request_id() -> str:
    """Make the id of a request: a ULID above all that this process made before."""
    return _ULIDS.new()
