"""The documents that other programs rely on, and their schemas."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from penstock.cli.documents import run_document, validation_document
from penstock.engine.ports import PlannedWorkstream
from penstock.planning.api import BundleProblem, ProblemType, ValidationReport
from tests.support import results

ROOT = Path(__file__).resolve().parents[3]


def script(name: str) -> ModuleType:
    """Import one of the clone's scripts."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def schema(name: str) -> dict[str, Any]:
    """Return a schema as it is kept."""
    text = (ROOT / "schema" / f"{name}.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def fits(document: object, name: str) -> bool:
    """Tell whether a document, as JSON, matches a schema."""
    return jsonschema_rs.is_valid(schema(name), json.loads(msgspec.json.encode(document)))


def test_the_kept_schemas_are_those_of_the_types() -> None:
    """schema/ holds what scripts/generate_result_schemas.py writes."""
    for path, text in script("generate_result_schemas").documents().items():
        assert (ROOT / path).read_text(encoding="utf-8") == text


def test_the_kept_command_reference_is_that_of_the_parser() -> None:
    """docs/reference/cli.md is what scripts/generate_cli_reference.py writes."""
    kept = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    assert script("generate_cli_reference").reference() == kept


@pytest.mark.parametrize("count", [0, 1, 3])
def test_run_documents_match_their_schema(count: int) -> None:
    """Runs of none, one and several workstreams are valid documents."""
    many = [results.repaired(f"ws-{number}") for number in range(count)]
    assert fits(run_document(results.run(*many)), "run-result")


def test_a_single_workstream_has_the_documented_keys_at_the_top() -> None:
    """Documented readers find ws_id, final_status and steps without looking into the list."""
    document = msgspec.to_builtins(run_document(results.run(results.broken())))
    assert document["ws_id"] == "ws-broken"
    assert document["final_status"] == "failed"
    assert document["steps"] == document["workstreams"][0]["steps"]
    both = msgspec.to_builtins(run_document(results.run(results.broken(), results.repaired())))
    assert "ws_id" not in both


def test_a_dry_run_holds_its_plan() -> None:
    """The plan is there for dry runs only."""
    plan = PlannedWorkstream(
        ws_id="ws-a", tool="aider", branch="b", depends_on=(), prompt="p", steps=()
    )
    document = run_document(results.run(dry_run=True), (plan,))
    assert fits(document, "run-result")
    assert msgspec.to_builtins(document)["plan"][0]["tool"] == "aider"
    assert "plan" not in msgspec.to_builtins(run_document(results.run()))


def test_validation_documents_match_their_schema() -> None:
    """Errors keep type, file, id, path and details; the run appears only when it was filled."""
    problem = BundleProblem(
        type=ProblemType.OVERLAP, file="a.json", id="ws-a", path="$.files_scope", details="d"
    )
    report = ValidationReport(ok=False, bundles_checked=2, errors=(problem,))
    document = validation_document(report, None)
    assert fits(document, "validate-result")
    assert json.loads(msgspec.json.encode(document)) == report.as_json()
    filled = validation_document(ValidationReport(ok=True, bundles_checked=2), "run-1")
    assert msgspec.to_builtins(filled)["synced_run_id"] == "run-1"
