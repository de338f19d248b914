"""Capabilities, the rules that route them, and the tools that offer them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta, field

PACKAGED_CAPABILITIES = (
    "code_generation",
    "linting",
    "planning",
    "refactoring",
    "review",
    "testing",
    "version_checking",
)
MUST_CHANGE = frozenset({"code_generation", "refactoring"})
"""Capabilities of which a turn without a change has failed; the others are judged by their result."""


class Strategy(StrEnum):
    """In which order candidates are tried."""

    FIXED = "fixed"
    ROUND_ROBIN = "round_robin"
    AUTO = "auto"


class CapabilityRule(msgspec.Struct, frozen=True, kw_only=True):
    """One capability of the coordination rules.

    `context_requirements` names payload fields and whether they are required. `load_balance`
    spreads calls over the tools (strategy round_robin). Times are milliseconds.
    """

    primary: str
    fallback: tuple[str, ...] = ()
    timeout_ms: Annotated[int, Meta(ge=1)] | None = None
    max_retries: Annotated[int, Meta(ge=0)] | None = None
    context_requirements: dict[str, Any] = field(default_factory=dict)
    load_balance: bool = False
    strategy: Strategy = Strategy.FIXED

    @property
    def tools(self) -> tuple[str, ...]:
        """All tools in order, each once."""
        return tuple(dict.fromkeys((self.primary, *self.fallback)))


class SecurityLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What is refused before any adapter starts. Patterns are matched on file names, forbidden
    paths on whole resolved path parts."""

    max_payload_size_bytes: int = 1 << 20
    max_file_count: int = 50
    allowed_file_patterns: tuple[str, ...] = ()
    forbidden_paths: tuple[str, ...] = ()


class CoordinationRules(msgspec.Struct, frozen=True, kw_only=True):
    """The effective coordination rules: capabilities by name, limits, concurrency per tool."""

    capabilities: dict[str, CapabilityRule]
    security: SecurityLimits = SecurityLimits()
    max_concurrent: int = 1


class AimSwitches(msgspec.Struct, frozen=True, kw_only=True):
    """The switches of aim_config."""

    enable_aim: bool = True
    enable_audit_logging: bool = True
    audit_log_retention_days: Annotated[int, Meta(ge=1)] = 30
    default_timeout_ms: Annotated[int, Meta(ge=1)] = 30_000
    registry_path: str = "auto"
