"""The JSON Schemas of the files of AIM, from the types that read them."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.registry.wire import ConfigFile, RegistryFile, RulesFile

KINDS: dict[str, type] = {
    "aim_config": ConfigFile,
    "aim_registry": RegistryFile,
    "aim_coordination_rules": RulesFile,
}


def aim_schema(name: str) -> dict[str, Any]:
    """Return the schema of a file by its name without ending (see KINDS)."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"penstock {name}",
        **msgspec.json.schema(KINDS[name]),
    }
    _allow_comments(schema)
    return schema


def _allow_comments(schema: Any) -> None:
    """Let every object of a schema have keys that begin with `$` or `_`, as the reader does."""
    if isinstance(schema, dict):
        if schema.get("additionalProperties") is False:
            schema["patternProperties"] = {"^[$_]": {}}
        for inner in schema.values():
            _allow_comments(inner)
