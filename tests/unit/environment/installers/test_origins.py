"""Which package a program comes from, told by its install command."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from penstock.environment.api import Manager
from penstock.environment.installers.origins import Origin, origin_of
from penstock.registry.load import load_registry


@pytest.mark.parametrize(
    ("command", "origin"),
    [
        ("npm install -g @openai/codex", Origin(Manager.NPM, "@openai/codex")),
        ("npm i --global left-tool", Origin(Manager.NPM, "left-tool")),
        ("pipx install aider-chat", Origin(Manager.PIPX, "aider-chat")),
        (
            "uv tool install --python 3.12 aider-chat",
            Origin(Manager.UV, "aider-chat", ("--python", "3.12")),
        ),
        (
            "uv tool install --with mcp mini-swe-agent",
            Origin(Manager.UV, "mini-swe-agent", ("--with", "mcp")),
        ),
        ("python3 -m pip install --upgrade ruff", Origin(Manager.PIP, "ruff")),
        ("pip install --pre ruff", Origin(Manager.PIP, "ruff", ("--pre",))),
    ],
)
def test_the_package_is_what_the_command_names(command: str, origin: Origin) -> None:
    """Options that the installation needs are kept, those that we give ourselves are not."""
    assert origin_of(shlex.split(command)) == origin


@pytest.mark.parametrize(
    "command",
    [
        "", "npm", "npm install", "npm install -g a b", "npm install -g ./folder", "brew install x",
        "pip install git+https://example.invalid/x", "sh -c 'npm install -g x'", "goose update",
        "uv tool install --python", "uv tool install --python ./python aider-chat",
        "uv tool install --with https://x aider-chat", "pip install --index-url https://x ruff",
        "pip install -e ruff", "npm install -g --registry=https://x left-tool",
    ],
)  # fmt: skip
def test_what_is_not_one_package_of_a_manager_has_no_origin(command: str) -> None:
    """Several packages, paths, URLs and other programs."""
    assert origin_of(shlex.split(command)) is None


def test_the_packaged_tools_that_can_be_installed_have_one(tmp_path: Path) -> None:
    """Every install command of the packaged registry is understood."""
    tools = load_registry(tmp_path, environ={}).tools.values()
    unknown = [t.tool_id for t in tools if t.install_command and not origin_of(t.install_command)]
    assert unknown == []
