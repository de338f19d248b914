"""Building and reading ExecutionRequests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema_rs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import ExecutionRequestError
from penstock.model.execution import Complexity, RequestPriority, execution_request_schema
from penstock.model.ids import next_ulid
from penstock.routing.requests import ExecutionRequestBuilder, decode_request, request_problems

ID = next_ulid(1_700_000_000_000, b"0123456789")
SCHEMA = json.loads(
    (Path(__file__).parents[3] / "schema" / "execution_request.schema.json").read_text("utf-8")
)


def builder() -> ExecutionRequestBuilder:
    """An empty builder with a fixed id and moment."""
    return ExecutionRequestBuilder(new_id=lambda: ID, clock=lambda: 0.0)


def begun() -> ExecutionRequestBuilder:
    """A builder with all that must be given."""
    return builder().with_task("edit", project_id="p", phase_id="PH-1")


def test_a_request_has_the_documented_defaults() -> None:
    """Three attempts, moderate, medium, normal, an empty scope."""
    found = begun().build()
    assert (found.request_id, found.routing.max_attempts) == (ID, 3)
    kind = found.classification
    assert (kind.complexity, kind.priority) == (Complexity.MODERATE, RequestPriority.NORMAL)
    assert (found.resource_scope.write, found.tool_id, found.prompt) == ((), None, None)
    assert found.origin is not None
    assert found.origin.created_at == "1970-01-01T00:00:00.000000Z"


def test_every_part_arrives() -> None:
    """What each method is given stands in the request."""
    found = (
        begun()
        .with_task("edit", "add it", workstream_id="ws-a", complexity="expert", domain="web")
        .with_tool("aider", ["aider", "--yes"], strategy="auto", allowed_tools=["aider"])
        .with_input("do it", {"k": 1}, prompt_spec={"s": 2}, write=["src/"], forbidden=[".env"])
        .with_constraints(patch_only=True, max_lines_changed=10)
        .with_metadata({"m": 1}, created_by="me", correlation_id="c", trace_flags=1)
        .with_limits(2, 30.0)
        .build()
    )
    plain = json.loads(msgspec.json.encode(found))
    assert plain["routing"] == {
        "strategy": "auto", "allowed_tools": ["aider"], "max_attempts": 2, "timeout_seconds": 30.0,
    }  # fmt: skip
    assert (plain["command"], plain["context"], plain["workstream_id"]) == (
        ["aider", "--yes"], {"k": 1}, "ws-a",
    )  # fmt: skip
    assert plain["resource_scope"] == {
        "read": [], "write": ["src/"], "create": [], "forbidden": [".env"],
    }  # fmt: skip
    assert plain["constraints"] == {"patch_only": True, "max_lines_changed": 10}
    assert (plain["telemetry"]["correlation_id"], plain["origin"]["created_by"]) == ("c", "me")
    assert (plain["prompt_spec"], plain["metadata"]) == ({"s": 2}, {"m": 1})


def test_a_built_request_matches_its_own_schema_and_comes_back() -> None:
    """The kept schema is that of the type."""
    found = begun().with_tool("aider").with_input("x").build()
    plain = json.loads(msgspec.json.encode(found))
    assert jsonschema_rs.is_valid(SCHEMA, plain)
    assert decode_request(plain) == found
    ours = json.loads(msgspec.json.encode(execution_request_schema()))
    assert {**SCHEMA, **ours} == SCHEMA


def test_what_is_missing_is_named() -> None:
    """The documented sentence, for each gap."""
    with pytest.raises(ValueError, match=r"^Missing required field: phase_id$"):
        builder().with_task("edit", project_id="p").build()
    with pytest.raises(ExecutionRequestError) as caught:
        builder().build()
    assert str(caught.value).count("Missing required field: ") == 3


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda b: b.with_task("edit", complexity="easy"), "classification.complexity"),
        (lambda b: b.with_task("edit", mood="good"), "classification"),
        (lambda b: b.with_input(delete=["x"]), "resource_scope"),
        (lambda b: b.with_limits(0), "routing.max_attempts"),
        (lambda b: b.with_limits(timeout_seconds=0.5), "routing.timeout_seconds"),
        (lambda b: b.with_tool("a", strategy="luck"), "routing.strategy"),
        (lambda b: b.with_constraints(max_lines_changed=-1), "constraints.max_lines_changed"),
        (lambda b: b.with_constraints(nice=True), "constraints"),
        (lambda b: b.with_task(""), "task_kind"),
        (lambda b: b.with_tool("a", ["x", 1]), "command.1"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    change: Callable[[ExecutionRequestBuilder], ExecutionRequestBuilder], place: str
) -> None:
    """Nothing wrong gets into a request."""
    with pytest.raises(ExecutionRequestError, match=f"^{place}"):
        change(begun()).build()


def test_all_problems_are_told_gaps_first() -> None:
    """One look is enough."""
    found = request_problems({"request_id": "x", "routing": {}, "project_id": 1})
    gaps = [line for line in found if line.startswith("Missing required field: ")]
    assert gaps == list(found[: len(gaps)])
    assert "Missing required field: routing.strategy" in gaps
    assert len(found) == len(gaps) + 2


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_rubbish_is_no_request(value: object) -> None:
    """Whatever it is, it is refused with an error of ours."""
    with pytest.raises(ExecutionRequestError):
        decode_request(value)
