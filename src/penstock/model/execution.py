"""ExecutionRequest: one task as it is handed to a tool, with its limits. Times are seconds."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta, field

from penstock.model.capability import Strategy
from penstock.model.router import Named, SafetyTier

UlidText = Annotated[str, Meta(pattern="^[0-9A-HJKMNP-TV-Z]{26}$")]
DEFAULT_ATTEMPTS = 3


class Complexity(StrEnum):
    """How hard a task is expected to be."""

    TRIVIAL = "trivial"
    SIMPLE = "simple"
    MODERATE = "moderate"
    COMPLEX = "complex"
    EXPERT = "expert"


class RequestPriority(StrEnum):
    """How urgent a task is."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    CRITICAL = "critical"


class Classification(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What kind of task it is."""

    complexity: Complexity = Complexity.MODERATE
    risk_tier: SafetyTier = "medium"
    domain: str = "general"
    priority: RequestPriority = RequestPriority.NORMAL


class ResourceScope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it may read, write and create, and what it must leave alone: paths and globs."""

    read: tuple[Named, ...] = ()
    write: tuple[Named, ...] = ()
    create: tuple[Named, ...] = ()
    forbidden: tuple[Named, ...] = ()


class RequestRouting(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """How a tool is chosen, how often it is tried and how long a try may take (s)."""

    strategy: Strategy
    allowed_tools: tuple[Named, ...] = ()
    max_attempts: Annotated[int, Meta(ge=1)] = DEFAULT_ATTEMPTS
    timeout_seconds: Annotated[float, Meta(ge=1)] | None = None


class RequestOrigin(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Who made it, and when (ISO-8601, UTC)."""

    created_by: str | None = None
    created_at: str | None = None


class RequestConstraints(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What its result is held to."""

    patch_only: bool = False
    tests_must_pass: bool = False
    max_lines_changed: Annotated[int, Meta(ge=0)] | None = None


class Telemetry(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """How it is followed across programs."""

    correlation_id: str | None = None
    trace_flags: str | int | None = None


class ExecutionRequest(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One task for a tool. `command` is an argument list; `prompt` is the text for the tool."""

    request_id: UlidText
    project_id: Named
    phase_id: Named
    task_kind: Named
    classification: Classification
    resource_scope: ResourceScope
    routing: RequestRouting
    workstream_id: str | None = None
    tool_id: str | None = None
    description: str | None = None
    command: tuple[str, ...] | None = None
    prompt: str | None = None
    context: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    origin: RequestOrigin | None = None
    constraints: RequestConstraints | None = None
    prompt_spec: dict[str, Any] | None = None
    telemetry: Telemetry | None = None


def execution_request_schema() -> dict[str, Any]:
    """Return the JSON Schema of an ExecutionRequest."""
    return msgspec.json.schema(ExecutionRequest)
