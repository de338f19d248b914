"""Carrying out an ExecutionRequest as often as it allows: backoff in between, the breaker in front."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Protocol

from penstock.breakers.retry import RetryPolicy, backoff
from penstock.errors import Interrupted, RetryExhausted
from penstock.model.execution import ExecutionRequest
from penstock.model.outcome import OutcomeKind
from penstock.model.toolhealth import ToolBreaker
from penstock.process.api import Stop
from penstock.tools.adapters import AdapterResult, ToolAdapter
from penstock.tools.run_tool import NOT_FOUND, NOT_STARTED, TIMED_OUT

POLICY = RetryPolicy(base_s=2.0)
_FINAL = frozenset({TIMED_OUT, NOT_FOUND, NOT_STARTED})
_KINDS = {TIMED_OUT: OutcomeKind.TIMEOUT, NOT_FOUND: OutcomeKind.NOT_INSTALLED}


class Breakers(Protocol):
    """The circuit breakers of tools: the journal has them."""

    def admit_tool_call(self, tool_id: str) -> ToolBreaker:
        """Let one call through. Raises CircuitBreakerOpen."""
        ...

    def record_tool_result(self, tool_id: str, kind: OutcomeKind) -> ToolBreaker:
        """Count what a call came to."""
        ...


def execute_with_retries(
    adapter: ToolAdapter,
    request: ExecutionRequest,
    *,
    breakers: Breakers | None = None,
    stop: Stop | None = None,
    policy: RetryPolicy = POLICY,
    jitter: Callable[[], float] = lambda: random.uniform(0.5, 1.5),  # noqa: S311 - no secret
) -> AdapterResult:
    """Carry out a request, at most `max_attempts` times; return the result that succeeded.

    A time limit and a program that cannot be started are not tried again. Raises RetryExhausted,
    CircuitBreakerOpen, ExecutionRequestError, and Interrupted when a stop was asked for.
    """
    waiting, tool_id = stop or Stop(), adapter.config.tool_id
    for attempt in range(1, request.routing.max_attempts + 1):
        if attempt > 1 and waiting.wait(backoff(policy, attempt - 1, jitter())):
            break
        result = _once(adapter, request, breakers)
        if result.success:
            return result
        if result.exit_code in _FINAL:
            raise _exhausted(tool_id, attempt, result)
    if waiting.asked:
        raise Interrupted(f"the request to {tool_id} was interrupted")
    raise _exhausted(tool_id, attempt, result)


def _once(
    adapter: ToolAdapter, request: ExecutionRequest, breakers: Breakers | None
) -> AdapterResult:
    """Carry it out once. A program that ran and failed works, as far as its breaker goes."""
    tool_id = adapter.config.tool_id
    if breakers is not None:
        breakers.admit_tool_call(tool_id)
    result = adapter.execute(request)
    if breakers is not None:
        kind = OutcomeKind.EDITED if result.success else OutcomeKind.NO_CHANGE
        breakers.record_tool_result(tool_id, _KINDS.get(result.exit_code, kind))
    return result


def _exhausted(tool_id: str, attempt: int, result: AdapterResult) -> RetryExhausted:
    times = "once" if attempt == 1 else f"{attempt} times"
    return RetryExhausted(f"{tool_id} failed {times}: {result.error_message}")
