"""The documented functions of AIM, in the repository of the current folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.errors import AIMRegistryNotFoundError
from penstock.model.capability import CoordinationRules
from penstock.registry.api import Registry
from penstock.routing.api import RouteDecision
from penstock.wiring import open_workspace


def get_aim_registry_path() -> Path:
    """Return the folder of the effective registry. Raises AIMRegistryNotFoundError, ConfigError."""
    with open_workspace() as workspace:
        return workspace.registry_path


def load_aim_registry() -> Registry:
    """Return the effective registry: its tools and rules, the overlay of aim_config laid over them.

    Raises AIMRegistryNotFoundError, AIMRegistryLoadError, ConfigError.
    """
    with open_workspace() as workspace:
        return workspace.registry


def load_coordination_rules() -> CoordinationRules:
    """Return the effective coordination rules. Raises as `load_aim_registry` does."""
    return load_aim_registry().rules


def detect_tool(tool_id: str) -> bool:
    """Tell whether a tool of the registry is on this machine.

    Raises AIMToolNotFoundError for one that is not in the registry.
    """
    with open_workspace() as workspace:
        return workspace.tool_side().detection(tool_id).detected


def get_tool_version(tool_id: str) -> str | None:
    """Return the installed version of a tool, None when it is not there or names none in time.

    Raises AIMToolNotFoundError for one that is not in the registry.
    """
    with open_workspace() as workspace:
        return workspace.tool_side().detection(tool_id).version


def route_to_capability(capability: str, payload: Mapping[str, Any] | None = None) -> RouteDecision:
    """Return which tool would take a capability now, and why; nothing is started.

    `payload` None leaves what the rule requires of it out. Raises AIMCapabilityNotFoundError.
    """
    with open_workspace() as workspace:
        return workspace.tool_side().decide(capability, payload)


def is_aim_available() -> bool:
    """Tell whether AIM is on and its registry can be reached.

    Raises AIMRegistryLoadError or ConfigError for one that is there and wrong.
    """
    with open_workspace() as workspace:
        if not workspace.aim_settings.switches.enable_aim:
            return False
        try:
            return bool(workspace.registry.tools)
        except AIMRegistryNotFoundError:
            return False


def migrate_ai_manager_to_aim(
    source: str | None = None,
    *,
    vault: str | None = None,
    dry_run: bool = False,
    mark_deprecated: bool = False,
) -> dict[str, Any]:
    """Bring an AI_MANGER tree over to aim_config and the vault, and return the report as plain values.

    `source` is the old tree (AI_MANGER of the repository by default), `vault` a copy of its vault.json.
    Raises NotFoundError without a tree, ConfigError, SecretsError, AIMAuditLogError.
    """
    import msgspec

    with open_workspace() as workspace:
        report = workspace.migrate(
            source, vault=vault, mark_deprecated=mark_deprecated, dry_run=dry_run
        )
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(report))
    return plain


def run_pre_flight_checks(run_id: str | None = None, ws_id: str | None = None) -> dict[str, Any]:
    """Look whether workstreams can run here and now: with the tools of a run of the journal, of one
    workstream of it, or of none without `run_id`.

    Returns {health_status, health_summary, version_drift, pre_flight_passed, checks, ...}, which the
    event `preflight` keeps with the run. Raises PreFlightError, a RuntimeError, when a check fails;
    NotFoundError.
    """
    return pre_flight(None, None, run_id, ws_id)


def pre_flight(
    root: str | os.PathLike[str] | None, db: str | None, run_id: str | None, ws_id: str | None
) -> dict[str, Any]:
    """Do as `run_pre_flight_checks` in a repository (None: that of the current folder)."""
    with open_workspace(None if root is None else Path(root), db=db) as workspace:
        found = workspace.preflight_of(run_id, ws_id) if run_id else workspace.preflight()
    found.require_passed()
    return found.document()
