"""Registries and aim_config files of scratch repositories."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from penstock.registry.api import Registry
from penstock.registry.load import load_registry

FOLDER = ".AIM_ai-tools-registry"
RULES = "AIM_cross-tool/AIM_coordination-rules.json"
AIDER = {"name": "aider", "detectCommands": [["aider", "--version"]]}


def write_json(path: Path, value: Any) -> Path:
    """Write a value as JSON, folders included, as if it had been there for a while."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return settled(path)


def settled(path: Path) -> Path:
    """Give a file a modification time in the past, so that it counts as settled."""
    then = time.time() - 60
    os.utime(path, (then, then))
    return path


def write_registry(folder: Path, tools: Any = None, *, rules: Any = None, **more: Any) -> Path:
    """Write a registry with these tools, and its coordination rules when given."""
    write_json(folder / "AIM_registry.json", {"tools": tools or {"aider": AIDER}, **more})
    if rules is not None:
        write_json(folder / RULES, rules)
    return folder


def write_config(root: Path, value: Any, name: str = "config/aim_config.json") -> Path:
    """Write an aim_config as JSON, which is YAML too."""
    return write_json(root / name, value)


def registry_of(root: Path, **environ: str) -> Registry:
    """Return the effective registry with these variables only."""
    return load_registry(root, environ=environ)
