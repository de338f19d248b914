"""The documented functions over router_config.json and ExecutionRequests, in a real repository."""

from __future__ import annotations

import json
import re
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock.config.documents import ConfigFileError
from penstock.errors import NotFoundError, UsageError
from penstock.execution import new_request_id, tool_states
from penstock.model.ids import ULID
from penstock.model.outcome import OutcomeKind
from penstock.store.sqlite import open_journal
from tests.support.cli import child, make_repository
from tests.support.routers import content, edit_rule

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "routing.md"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a router configuration, in which we stand."""
    for name in ("PIPELINE_DB_PATH", "PIPELINE_DB_URL"):
        monkeypatch.delenv(name, raising=False)
    folder = make_repository(tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


def configure(repo: Path, *rules: dict[str, Any]) -> None:
    """Write the router configuration."""
    (repo / "config").mkdir(exist_ok=True)
    path = repo / "config" / "router_config.json"
    path.write_text(json.dumps(content(*rules)), encoding="utf-8")


def test_a_task_is_routed_in_turn_over_processes(repo: Path) -> None:
    """Three calls here and one in another process go round."""
    configure(repo, edit_rule(strategy="round_robin"))
    picks = [penstock.route_task("edit") for _ in range(3)]
    code = "import penstock; print(penstock.route_task('edit'))"
    other = child("-c", code, cwd=repo, program=(sys.executable,))
    assert [*picks, other.out.strip()] == ["a", "b", "c", "a"]


def test_auto_learns_from_the_journal(repo: Path) -> None:
    """An app whose breaker is open is passed over, with all that the journal knows of it."""
    configure(repo, edit_rule(strategy="auto"))
    assert penstock.route_task("edit") == "a"
    with open_journal(repo / "state" / "pipeline.db") as journal:
        until = journal.record_tool_result("a", OutcomeKind.AUTH).until or 0.0
        apps = {"a": penstock.get_tool_config("a"), "b": penstock.get_tool_config("b")}
        states = tool_states(journal, apps, until - 1)
    assert (states["a"].cooling_until, states["a"].cooling_reason) == (until, "auth")
    assert states["b"].cooling_until is None
    assert penstock.route_task("edit") == "b"


def test_an_app_is_asked_for(repo: Path) -> None:
    """By its id; one that is not there is named, and so is a missing file."""
    with pytest.raises(ConfigFileError, match="no such file"):
        penstock.get_tool_config("a")
    configure(repo)
    assert penstock.get_tool_config("a").command == "true"
    with pytest.raises(NotFoundError, match="no app 'z'"):
        penstock.get_tool_config("z")


def test_a_request_is_made_in_one_call() -> None:
    """With a real ULID, and everything that is given."""
    made = penstock.create_execution_request(
        "edit", "aider", "do it", max_attempts=2, constraints={"patch_only": True},
        metadata={"k": 1}, write=["src/"], project_id="p",
    )  # fmt: skip
    assert ULID.fullmatch(made.request_id)
    assert (made.tool_id, made.prompt, made.routing.max_attempts) == ("aider", "do it", 2)
    assert (made.project_id, made.phase_id, made.metadata) == ("p", "default", {"k": 1})
    assert made.resource_scope.write == ("src/",)
    assert made.constraints is not None
    assert made.constraints.patch_only


def test_what_a_request_does_not_have_is_refused() -> None:
    """A wrong name, an empty kind, no project."""
    with pytest.raises(UsageError, match="has no colour"):
        penstock.create_execution_request("edit", colour=1)
    with pytest.raises(ValueError, match="task_kind"):
        penstock.create_execution_request("")
    with pytest.raises(ValueError, match="Missing required field: project_id"):
        penstock.create_execution_request("edit", project_id=None)


def test_ids_grow_over_threads() -> None:
    """No two are the same, and each thread sees its own growing."""
    found: list[list[str]] = []

    def make() -> None:
        found.append([new_request_id() for _ in range(500)])

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(ids == sorted(ids) for ids in found)
    assert len({one for ids in found for one in ids}) == 2000


def test_the_configuration_of_the_page_is_one(repo: Path) -> None:
    """What routing.md shows routes as it says."""
    (shown,) = re.findall(r"```json\n(\{.*?\n\})\n```", PAGE.read_text("utf-8"), re.DOTALL)
    (repo / "config").mkdir(exist_ok=True)
    (repo / "config" / "router_config.json").write_text(shown, encoding="utf-8")
    assert penstock.route_task("code_edit", risk_tier="high") == "claude-cli"
    assert penstock.route_task("code_edit", risk_tier="low") == "aider"
    assert penstock.route_task("lint") == "ruff"
    registry = penstock.AdapterRegistry()
    assert "ruff" in registry.load_from_config(repo)
