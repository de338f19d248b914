"""The schema is made from the model, and every kept copy equals it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema_rs import Draft7Validator

from penstock.model.bundle import Bundle
from penstock.planning.bundles import validate_bundle_obj
from penstock.planning.example import example_bundle
from penstock.planning.parse import parse
from penstock.planning.schema import DESCRIPTIONS, PACKAGED, bundle_schema, schema_text
from tests.support.bundles import bundle_dict

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("path", [ROOT / "schema/workstream.schema.json", PACKAGED])
def test_kept_copies_equal_the_model(path: Path) -> None:
    """The schema of the repository and of the package say what the model says."""
    assert path.read_text(encoding="utf-8") == schema_text()


def test_the_schema_is_a_valid_draft_07_without_references() -> None:
    """Editors that know draft-07 understand it, and nothing hides behind a `$ref`."""
    schema = bundle_schema()
    Draft7Validator(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert "$ref" not in schema_text()
    assert "$defs" not in schema_text()
    assert "anyOf" not in schema_text()


def test_every_field_is_described() -> None:
    """Each field of the model has a description, and each description a field."""
    fields = {field.name for field in msgspec.structs.fields(Bundle)}
    assert set(DESCRIPTIONS) == fields == set(bundle_schema()["properties"])
    for name, rule in bundle_schema()["properties"].items():
        assert rule["description"] == DESCRIPTIONS[name]


def test_unknown_fields_are_rejected_but_open_objects_are_open() -> None:
    """A bundle is closed; circuit_breaker, metadata and capability_payload are open and typed."""
    schema = bundle_schema()
    assert schema["additionalProperties"] is False
    for name in ("circuit_breaker", "metadata", "capability_payload"):
        rule = schema["properties"][name]
        assert rule["additionalProperties"] is True
        assert rule["properties"]


FULL: dict[str, Any] = bundle_dict(
    "ws-full-1",
    ccpm_issue="PEN-7",
    files_create=["docs/"],
    acceptance_tests=["pytest -q"],
    circuit_breaker={"max_attempts": 1, "max_error_repeats": 0, "oscillation_threshold": 0, "x": 1},
    metadata={"anything": [1, {"deep": None}]},
    capability="testing",
    capability_payload={"files": ["a.py"], "prompt": "p", "timeout_ms": 1000, "max_retries": 5},
    parallel_ok=False,
    conflict_group="g",
    kind="spike",
    priority="background",
    estimated_context_tokens=0,
    max_cost_usd=0.5,
    compensation_actions=["git status"],
    test_gates=[{"type": "GATE_UNIT", "required": False, "blocking": False}],
)


def test_no_field_is_lost_on_loading() -> None:
    """A bundle that uses every field comes back as it went in."""
    again = msgspec.json.decode(msgspec.json.encode(validate_bundle_obj(FULL)))
    assert {**again, "depends_on": []} == {**FULL, "depends_on": []}


def test_the_example_validates() -> None:
    """What `penstock init` writes is a valid bundle, comments and all."""
    made = validate_bundle_obj(parse(example_bundle()).value)
    assert made.id == "ws-example"
    assert json.loads(json.dumps(made.metadata))["scripted"][0]["edits"]
