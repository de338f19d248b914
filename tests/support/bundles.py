"""Bundles for tests: valid ones made from few words, and files of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from penstock.model.bundle import Bundle


def bundle_dict(ws_id: str = "ws-a", **fields: Any) -> dict[str, Any]:
    """A valid bundle as JSON has it; its scope is a file named after it."""
    base: dict[str, Any] = {
        "id": ws_id,
        "openspec_change": "change-1",
        "ccpm_issue": 7,
        "gate": 1,
        "files_scope": [f"src/{ws_id}.py"],
        "tasks": ["do it"],
        "tool": "scripted",
    }
    return {**base, **fields}


def bundle(ws_id: str = "ws-a", **fields: Any) -> Bundle:
    """A valid bundle."""
    return msgspec.convert(bundle_dict(ws_id, **fields), Bundle)


def chain(count: int, **fields: Any) -> list[Bundle]:
    """Bundles of which each depends on the one before."""
    ids = [f"ws-{at:05}" for at in range(count)]
    return [
        bundle(ws_id, depends_on=ids[at - 1 : at] if at else [], **fields)
        for at, ws_id in enumerate(ids)
    ]


def write_bundles(directory: Path, name: str, content: Sequence[Any] | dict[str, Any]) -> Path:
    """Write a JSON file of bundles and return its path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
