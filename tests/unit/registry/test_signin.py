"""Whether a tool is signed in, from variables and files."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.registry.signin import WAYS, sign_in_of
from penstock.tools.aider import KEYS as AIDER_KEYS
from penstock.tools.claude_cli import KEYS as CLAUDE_KEYS
from penstock.tools.codex import KEYS as CODEX_KEYS
from tests.support.registries import registry_of
from tests.support.repofiles import write_files

each_way = pytest.mark.parametrize("tool_id", sorted(WAYS))


def test_the_keys_are_those_that_the_adapters_hand_on() -> None:
    """A key that status shows is one that the tool gets."""
    assert WAYS["aider"].keys == AIDER_KEYS
    assert WAYS["claude-cli"].keys == CLAUDE_KEYS
    assert WAYS["codex"].keys == CODEX_KEYS


def test_every_ai_tool_of_the_registry_has_a_way(tmp_path: Path) -> None:
    """Only linters and test runners need none."""
    tools = set(registry_of(tmp_path).tools)
    assert tools - set(WAYS) == {"ruff", "pylint", "mypy", "pytest"}


@each_way
def test_a_key_is_named_and_not_shown(tool_id: str, tmp_path: Path) -> None:
    """The variable is told, its value never."""
    key = WAYS[tool_id].keys[-1]
    found = sign_in_of(tool_id, {"HOME": str(tmp_path), key: "sk-secret"})
    assert found.key == key
    assert found.words == f"key in {key}"


@each_way
def test_a_login_is_found_in_the_home(tool_id: str, tmp_path: Path) -> None:
    """The file that a login leaves is told with `~`."""
    name = WAYS[tool_id].files[0]
    write_files(tmp_path, {name: "{}"})
    assert sign_in_of(tool_id, {"HOME": str(tmp_path)}).words == f"login in ~/{name}"


@each_way
def test_without_either_the_command_that_signs_in_is_told(tool_id: str, tmp_path: Path) -> None:
    """An empty variable is no key."""
    environ = {"HOME": str(tmp_path), WAYS[tool_id].keys[0]: ""}
    assert sign_in_of(tool_id, environ).words == f"no: {WAYS[tool_id].command}"


@pytest.mark.parametrize("tool_id", ["claude-cli", "codex", "opencode"])
def test_a_folder_that_was_moved(tool_id: str, tmp_path: Path) -> None:
    """The variable that moves a tool's folder moves its login; the home's no longer counts."""
    way = WAYS[tool_id]
    write_files(tmp_path / "home", {way.files[0]: "{}"})
    environ = {"HOME": str(tmp_path / "home"), str(way.folder): str(tmp_path / "moved")}
    assert sign_in_of(tool_id, environ).login is None
    write_files(tmp_path / "moved", {way.moved[0]: "{}"})
    assert sign_in_of(tool_id, environ).login == str(tmp_path / "moved" / way.moved[0])


def test_other_tools_need_nothing() -> None:
    """A linter has nobody to sign in to; without a home no login is looked for."""
    assert sign_in_of("ruff").words == "not needed"
    assert sign_in_of("codex", {}).command == "codex login"
