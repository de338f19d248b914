"""docs/reference/configuration.md names every key with its real default."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.checks.detect import DETECTED
from penstock.config.agents import load_agent_profiles
from penstock.config.circuit_breakers import StepBudgets, load_breakers
from penstock.config.pipeline import load_pipeline
from penstock.config.profiles import load_tool_profiles
from penstock.model.agents import AgentProfile, EscalationRules
from penstock.model.settings import ToolProfile
from penstock.registry.survey import survey_config

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "configuration.md"


def rows(heading: str) -> dict[str, list[str]]:
    """Return the rows of the first table under a heading, by the key in their first cell."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1]
    table = section.split("|---|", 1)[1].split("\n\n", 1)[0]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {row[0].strip("`"): row[1:] for row in found if re.fullmatch(r"`.+`", row[0])}


def shown(value: Any) -> str:
    """Write a default as the page does."""
    plain = msgspec.to_builtins(value)
    if plain is None:
        return "none"
    if isinstance(plain, float) and plain.is_integer():
        plain = int(plain)
    text = plain if isinstance(plain, str) else msgspec.json.encode(plain).decode()
    return f"`{text}`"


def test_every_key_of_the_pipeline_has_its_default(tmp_path: Path) -> None:
    """The table lists all keys of pipeline.yaml and what they are without a file."""
    origins = load_pipeline(tmp_path, environ={}).origins
    described = {key: row[0] for key, row in rows("config/pipeline.yaml").items()}
    assert described == {key: shown(origin.value) for key, origin in origins.items()}


def test_every_key_of_aim_config_has_its_default(tmp_path: Path) -> None:
    """The table lists all keys of aim_config and what they are without a file."""
    found = survey_config(tmp_path, {}).settings
    described = {key: row[0] for key, row in rows("config/aim_config.json").items()}
    assert described == {setting.key: shown(setting.value) for setting in found}


def test_every_budget_has_its_values(tmp_path: Path) -> None:
    """The table lists all budgets with their values for both steps."""
    steps = load_breakers(tmp_path).steps
    described = {key: row[:2] for key, row in rows("config/circuit_breakers.yaml").items()}
    assert described == {
        key: [shown(getattr(steps[step], key)) for step in ("static", "runtime")]
        for key in StepBudgets.__struct_fields__
    }


def test_every_key_of_a_profile_has_its_default() -> None:
    """The table lists all keys of tool_profiles.json."""
    plain = ToolProfile(tool_id="x", command="x")
    described = {key: row[0] for key, row in rows("config/tool_profiles.json").items()}
    expected = {key: shown(getattr(plain, key)) for key in ToolProfile.__struct_fields__}
    del expected["tool_id"]
    assert described == {**expected, "command": "required"}


@pytest.mark.parametrize("tool_id", [*load_tool_profiles(), *DETECTED])
def test_every_tool_is_named(tool_id: str) -> None:
    """Packaged and detected tools are on the page."""
    assert f"`{tool_id}`" in PAGE.read_text(encoding="utf-8")


def test_the_examples_are_valid(tmp_path: Path) -> None:
    """What the page shows can be used as it stands."""
    text = PAGE.read_text(encoding="utf-8")
    budgets, setup = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    profiles, agents = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    config = tmp_path / "config"
    config.mkdir()
    (config / "circuit_breakers.yaml").write_text(budgets)
    (config / "pipeline.yaml").write_text(setup)
    (config / "tool_profiles.json").write_text(profiles)
    (config / "agent_profiles.json").write_text(agents)
    assert load_breakers(tmp_path).steps["runtime"].max_attempts_per_step == 4
    assert load_pipeline(tmp_path, environ={}).settings.worktree.setup
    assert "lint" in load_tool_profiles(tmp_path)
    ladder = load_agent_profiles(tmp_path)
    assert ladder is not None
    assert [rung.agent for rung in ladder.ladder()] == ["aider", "codex", "codex"]


def test_every_key_of_an_agent_has_its_default() -> None:
    """The tables list all keys of agent_profiles.json."""
    section = PAGE.read_text(encoding="utf-8").split("\n## config/agent_profiles.json\n")[1]
    agent, rules = section.split("|---|---|---|")[1:3]
    for table, kind in ((agent, AgentProfile()), (rules, EscalationRules())):
        lines = [line for line in table.split("\n\n", 1)[0].splitlines() if line.startswith("| `")]
        cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        described = {row[0].strip("`"): row[1] for row in cells}
        names = kind.__struct_fields__
        assert described == {name: shown(getattr(kind, name)) for name in names}
