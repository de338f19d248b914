"""Router configurations to route tasks with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.config.router import load_router_config
from penstock.model.router import RouterConfig
from penstock.routing.api import ToolState
from penstock.routing.tasks import Rotation, TaskRouter

NOW = 1_000.0


def app(*kinds: str, domains: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    """An app that offers kinds of task."""
    capabilities = {"task_kinds": list(kinds), "domains": list(domains)}
    return {"kind": "tool", "command": "true", "capabilities": capabilities, **more}


def content(
    *rules: dict[str, Any], apps: Mapping[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """A whole file; a, b and c edit code, d only documentation, unless said otherwise."""
    known = {name: app("edit") for name in "abc"} | {"d": app("document", domains=("docs",))}
    return {
        "version": "1.0.0",
        "apps": known if apps is None else apps,
        "routing": {"rules": list(rules)},
        **more,
    }


def edit_rule(name: str = "edits", *, select: str = "abc", **more: Any) -> dict[str, Any]:
    """A rule for edits."""
    match = {"task_kind": ["edit"], **more.pop("match", {})}
    return {"id": name, "match": match, "select_from": list(select), **more}


def write_router(folder: Path, value: object) -> Path:
    """Write a router_config.json."""
    path = folder / "router_config.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def router_config(folder: Path, *rules: dict[str, Any], **more: Any) -> RouterConfig:
    """Load a configuration with these rules."""
    return load_router_config(write_router(folder, content(*rules, **more)))


class Memory:
    """A rotation that this process remembers."""

    def __init__(self) -> None:
        self.last: dict[str, str] = {}

    def last_routed(self, key: str) -> str | None:
        """Whose turn it was."""
        return self.last.get(key)

    def set_last_routed(self, key: str, tool_id: str) -> None:
        """Keep it."""
        self.last[key] = tool_id


def router(
    config: RouterConfig, *states: ToolState, rotation: Rotation | None = None
) -> TaskRouter:
    """A router at NOW that knows of some apps how they are."""
    known = {state.tool_id: state for state in states}
    return TaskRouter(config, clock=lambda: NOW, rotation=rotation, states=lambda: known)
