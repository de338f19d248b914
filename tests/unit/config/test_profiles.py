"""Tool profiles: the packaged ones, the repository's on top, and every mistake at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from penstock.config.profiles import get_tool_profile, load_tool_profiles
from penstock.errors import ConfigError, NotFoundError
from penstock.model.placeholders import render
from penstock.model.settings import ToolProfile
from tests.support.repofiles import write_files

FILE = "config/tool_profiles.json"
PACKAGED = {
    "echo", "pytest", "ruff", "black", "mypy", "yamllint", "codespell", "gitleaks",
    "psscriptanalyzer", "pester", "gh", "aider",
}  # fmt: skip


def load(tmp_path: Path, text: str) -> dict[str, ToolProfile]:
    """Load the profiles of a repository with this file."""
    return load_tool_profiles(write_files(tmp_path, {FILE: text}))


def problems(tmp_path: Path, text: str) -> list[str]:
    """Return the lines of the error that a text gives."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    return str(caught.value).splitlines()


def test_the_packaged_profiles(tmp_path: Path) -> None:
    """The documented tools are there with their documented values."""
    profiles = load_tool_profiles(tmp_path)
    assert set(profiles) == PACKAGED
    assert profiles == load_tool_profiles()
    pytest_profile, aider = profiles["pytest"], profiles["aider"]
    assert (pytest_profile.args, pytest_profile.timeout_sec) == (("-q",), 600.0)
    assert pytest_profile.success_exit_codes == (0, 5)
    assert profiles["ruff"].args == ("check", ".")
    assert profiles["black"].args == ("--check", ".")
    assert profiles["gitleaks"].args == ("dir", ".", "--no-banner", "--redact")
    assert (aider.type, aider.timeout_sec) == ("ai", 1800.0)


def test_every_packaged_argument_can_be_rendered() -> None:
    """No packaged profile holds a placeholder that nobody fills."""
    context = dict.fromkeys(
        ["cwd", "repo_root", "worktree_path", "prompt_file", "message", "file"], "x"
    )
    for profile in load_tool_profiles().values():
        rendered = render((profile.command, *profile.args), {**context, "model_name": None})
        assert not re.search(r"\{[a-z_]+\}", " ".join(rendered))


def test_the_model_option_of_aider_goes_with_the_model() -> None:
    """Without a model there is no `--model` on the command line."""
    args = get_tool_profile("aider").args
    assert "--model" not in render(args, {"model_name": None, "prompt_file": "p"})
    assert "--model" in render(args, {"model_name": "m", "prompt_file": "p"})


def test_an_entry_changes_only_the_keys_it_names(tmp_path: Path) -> None:
    """A packaged profile keeps what the file does not say; hyphens count as underscores."""
    profile = load(tmp_path, '{"pytest": {"timeout-sec": 30, "args": ["-x"]}}')["pytest"]
    assert (profile.timeout_sec, profile.args) == (30.0, ("-x",))
    assert (profile.command, profile.success_exit_codes) == ("pytest", (0, 5))


def test_every_key_of_a_profile_is_read(tmp_path: Path) -> None:
    """A profile of one's own may set all keys."""
    text = """{"mine": { // a tool of ours
      "type": "static-check", "command": "mine", "args": ["{worktree_path}"],
      "env": {"A": "1"}, "working-dir": "{worktree_path}/x", "timeout_sec": 5,
      "success-exit-codes": [0, 3], "capture-output": false,
      "aim_tool_id": "m", "aim-capabilities": ["linting"]}}"""
    assert load(tmp_path, text)["mine"] == ToolProfile(
        tool_id="mine",
        command="mine",
        type="static-check",
        args=("{worktree_path}",),
        env={"A": "1"},
        working_dir="{worktree_path}/x",
        timeout_sec=5.0,
        success_exit_codes=(0, 3),
        capture_output=False,
        aim_tool_id="m",
        aim_capabilities=("linting",),
    )


def test_schema_and_comment_keys_are_no_tools(tmp_path: Path) -> None:
    """Keys that begin with `$` or `_` are for editors and people."""
    assert set(load(tmp_path, '{"$schema": "x", "_comment": ["y"]}')) == PACKAGED


def test_every_error_is_listed(tmp_path: Path) -> None:
    """All mistakes of all entries come at once, with the keys and what is right."""
    text = """{"a": {"comand": "x", "args": "-x", "timeout_sec": 0, "type": "test-tool"},
      "b": 1, "c": {"command": "x", "success-exit-codes": ["0"]},
      "d": {"command": "x", "working-dir": "a", "working_dir": "b"},
      "e": {"command": "x", "tool_id": "f"}, " ": {"command": "x"}}"""
    found = problems(tmp_path, text)
    assert found[0] == f"{FILE}: 10 errors"
    assert "  line 1, column 8, a.comand: unknown key; did you mean command?" in found
    assert {re.sub(r"^ *line \d+, column \d+, *| {2}", "", line) for line in found[1:]} == {
        "b: expected a mapping",
        "d.working-dir: is given twice, as working-dir and working_dir",
        "e.tool_id: is the entry's own name, leave it out",
        ": a tool id must not be empty",
        "a: command is missing",
        'a.args: expected a list, got "-x"',
        "a.timeout_sec: must be greater than 0, not 0",
        'a.type: must be one of ai, static-check, test, utility, not "test-tool"',
        "a.comand: unknown key; did you mean command?",
        'c.success_exit_codes[0]: expected a whole number, got "0"',
    }


@pytest.mark.parametrize("text", ["[]", "null", "1", '"x"'])
def test_the_file_must_be_a_mapping(tmp_path: Path, text: str) -> None:
    """Anything but an object is refused."""
    assert problems(tmp_path, text) == [f"{FILE}: expected a mapping of tool ids to profiles"]


def test_a_file_may_be_named_itself(tmp_path: Path) -> None:
    """A path to a file is read; one that is not there is an error."""
    path = write_files(tmp_path, {"p.json": '{"x": {"command": "y"}}'}) / "p.json"
    assert load_tool_profiles(path)["x"].command == "y"
    with pytest.raises(ConfigError, match="there is no such file"):
        load_tool_profiles(tmp_path / "none.json")


def test_an_unknown_profile_names_the_nearest() -> None:
    """A misspelt id is answered with the id that was meant."""
    with pytest.raises(NotFoundError, match=r"no tool profile 'pytes'; did you mean pytest\?"):
        get_tool_profile("pytes")
    with pytest.raises(NotFoundError, match="none is known here"):
        get_tool_profile("x", {})
