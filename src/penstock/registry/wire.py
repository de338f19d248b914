"""The files of a registry and aim_config as they are written: one type per format.

Keys keep the spelling of the documents (`detectCommands`, `primaryTool`, `timeout_ms`); keys that
begin with `$` or `_` are comments.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from penstock.model.capability import Strategy
from penstock.model.settings import SecretName
from penstock.registry.api import AuditSection, EnvironmentSection

Text = Annotated[str, Meta(min_length=1)]
Argv = Annotated[tuple[Text, ...], Meta(min_length=1)]
Command = Text | Argv
Name = Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Requirement = bool | Literal["required", "optional"]
Milliseconds = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=0)]


class ToolKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a tool may have beside its name and how it is found."""

    version_command: Text | tuple[Text, ...] = field(default=(), name="versionCommand")
    install_command: Text | tuple[Text, ...] = field(default=(), name="installCommand")
    update_command: Text | tuple[Text, ...] = field(default=(), name="updateCommand")
    config_paths: tuple[str, ...] = field(default=(), name="configPaths")
    log_paths: tuple[str, ...] = field(default=(), name="logPaths")
    capabilities: tuple[Name, ...] = ()
    adapter_script: Text | None = field(default=None, name="adapterScript")
    pinned_version: Text | None = field(default=None, name="pinnedVersion")
    auto_update: bool = field(default=False, name="autoUpdate")
    unproven: Text | None = None
    secrets: tuple[SecretName, ...] | None = None


class ToolEntry(ToolKeys, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One tool of AIM_registry.json."""

    name: Text
    detect_commands: Annotated[tuple[Command, ...], Meta(min_length=1)] = field(
        name="detectCommands"
    )


class RuleEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One capability of the coordination rules."""

    primary: Name
    fallback: tuple[Name, ...] = ()
    timeout_ms: Milliseconds | None = None
    max_retries: Count | None = None
    context_requirements: dict[str, Requirement] = field(default_factory=dict)
    load_balance: bool = field(default=False, name="loadBalance")
    strategy: Strategy = Strategy.FIXED


class Conflicts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens when two workstreams want one tool: the second one waits."""

    concurrent_access: Literal["queue"] = "queue"
    max_concurrent: Annotated[int, Meta(ge=1)] = 1


class SecurityEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The security limits. What is left out is filled from the packaged rules before it gets here;
    a list that is given replaces the packaged one."""

    max_payload_size_bytes: Annotated[int, Meta(ge=1)] = 1 << 20
    max_file_count: Annotated[int, Meta(ge=1)] = 50
    allowed_file_patterns: tuple[Text, ...] = ()
    forbidden_paths: tuple[Text, ...] = ()


class RulesFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """AIM_coordination-rules.json."""

    capabilities: dict[Name, RuleEntry]
    security: SecurityEntry = SecurityEntry()
    version: str | None = None
    conflict_resolution: Conflicts = Conflicts()


class OverlayTool(ToolKeys, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tool of the overlay: only the keys that it changes, all starred ones for one of its own."""

    name: Text | None = None
    detect_commands: tuple[Command, ...] = field(default=(), name="detectCommands")


class OverlayRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A capability of the overlay: only the keys that it changes."""

    primary_tool: Name | None = field(default=None, name="primaryTool")
    fallbacks: tuple[Name, ...] = ()
    timeout_ms: Milliseconds | None = None
    max_retries: Count | None = None
    context_requirements: dict[str, Requirement] = field(default_factory=dict)
    load_balance: bool = field(default=False, name="loadBalance")
    strategy: Strategy = Strategy.FIXED


class RegistryRule(OverlayRule, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A capability of AIM_registry.json."""

    primary_tool: Name = field(name="primaryTool")


class RegistryFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """AIM_registry.json. Its capabilities count where the coordination rules have none."""

    tools: dict[Name, ToolEntry]
    capabilities: dict[Name, RegistryRule] = field(default_factory=dict)
    version: str | None = None
    rules_path: Text | None = field(default=None, name="crossToolRulesPath")


class Overlay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `registry` section of aim_config: laid over the registry, key by key."""

    tools: dict[Name, OverlayTool] = field(default_factory=dict)
    capabilities: dict[Name, OverlayRule] = field(default_factory=dict)
    rules_path: Text | None = field(default=None, name="crossToolRulesPath")


class ConfigFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """aim_config.json or aim_config.yaml."""

    version: str | float | None = None
    enable_aim: bool = True
    enable_audit_logging: bool = True
    audit_log_retention_days: Annotated[int, Meta(ge=1)] = 30
    default_timeout_ms: Milliseconds = 30_000
    registry_path: Text = "auto"
    registry: Overlay = Overlay()
    environment: EnvironmentSection = EnvironmentSection()
    audit: AuditSection = AuditSection()


RENAMED: Mapping[str, str] = {"primaryTool": "primary", "fallbacks": "fallback"}
"""Keys of a capability in a registry and in aim_config, and in the coordination rules."""


def without_comments(value: Any) -> Any:
    """Return a value without the keys that begin with `$` or `_`, at any depth."""
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if not (isinstance(k, str) and k[:1] in ("$", "_"))}
        return {key: without_comments(inner) for key, inner in kept.items()}
    if isinstance(value, list):
        return [without_comments(item) for item in value]
    return value


def rule_keys(entry: Any) -> Any:
    """Return a capability with the key names of the coordination rules."""
    if not isinstance(entry, dict):
        return entry
    return {RENAMED.get(key, key): value for key, value in entry.items()}
