"""The workstream bundle: one unit of work with its scope, tool, checks and dependencies."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

NonEmpty = Annotated[str, Meta(min_length=1)]


class Kind(StrEnum):
    """What kind of work a bundle is."""

    DESIGN = "design"
    IMPL = "impl"
    TEST = "test"
    DOCS = "docs"
    INFRA = "infra"
    REFACTOR = "refactor"
    BACKGROUND = "background"
    SPIKE = "spike"


class Priority(StrEnum):
    """Which work goes first."""

    FOREGROUND = "foreground"
    BACKGROUND = "background"


class TestGate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A named gate: lint and security gates belong to STATIC, unit and integration to RUNTIME."""

    __test__ = False  # not a test class, whatever its name

    type: Literal["GATE_LINT", "GATE_SECURITY", "GATE_UNIT", "GATE_INTEGRATION"]
    required: bool = True
    blocking: bool = True


class BreakerOverrides(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of `circuit_breaker` that penstock knows; others are kept and ignored."""

    max_attempts: Annotated[int, Meta(ge=1)] | None = None
    max_error_repeats: Annotated[int, Meta(ge=0)] | None = None
    oscillation_threshold: Annotated[int, Meta(ge=0)] | None = None


class CapabilityPayload(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of `capability_payload` that penstock knows; others are kept and passed on."""

    files: tuple[str, ...] | None = None
    prompt: str | None = None
    timeout_ms: Annotated[int, Meta(ge=1000)] | None = None
    max_retries: Annotated[int, Meta(ge=0, le=5)] | None = None


class Bundle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One workstream. Paths are repo-relative with `/`; a trailing `/` marks a directory."""

    id: Annotated[str, Meta(pattern="^ws-[a-z0-9-]+$")]
    openspec_change: str
    ccpm_issue: int | str
    gate: Annotated[int, Meta(ge=1)]
    files_scope: Annotated[tuple[str, ...], Meta(min_length=1)]
    tasks: tuple[str, ...]
    tool: NonEmpty
    files_create: tuple[str, ...] = ()
    acceptance_tests: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    circuit_breaker: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    capability: NonEmpty | None = None
    capability_payload: dict[str, Any] | None = None
    parallel_ok: bool = True
    conflict_group: str | None = None
    kind: Kind = Kind.IMPL
    priority: Priority = Priority.FOREGROUND
    estimated_context_tokens: Annotated[int, Meta(ge=0)] | None = None
    max_cost_usd: Annotated[float, Meta(ge=0)] | None = None
    compensation_actions: tuple[str, ...] = ()
    test_gates: tuple[TestGate, ...] = ()

    @property
    def claims(self) -> tuple[str, ...]:
        """All paths that this workstream may touch: files_scope and files_create."""
        return tuple(dict.fromkeys((*self.files_scope, *self.files_create)))
