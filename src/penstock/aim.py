"""The documented functions of AIM, in the repository of the current folder."""

from __future__ import annotations

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
