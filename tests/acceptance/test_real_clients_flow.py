"""A workstream from EDIT to its merge, its edits made by the real clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from penstock.model.events import EventType
from tests.support.endpoint_plan import Plan, editing, status
from tests.support.model_endpoint import ModelEndpoint
from tests.support.pipeline import Project
from tests.support.real_turns import KEY, client_world, files_with

pytestmark = pytest.mark.real_cli

every_client = pytest.mark.parametrize("client", ["aider", "claude-cli", "codex"])
Play = Callable[[str, Plan], tuple[Project, ModelEndpoint]]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Play]:
    """Make a project with one workstream for a client, and the endpoint that plays its model."""
    monkeypatch.setenv("AIDER_MODEL", "openai/scripted")
    with ExitStack() as stack:

        def begin(client: str, plan: Plan) -> tuple[Project, ModelEndpoint]:
            world = client_world(client, plan, tmp_path, monkeypatch)
            endpoint = stack.enter_context(world)
            project = Project(tmp_path / "project")
            project.bundle("ws-a", tool=client)
            return project, endpoint

        yield begin
    assert files_with(tmp_path, KEY) == [], "the key was written to a file"


@every_client
def test_repaired_by_a_fix_turn(client: str, play: Play) -> None:
    """The linter's finding reaches the client in a second turn, and the repair is merged."""
    project, endpoint = play(client, editing({"ws-a.txt": "bad\n"}, {"ws-a.txt": "good\n"}))
    done = project.run_one()
    assert (done.final_status, done.reason) == ("done", None)
    assert [s for s, _ in project.steps("ws-a")] == ["edit", "static", "fix", "static", "runtime"]
    assert project.integrated("ws-a.txt") == "good"
    assert "L1 bad is not allowed" in str(endpoint.asks[-1].body)
    assert (done.input_tokens or 0) >= 240


@every_client
def test_out_of_scope_edit_fails(client: str, play: Play) -> None:
    """An edit beside the files of the task stops the workstream, and nothing of it is merged."""
    project, _ = play(client, editing({"ws-a.txt": "good\n", "other.txt": "x\n"}))
    done = project.run_one()
    assert done.final_status == "failed"
    (violation,) = project.events(EventType.SCOPE_VIOLATION)
    assert "other.txt" in str(violation.payload)
    assert project.integrated("ws-a.txt") is None
    assert not (project.root / "other.txt").exists()


@every_client
def test_rejected_key_ends_the_workstream(client: str, play: Play) -> None:
    """A rejected key is said to be one, and is not tried over and over."""
    plan = Plan(editing({"ws-a.txt": "good\n"}).turns, (status(401),))
    project, _ = play(client, plan)
    done = project.run_one()
    assert done.final_status == "failed"
    assert [step.outcome for step in done.steps] == ["auth"]
    assert done.reason is not None


@every_client
def test_rate_limit_is_waited_for(client: str, play: Play) -> None:
    """A 429 with Retry-After costs time, and no more: the workstream is done."""
    plan = Plan(editing({"ws-a.txt": "good\n"}).turns, (status(429, 1, retry_after_s=1),))
    project, _ = play(client, plan)
    assert project.run_one().final_status == "done"
    assert project.integrated("ws-a.txt") == "good"
