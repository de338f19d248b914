"""Building an ExecutionRequest step by step; what it lacks or gets wrong is told when it is built."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Self

from penstock.errors import ExecutionRequestError
from penstock.model.capability import Strategy
from penstock.model.execution import (
    DEFAULT_ATTEMPTS,
    ExecutionRequest,
    execution_request_schema,
)
from penstock.model.times import iso
from penstock.typed import typed


class ExecutionRequestBuilder:
    """Collects the parts of a request; `build` checks them all.

    `new_id` makes its id (a ULID), `clock` gives seconds since the epoch. Classification, scope and
    routing have defaults; project_id, phase_id and task_kind must be given. None leaves a part open.
    """

    def __init__(self, *, new_id: Callable[[], str], clock: Callable[[], float]) -> None:
        self._parts: dict[str, Any] = {
            "request_id": new_id(),
            "classification": {
                "complexity": "moderate",
                "risk_tier": "medium",
                "domain": "general",
                "priority": "normal",
            },
            "resource_scope": {"read": [], "write": [], "create": [], "forbidden": []},
            "routing": {"strategy": Strategy.FIXED.value, "max_attempts": DEFAULT_ATTEMPTS},
            "origin": {"created_by": "penstock", "created_at": iso(clock())},
        }

    def with_task(
        self,
        task_kind: str,
        description: str | None = None,
        *,
        project_id: str | None = None,
        phase_id: str | None = None,
        workstream_id: str | None = None,
        **classification: str | None,
    ) -> Self:
        """Say what is to be done, for which project and phase.

        `classification` takes complexity, risk_tier, domain and priority.
        """
        self._put(
            task_kind=task_kind,
            description=description,
            project_id=project_id,
            phase_id=phase_id,
            workstream_id=workstream_id,
        )
        return self._put_into("classification", classification)

    def with_tool(
        self,
        tool_id: str | None,
        command: Sequence[str] | None = None,
        *,
        strategy: str | None = None,
        allowed_tools: Sequence[str] | None = None,
    ) -> Self:
        """Say which tool it is for, or how one is chosen."""
        self._put(tool_id=tool_id, command=None if command is None else list(command))
        tools = None if allowed_tools is None else list(allowed_tools)
        return self._put_into("routing", {"strategy": strategy, "allowed_tools": tools})

    def with_input(
        self,
        prompt: str | None = None,
        context: Mapping[str, Any] | None = None,
        *,
        prompt_spec: Mapping[str, Any] | None = None,
        **scope: Sequence[str] | None,
    ) -> Self:
        """Hand it what it works on. `scope` takes read, write, create and forbidden."""
        self._put(
            prompt=prompt,
            context=None if context is None else dict(context),
            prompt_spec=None if prompt_spec is None else dict(prompt_spec),
        )
        paths = {name: None if value is None else list(value) for name, value in scope.items()}
        return self._put_into("resource_scope", paths)

    def with_constraints(self, **constraints: Any) -> Self:
        """Say what its result is held to: patch_only, tests_must_pass, max_lines_changed."""
        return self._put_into("constraints", constraints)

    def with_metadata(
        self,
        metadata: Mapping[str, Any] | None = None,
        *,
        created_by: str | None = None,
        correlation_id: str | None = None,
        trace_flags: str | int | None = None,
    ) -> Self:
        """Note what others need: free metadata, who asked, how it is followed."""
        self._put_into("metadata", metadata or {})
        self._put_into("origin", {"created_by": created_by})
        telemetry = {"correlation_id": correlation_id, "trace_flags": trace_flags}
        return self._put_into("telemetry", telemetry)

    def with_limits(
        self, max_attempts: int | None = None, timeout_seconds: float | None = None
    ) -> Self:
        """Bound how often it is tried and how long a try may take (s)."""
        limits = {"max_attempts": max_attempts, "timeout_seconds": timeout_seconds}
        return self._put_into("routing", limits)

    def build(self) -> ExecutionRequest:
        """Return the request. Raises ExecutionRequestError, a ValueError, that lists every error."""
        return decode_request(self._parts)

    def _put(self, **parts: Any) -> None:
        self._parts |= {name: value for name, value in parts.items() if value is not None}

    def _put_into(self, part: str, values: Mapping[str, Any]) -> Self:
        given = {name: value for name, value in values.items() if value is not None}
        if given:
            self._parts[part] = {**self._parts.get(part, {}), **given}
        return self


def decode_request(value: Any) -> ExecutionRequest:
    """Return a request from plain values.

    Raises ExecutionRequestError (`Missing required field: X` for a gap) that lists every error.
    """
    problems = request_problems(value)
    if problems:
        raise ExecutionRequestError("; ".join(problems))
    return typed(value, ExecutionRequest)


def request_problems(value: Any) -> tuple[str, ...]:
    """Return a line for each way in which a value is no request, gaps first."""
    missing: list[str] = []
    wrong: list[str] = []
    found = _validator().iter_errors(value)
    for error in (leaf for each in found for leaf in _leaves(each)):
        path = ".".join(map(str, error.instance_path))
        if error.kind.name == "required":
            name = f"{path}.{error.kind.value}" if path else error.kind.value
            missing.append(f"Missing required field: {name}")
        else:
            wrong.append(f"{path}: {error.message}" if path else error.message)
    return (*missing, *wrong)


def _leaves(error: Any) -> Iterator[Any]:
    """Give the errors within an alternative that the value was meant as: the one it fits best."""
    if error.kind.name != "anyOf":
        yield error
        return
    depth = len(error.instance_path)
    branches = [branch for branch in error.kind.value if branch]
    deeper = [b for b in branches if any(len(inner.instance_path) > depth for inner in b)]
    other = [b for b in branches if b[0].kind.name != "type"]
    for inner in (deeper or other or branches)[0]:
        yield from _leaves(inner)


@cache
def _validator() -> Any:
    import jsonschema_rs  # 16 ms that every other command saves

    return jsonschema_rs.validator_for(execution_request_schema())
