"""The user's own flags reach the command line of every tool that has one."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.model.settings import ToolProfile
from penstock.tools.toolbox import make_toolbox
from tests.support.turns import request_in

TOOLS = (
    "aider", "amp", "claude-cli", "codex", "copilot", "cursor-agent", "gemini", "goose",
    "mini-swe-agent", "mine", "opencode", "qwen",
)  # fmt: skip
MINE = ToolProfile(tool_id="mine", command="mine", args=("{prompt_file}",))


@pytest.mark.parametrize("tool_id", TOOLS)
def test_flags_are_on_the_command_line(tmp_path: Path, tool_id: str) -> None:
    """In their order, and before anything that ends the options."""
    tool = make_toolbox({"mine": MINE}).get(tool_id)
    argv = tool.command_line(request_in(tmp_path, flags=("--deep", "3")))
    at = argv.index("--deep")
    assert argv[at + 1] == "3"
    assert "--" not in argv[:at]
    assert "-" not in argv[:at]


@pytest.mark.parametrize("tool_id", TOOLS)
def test_without_flags_nothing_is_added(tmp_path: Path, tool_id: str) -> None:
    """The command line is that of every other turn."""
    tool = make_toolbox({"mine": MINE}).get(tool_id)
    plain = tool.command_line(request_in(tmp_path))
    flagged = tool.command_line(request_in(tmp_path, flags=("--deep",)))
    assert [word for word in flagged if word != "--deep"] == list(plain)
