"""Any command is a tool through a profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.errors import ConfigError
from penstock.model.outcome import OutcomeKind as Kind
from penstock.model.settings import ToolProfile
from penstock.tools.profile import ProfileTool, profile_wall_s
from tests.support.turns import files_of, play, request_in


def tool(*args: str, command: str = "sh", **keys: Any) -> ProfileTool:
    """Return the tool of a profile."""
    return ProfileTool(ToolProfile(tool_id="mine", command=command, args=args, **keys))


def test_the_placeholders_of_a_turn(tmp_path: Path) -> None:
    """Each documented placeholder stands for its value of the turn, as one argument."""
    names = ("cwd", "repo_root", "worktree_path", "prompt_file", "message", "file", "ws_id")
    request = request_in(tmp_path)
    argv = tool(*(f"{{{name}}}" for name in names), "--m", "{model_name}").command_line(request)
    tree = str(request.worktree)
    assert argv == (
        "sh", tree, str(tmp_path), tree, str(request.prompt_file), "Repair calc.py.", "calc.py",
        "ws-a",
    )  # fmt: skip


def test_an_edit(tmp_path: Path) -> None:
    """The command runs in the worktree with the profile's variables."""
    mine = tool("-c", 'printf "$MINE" > "$1"; echo done', "-", "{file}", env={"MINE": "{ws_id}"})
    request = request_in(tmp_path)
    report = play(mine, request)
    assert (report.signal, report.message) == (None, "done")
    assert files_of(request.worktree) == {"calc.py": "ws-a"}


def test_a_variable_without_a_value_is_left_out(tmp_path: Path) -> None:
    """A variable whose placeholder has no value is not set at all."""
    mine = tool("-c", 'echo "${MODEL-unset}"', env={"MODEL": "{model_name}"})
    assert play(mine, request_in(tmp_path)).message == "unset"


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ("exit 0", None),
        ("exit 5", None),
        ("echo error 429 >&2; exit 0", None),
        ("exit 1", Kind.CRASHED),
        ("echo 'status 429' >&2; exit 1", Kind.RATE_LIMITED),
        ("echo 'Invalid API key'; exit 1", Kind.AUTH),
        ("kill -9 $$", Kind.CRASHED),
    ],
)
def test_exit_codes(script: str, kind: Kind | None, tmp_path: Path) -> None:
    """The profile says which exit codes mean success; the others are judged by the last words."""
    report = play(tool("-c", script, success_exit_codes=(0, 5)), request_in(tmp_path))
    assert (report.signal and report.signal.kind) == kind


@pytest.mark.parametrize(
    ("keys", "wall_s"),
    [({}, 60.0), ({"type": "ai"}, 1800.0), ({"type": "ai", "timeout_sec": 90}, 90.0)],
)
def test_time_limits(keys: dict[str, Any], wall_s: float) -> None:
    """Utilities have a minute, AI tools half an hour, unless the profile says otherwise."""
    assert profile_wall_s(tool(**keys).profile) == wall_s


def test_the_profiles_time_limit_ends_it(tmp_path: Path) -> None:
    """The shorter of the run's and the profile's limit holds."""
    report = play(tool("-c", "sleep 60", timeout_sec=0.3), request_in(tmp_path))
    assert report.signal is not None
    assert report.signal.kind is Kind.TIMEOUT


@pytest.mark.parametrize(
    "mine",
    [tool("{fille}"), tool(command="{nope}"), tool(env={"A": "{b}"}), tool(working_dir="{c}"),
     tool(command="{model_name}")],
)  # fmt: skip
def test_wrong_placeholders_are_configuration_errors(mine: ProfileTool, tmp_path: Path) -> None:
    """An unknown placeholder, or a command without a value, is an error before anything runs."""
    with pytest.raises(ConfigError):
        play(mine, request_in(tmp_path))


def test_availability(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that is not on the PATH is named with its profile."""
    assert tool().available() is None
    assert tool(command="{repo_root}/bin/x").available() is None
    missing = tool(command="no-such-command").available()
    assert missing == "no-such-command is not on the PATH (tool profile 'mine')"
