"""The JSON Schema (draft-07) of a bundle, made from the model."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import msgspec

from penstock.model.bundle import BreakerOverrides, Bundle, CapabilityPayload
from penstock.model.scripted import ScriptedTurn
from penstock.planning.api import DEFAULT_CAPABILITIES

Schema = dict[str, Any]

PACKAGED: Final = Path(__file__).with_name("workstream.schema.json")
# A path longer than this cannot be a path of a repository, and comparing globs costs its square.
MAX_PATH: Final = 1024

DESCRIPTIONS: Final[Mapping[str, str]] = {
    "id": "Unique id: 'ws-' and then small letters, digits and '-'.",
    "openspec_change": "The OpenSpec change that this workstream comes from.",
    "ccpm_issue": "The issue it belongs to, as a number or a name.",
    "gate": "Barrier: it starts when all workstreams of every lower gate are done.",
    "files_scope": "What it may edit: files, directories ('docs/') and globs ('src/**/*.py'), "
    "relative to the repository, with '/'.",
    "files_create": "What it may create: entries like those of files_scope.",
    "tasks": "What is to be done, in words for the tool; may be empty.",
    "tool": "Id of the tool profile that does the work; the fallback when capability is set.",
    "acceptance_tests": "Commands run after the edit (RUNTIME), or prose for the prompt.",
    "depends_on": "Ids of the workstreams that must be done before it starts.",
    "circuit_breaker": "When to give up: overrides of the configured limits. Other keys are kept.",
    "metadata": "Free. 'scripted' lists the turns that the scripted tool plays.",
    "capability": "What the work needs; a tool is chosen by it. Known names: "
    + ", ".join(DEFAULT_CAPABILITIES)
    + ", and those of the coordination rules.",
    "capability_payload": "What the capability is asked with. Other keys are passed on.",
    "parallel_ok": "False: it runs alone.",
    "conflict_group": "Of all workstreams that name the same group, one runs at a time.",
    "kind": "What kind of work it is.",
    "priority": "Foreground work starts before background work.",
    "estimated_context_tokens": "How many tokens of context the work is expected to take.",
    "max_cost_usd": "Most that it may cost, in US dollars.",
    "compensation_actions": "Commands that undo it, run last first and only with --compensate.",
    "test_gates": "Checks by name: lint and security in STATIC, unit and integration in RUNTIME.",
}
_FOR_PYTHON: Final = ("title", "description")
PATH_FIELDS: Final = ("files_scope", "files_create")


def bundle_schema() -> Schema:
    """Return the schema of one bundle.

    Definitions are written out where they are used: draft-07 ignores whatever stands beside a
    `$ref`, and a reader need not turn pages. `capability` takes any name here, since the known
    ones depend on the coordination rules.
    """
    made = _plain(Bundle)
    properties = made["properties"]
    for name, text in DESCRIPTIONS.items():
        properties[name] = {"description": text} | properties[name]
    _open_object(properties["circuit_breaker"], _plain(BreakerOverrides))
    _open_object(properties["capability_payload"], _plain(CapabilityPayload))
    properties["metadata"]["properties"] = {
        "scripted": {
            "description": "Turns of the scripted tool, one per EDIT or FIX; the last one repeats.",
            "type": "array",
            "items": _plain(ScriptedTurn),
        }
    }
    properties["metadata"]["additionalProperties"] = True
    for name in PATH_FIELDS:
        properties[name]["items"] = {"type": "string", "minLength": 1, "maxLength": MAX_PATH}
    properties["capability"]["examples"] = list(DEFAULT_CAPABILITIES)
    head = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Workstream bundle",
        "description": "One unit of work of penstock. A file holds one, or a list of them.",
    }
    return {**head, **{key: made[key] for key in made if key not in head}}


def schema_text() -> str:
    """Return the schema as it is kept in the repository and in the package."""
    return msgspec.json.format(msgspec.json.encode(bundle_schema()), indent=2).decode() + "\n"


def _open_object(target: Schema, typed: Schema) -> None:
    """Give an open object the types of the keys that are known."""
    target["properties"] = typed["properties"]
    target["additionalProperties"] = True


def _plain(model: type[msgspec.Struct]) -> Schema:
    """Return the draft-07 schema of a struct with its definitions written out."""
    made = msgspec.json.schema(model)
    plain = _resolve(made, made.get("$defs", {}))
    return {key: value for key, value in plain.items() if key != "$defs"}


def _resolve(node: Any, definitions: Mapping[str, Schema]) -> Any:
    """Replace references by what they name, and unions of types by one type list.

    Titles and docstrings are left out: they speak of Python, and their indentation is not the
    same in every version of it.
    """
    if isinstance(node, list):
        return [_resolve(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return _resolve({**deepcopy(definitions[name]), **beside}, definitions)
    made = {k: _resolve(v, definitions) for k, v in node.items() if k not in _FOR_PYTHON}
    return _one_type(made) if "anyOf" in made else made


def _one_type(node: Schema) -> Schema:
    """Write `anyOf` simple types as a list of types: one error for one mistake, not one for each."""
    merged: Schema = {}
    types: list[str] = []
    for option in node["anyOf"]:
        types.append(option.get("type", "string"))
        merged.update(option)
    if "enum" in merged and "null" in types:
        merged["enum"] = [*merged["enum"], None]
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    return {**merged, "type": types, **rest}
