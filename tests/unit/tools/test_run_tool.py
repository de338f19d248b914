"""`run_tool` runs a profile's command once and keeps what it printed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.errors import ConfigError
from penstock.model.settings import ToolProfile
from penstock.process.api import Stop
from penstock.tools.api import ToolResult
from penstock.tools.run_tool import render_command, run_tool


def profile(*args: str, command: str = "sh", **keys: Any) -> ToolProfile:
    """Return a profile."""
    return ToolProfile(tool_id="mine", command=command, args=args, **keys)


def result_of(tree: Path, *args: str, stop: Stop | None = None, **keys: Any) -> ToolResult:
    """Run a profile in a folder."""
    return run_tool(profile(*args, **keys), {"worktree_path": tree}, "run-1", "ws-a", stop)


def test_success(tmp_path: Path) -> None:
    """Both streams, the exit code, times and the command line are there."""
    done = result_of(tmp_path, "-c", "pwd; echo $A >&2", env={"A": "{ws_id}"})
    assert (done.stdout, done.stderr) == (f"{tmp_path}\n", "ws-a\n")
    assert (done.exit_code, done.success, done.timed_out) == (0, True, False)
    assert done.command_line == "sh -c 'pwd; echo $A >&2'"
    assert done.started_at <= done.completed_at
    assert done.duration_sec >= 0


@pytest.mark.parametrize(
    ("script", "exit_code", "success"),
    [("exit 5", 5, True), ("exit 1", 1, False), ("kill -2 $$", 130, False)],
)
def test_exit_codes(script: str, exit_code: int, *, success: bool, tmp_path: Path) -> None:
    """The profile's exit codes mean success; a signal is 128 and its number."""
    done = result_of(tmp_path, "-c", script, success_exit_codes=(0, 5, 130))
    assert (done.exit_code, done.success) == (exit_code, success)


def test_a_timeout(tmp_path: Path) -> None:
    """A command over its time is ended with its children, exit code -1."""
    done = result_of(tmp_path, "-c", "echo begun; sleep 60 & wait", timeout_sec=0.5)
    assert (done.exit_code, done.timed_out, done.success) == (-1, True, False)
    assert done.stdout == "begun\n"


def test_a_missing_command(tmp_path: Path) -> None:
    """A command that is not there is exit code -2, and the reason is in stderr."""
    done = result_of(tmp_path, command="no-such-command")
    assert (done.exit_code, done.success) == (-2, False)
    assert "no-such-command" in done.stderr


def test_a_command_that_cannot_start(tmp_path: Path) -> None:
    """Any other failure to start is exit code -3."""
    assert result_of(tmp_path / "nowhere", "-c", "true").exit_code == -3
    stop = Stop()
    stop.ask()
    assert result_of(tmp_path, "-c", "true", stop=stop).exit_code == -3


def test_output_that_is_not_wanted(tmp_path: Path) -> None:
    """With capture_output off nothing is kept."""
    done = result_of(tmp_path, "-c", "echo a; echo b >&2", capture_output=False)
    assert (done.stdout, done.stderr) == ("", "")


def test_without_a_worktree_it_runs_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a worktree in the context the working directory is used."""
    monkeypatch.chdir(tmp_path)
    assert run_tool(profile("-c", "pwd"), {}).stdout == f"{tmp_path}\n"


def test_variables_without_a_value(tmp_path: Path) -> None:
    """A variable without a value is left out, and the attempt's marker cannot be set."""
    env = {"A": "{model_name}", "PENSTOCK_ATTEMPT": "mine"}
    done = result_of(tmp_path, "-c", 'echo "${A-unset} $PENSTOCK_ATTEMPT"', env=env)
    assert done.stdout.startswith("unset tool/mine/")


def test_rendering() -> None:
    """Values are texts of whatever is given; unknown names and empty commands are errors."""
    context = {"n": 3, "none": None}
    assert render_command(profile("{n}", "--x", "{none}"), context) == ("sh", "3")
    for wrong in (profile("{m}"), profile(command="{none}"), profile(command="")):
        with pytest.raises(ConfigError):
            render_command(wrong, context)
