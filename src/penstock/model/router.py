"""config/router_config.json as values: apps, and the rules that give them tasks."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from penstock.model.capability import Strategy

Named = Annotated[str, Meta(min_length=1)]
SafetyTier = Literal["low", "medium", "high"]


class AppKind(StrEnum):
    """What an app is for."""

    TOOL = "tool"
    VALIDATOR = "validator"
    ANALYZER = "analyzer"


class AppCapabilities(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an app can do; no domain named means any."""

    task_kinds: tuple[Named, ...] = ()
    domains: tuple[Named, ...] = ()


class AppLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many tasks at a time, and how long one may take (s)."""

    max_parallel: Annotated[int, Meta(ge=1)] = 1
    timeout_seconds: Annotated[float, Meta(gt=0)] = 600.0


class App(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One app. `command` is an argument list, or one text that is split as a shell would."""

    kind: AppKind
    command: Named | Annotated[tuple[Named, ...], Meta(min_length=1)]
    capabilities: AppCapabilities
    limits: AppLimits = AppLimits()
    safety_tier: SafetyTier = "medium"


class Match(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which tasks a rule is for; what is empty or not given is not compared."""

    task_kind: tuple[Named, ...] = ()
    risk_tier: tuple[Named, ...] = ()
    complexity: Named | tuple[Named, ...] = ()


class RouterRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which apps a task goes to; without a strategy the file's default holds."""

    id: Named
    match: Match
    select_from: tuple[Named, ...] = ()
    strategy: Strategy | None = None
    # the apps that check its result, and whether the result stands and falls with them
    validate_with: tuple[Named, ...] = ()
    required: bool = False


class Routing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rules, the first that matches first."""

    rules: tuple[RouterRule, ...] = ()


class RouterDefaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds where nothing else is said."""

    max_attempts: Annotated[int, Meta(ge=1)] = 3
    timeout_seconds: Annotated[float, Meta(gt=0)] = 600.0
    strategy: Strategy = Strategy.FIXED


class RouterConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file. Apps keep the order of the file."""

    version: Annotated[str, Meta(pattern=r"^\d+\.\d+\.\d+$")]
    apps: dict[Named, App]
    routing: Routing
    defaults: RouterDefaults = field(default_factory=RouterDefaults)
