"""A merge whose FIX turn cannot be had is given up, and not asked for again and again."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.model.events import EventType
from tests.support.merging import SHARED, Merging, steps_of_merge, together


@pytest.fixture
def project(tmp_path: Path) -> Merging:
    """A project in which ws-a and ws-b write the same lines, and ws-b has spent most of its money."""
    made = Merging(tmp_path / "project")
    made.meets("ws-a", "ours\n")
    return made


def second(project: Merging, *turns: dict[str, object], **more: object) -> None:
    """Write ws-b, which arrives second and conflicts."""
    first = {
        "edits": {SHARED: "theirs\n"},
        "usage": {"input_tokens": 9, "output_tokens": 9, "cost_usd": 0.9},
    }
    project.bundle("ws-b", first, *turns, files_scope=[SHARED], **more)


def test_a_turn_without_budget_ends_the_merging(project: Merging) -> None:
    """The workstream stays done, its integration is a conflict, and its reason tells of the money."""
    second(project, {"edits": {SHARED: "both\n"}}, max_cost_usd=1.0)
    with together(2):
        assert project.run().status == "failed"
    assert project.integrations() == {"ws-a": "merged", "ws-b": "conflict"}
    reason = project.row("ws-b").reason or ""
    assert reason.startswith(f"not merged: conflicts with integration/run-1 in {SHARED}; ")
    assert "1.00" in reason
    assert len(project.told(EventType.BUDGET_EXCEEDED)) == 1
    assert steps_of_merge(project, "ws-b") == [("integrate", "failed")]
    assert project.leftovers() == []
