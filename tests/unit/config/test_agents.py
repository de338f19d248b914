"""Reading config/agent_profiles.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from penstock.config.agents import NAME, load_agent_profiles, require_tools
from penstock.config.documents import ConfigFileError
from penstock.errors import NotFoundError
from penstock.model.agents import AgentProfiles

TOP = Path(__file__).parents[3]


def written(folder: Path, value: object) -> Path:
    """Write the file and return the repository."""
    place = folder / NAME
    place.parent.mkdir()
    place.write_text(value if isinstance(value, str) else json.dumps(value))
    return folder


def test_without_the_file_there_are_none(tmp_path: Path) -> None:
    """Which is something else than the default ones."""
    assert load_agent_profiles(tmp_path) is None


def test_what_is_not_named_holds_as_documented(tmp_path: Path) -> None:
    """With comments and a `$schema`."""
    found = load_agent_profiles(written(tmp_path, '{"$schema": "x" /* ours */}'))
    assert found == AgentProfiles()
    assert found is not None
    assert found.escalation.max_total_attempts == 4


WRONG: dict[str, tuple[Any, str]] = {
    "agents.aider.modell": ({"agents": {"aider": {"modell": "x"}}}, "did you mean model?"),
    "agents.bard": ({"agents": {"bard": {}}}, "unknown key"),
    "agents.codex.max_attempts": ({"agents": {"codex": {"max_attempts": -1}}}, "at least 0"),
    "agents.claude.timeout_seconds": ({"agents": {"claude": {"timeout_seconds": 0}}}, "greater"),
    "agents.aider.flags": ({"agents": {"aider": {"flags": "-x"}}}, "expected a list"),
    "escalation.max_total_attempts": ({"escalation": {"max_total_attempts": 99}}, "at most 25"),
}


@pytest.mark.parametrize("key", sorted(WRONG))
def test_a_mistake_is_told_with_its_key(tmp_path: Path, key: str) -> None:
    """And the schema in schema/ refuses it too."""
    value, words = WRONG[key]
    with pytest.raises(ConfigFileError) as caught:
        load_agent_profiles(written(tmp_path, value))
    (problem,) = caught.value.problems
    assert key in problem
    assert words in problem
    schema = json.loads((TOP / "schema" / "agent_profiles.schema.json").read_text("utf-8"))
    assert not jsonschema_rs.is_valid(schema, value)


def test_a_variable_must_have_a_name(tmp_path: Path) -> None:
    """One that no process could be given is refused."""
    with pytest.raises(ConfigFileError):
        load_agent_profiles(written(tmp_path, {"agents": {"aider": {"env_vars": {"a=b": "x"}}}}))


def find(tool_id: str) -> object:
    """Know one tool only."""
    if tool_id == "mine":
        return object()
    raise NotFoundError(f"there is no tool {tool_id!r}", hint="did you mean mine?")


def test_every_tool_that_there_is_not_is_named(tmp_path: Path) -> None:
    """Those of disabled agents do not matter."""
    agents = {"aider": {"tool": "min"}, "codex": {"tool": "mine"}, "claude": {"tool": "nope"}}
    profiles = load_agent_profiles(written(tmp_path, {"agents": agents}))
    assert profiles is not None
    with pytest.raises(ConfigFileError) as caught:
        require_tools(profiles, find)
    assert [p.split(":")[0] for p in caught.value.problems] == [
        "agents.aider.tool", "agents.claude.tool",
    ]  # fmt: skip
    off = {name: {**agent, "enabled": False} for name, agent in agents.items()}
    (tmp_path / NAME).write_text(json.dumps({"agents": off}))
    again = load_agent_profiles(tmp_path)
    assert again is not None
    require_tools(again, find)
