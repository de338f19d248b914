"""What the registry room gives: tools, rules, switches, and what of it is on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from penstock.errors import AIMCapabilityNotFoundError, AIMToolNotFoundError
from penstock.model.capability import AimSwitches, CapabilityRule, CoordinationRules

REGISTRY_FOLDER = ".AIM_ai-tools-registry"
REGISTRY_FILE = "AIM_registry.json"
RULES_FILE = "AIM_cross-tool/AIM_coordination-rules.json"
ADAPTERS_FOLDER = "AIM_adapters"
AUDIT_FOLDER = "AIM_audit"

Argv = tuple[str, ...]


class RegistryTool(msgspec.Struct, frozen=True, kw_only=True):
    """One tool of the registry, its placeholders filled.

    `detect_commands` are argument lists, of which one that is there says that the tool is;
    `adapter_script` is an executable of the open adapter protocol. `unproven` says why the adapter
    has never been run against the real tool, None when it has. `secrets` are those that it may have,
    None where that is left to its adapter.
    """

    tool_id: str
    name: str
    detect_commands: tuple[Argv, ...]
    version_command: Argv = ()
    install_command: Argv = ()
    update_command: Argv = ()
    config_paths: tuple[str, ...] = ()
    log_paths: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    adapter_script: Path | None = None
    pinned_version: str | None = None
    auto_update: bool = False
    unproven: str | None = None
    secrets: tuple[str, ...] | None = None

    @property
    def executable(self) -> str:
        """The program that the first detect command names."""
        return self.detect_commands[0][0]

    @property
    def install_hint(self) -> str:
        """The command that installs it, for people; its name where the registry has none."""
        return " ".join(self.install_command) or f"install {self.name}"


class Registry(msgspec.Struct, frozen=True, kw_only=True):
    """The effective registry: where it was found, its tools by id in file order, and the rules.

    `origin` says for people why this folder counts; `packaged` is set when it is penstock's own.
    """

    path: Path
    origin: str
    packaged: bool
    tools: Mapping[str, RegistryTool]
    rules: CoordinationRules

    def tool(self, tool_id: str) -> RegistryTool:
        """Return a tool. Raises AIMToolNotFoundError that lists the known ones."""
        if tool_id not in self.tools:
            raise AIMToolNotFoundError(
                f"the tool {tool_id!r} is not in the AIM registry",
                hint=f"known tools: {', '.join(sorted(self.tools))}",
            )
        return self.tools[tool_id]

    def rule(self, capability: str) -> CapabilityRule:
        """Return the rule of a capability. Raises AIMCapabilityNotFoundError."""
        if capability not in self.rules.capabilities:
            raise AIMCapabilityNotFoundError(capability, self.rules.capabilities)
        return self.rules.capabilities[capability]


class HealthChecks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the health check looks for."""

    enabled: bool = True
    required_commands: tuple[str, ...] = field(default=(), name="requiredCommands")
    required_paths: tuple[str, ...] = field(default=(), name="requiredPaths")


class VersionPins(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Versions that packages shall have, by package manager; `tools` are programs of any origin."""

    pip: dict[str, str] = field(default_factory=dict)
    pipx: dict[str, str] = field(default_factory=dict)
    uv: dict[str, str] = field(default_factory=dict)
    npm: dict[str, str] = field(default_factory=dict)
    winget: dict[str, str] = field(default_factory=dict)
    tools: dict[str, str] = field(default_factory=dict)

    def by_manager(self) -> dict[str, dict[str, str]]:
        """Return the pins by the name of their manager."""
        return {name: getattr(self, name) for name in self.__struct_fields__}


class Scanner(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where duplicates and caches are looked for; `min_size_kb` is the smallest file compared,
    `ignore` are lines as of an ignore file, counted from each root."""

    roots: tuple[str, ...] = ()
    cache_patterns: tuple[str, ...] = field(default=(), name="cachePatterns")
    min_size_kb: Annotated[int, Meta(ge=0)] = field(default=100, name="minSizeKB")
    ignore: tuple[str, ...] = ()


class Preflight(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is looked at before a run."""

    health: bool = True
    versions: bool = True
    scan: bool = False
    auto_sync: bool = False


class EnvironmentSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `environment` section of aim_config: this machine's tools, pins and folders."""

    tools_root: str | None = field(default=None, name="toolsRoot")
    pipx_apps: tuple[str, ...] = field(default=(), name="pipxApps")
    npm_global: tuple[str, ...] = field(default=(), name="npmGlobal")
    pip_environment: str | None = field(default=None, name="pipEnvironment")
    secrets_vault: str | None = field(default=None, name="secretsVault")
    central_cache: str | None = field(default=None, name="centralCache")
    health_checks: HealthChecks = field(default=HealthChecks(), name="healthChecks")
    version_pins: VersionPins = field(default_factory=VersionPins, name="versionPins")
    scanner: Scanner = Scanner()
    preflight: Preflight = Preflight()


AuditEvent = Literal["tool_invoke", "secret_access", "health_check", "install", "config_change"]
AUDIT_EVENTS: tuple[AuditEvent, ...] = (
    "tool_invoke", "secret_access", "health_check", "install", "config_change",
)  # fmt: skip


class AuditSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `audit` section of aim_config. `enabled` is an alias of `enable_audit_logging`; `log_path`
    moves the trail (from the repository's top when relative); `events` are the kinds recorded."""

    enabled: bool | None = None
    log_path: str | None = field(default=None, name="logPath")
    events: tuple[AuditEvent, ...] = AUDIT_EVENTS


class AimSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What aim_config says. `source` names the file for people, None without one."""

    switches: AimSwitches = AimSwitches()
    environment: EnvironmentSection = EnvironmentSection()
    audit: AuditSection = AuditSection()
    version: str | None = None
    source: str | None = None


class ToolDetection(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a tool is on this machine.

    `path` is its executable, None when it is not there; `version` is None when it would not say.
    `version_from` says where the version was read: `package`, `cache`, `asked` or None.
    """

    tool_id: str
    path: str | None = None
    version: str | None = None
    version_from: Literal["package", "cache", "asked"] | None = None

    @property
    def detected(self) -> bool:
        """Tell whether the tool is there."""
        return self.path is not None


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a tool can reach its model, as far as that can be told without asking it.

    `key` names the variable that holds a key, `login` the file of a login; both None with `command`
    set means that neither was found and `command` mends it; all None: the tool needs neither. With
    `in_vault` the key lies in the vault, which lends it to the tool.
    """

    key: str | None = None
    login: str | None = None
    command: str | None = None
    needed: bool = True
    in_vault: bool = False

    @property
    def words(self) -> str:
        """One phrase for people."""
        if not self.needed:
            return "not needed"
        if self.key is not None:
            return f"{self.key} in the vault" if self.in_vault else f"key in {self.key}"
        return f"login in {self.login}" if self.login is not None else f"no: {self.command}"
