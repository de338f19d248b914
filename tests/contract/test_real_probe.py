"""The installed real clients keep to what the adapters rely on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.tools.contract import probe
from tests.support.clients import EXECUTABLES, need_client
from tests.support.endpoint_plan import editing
from tests.support.real_turns import git, scene

pytestmark = pytest.mark.real_cli


@pytest.mark.parametrize("tool_id", sorted(EXECUTABLES))
def test_the_contract_holds(tool_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Version, flags and stream of the installed client are the measured ones."""
    command = need_client(tool_id)
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    found = probe(tool_id)
    assert (found.version, found.mismatches) == (found.measured, ())


@pytest.mark.parametrize("tool_id", sorted(EXECUTABLES))
def test_the_shared_configuration_of_git_is_left_alone(
    tool_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn in a repository without an identity writes none into its configuration."""
    with scene(tool_id, editing({"calc.py": "x = 2\n"}), tmp_path, monkeypatch) as stage:
        config = stage.worktree / ".git" / "config"
        before, head = config.read_bytes(), git(stage.worktree, "rev-parse", "HEAD")
        stage.turn()
        assert config.read_bytes() == before
        assert git(stage.worktree, "rev-parse", "HEAD") == head
