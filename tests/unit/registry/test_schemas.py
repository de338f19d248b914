"""The published schemas of AIM's files say what the reader says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from penstock.registry.locate import PACKAGED
from tests.support.registries import AIDER

ROOT = Path(__file__).resolve().parents[3]


def fits(name: str, document: Any) -> bool:
    """Tell whether a document matches a published schema."""
    text = (ROOT / "schema" / f"aim_{name}.schema.json").read_text(encoding="utf-8")
    return jsonschema_rs.is_valid(json.loads(text), document)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("registry", "AIM_registry.json"),
        ("coordination_rules", "AIM_cross-tool/AIM_coordination-rules.json"),
    ],
)
def test_the_packaged_files_match(name: str, file: str) -> None:
    """What penstock brings is valid by its own schema."""
    assert fits(name, json.loads((PACKAGED / file).read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("registry", {"$schema": "x", "tools": {"aider": {**AIDER, "_why": "y"}}}),
        ("coordination_rules", {"capabilities": {}, "security": {"max_file_count": 3}}),
        ("config", {"_note": "x", "enable_aim": False, "registry": {"tools": {"a": {}}}}),
    ],
)
def test_what_the_reader_takes(name: str, document: Any) -> None:
    """Comments and parts that are left out are fine."""
    assert fits(name, document)


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("registry", {"tools": {"aider": {"name": "aider"}}}),
        ("coordination_rules", {"capabilities": {"a": {"fallback": []}}}),
        ("config", {"enable_ami": True}),
        ("config", {"audit": {"events": ["dance"]}}),
    ],
)
def test_what_the_reader_refuses(name: str, document: Any) -> None:
    """Missing starred keys and unknown ones are errors in an editor, too."""
    assert not fits(name, document)
