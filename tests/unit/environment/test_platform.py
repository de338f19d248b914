"""Where workstreams can be run, and what is said where they cannot."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from penstock.environment.platform import require_runnable
from penstock.errors import EnvironmentProblem
from tests.support.cli import Cli, bundle, make_repository, write_bundles


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine says that it is Windows."""
    monkeypatch.setattr(sys, "platform", "win32")


def test_runs_are_possible_here() -> None:
    """Nothing is raised where the tests run."""
    require_runnable()


@pytest.mark.usefixtures("windows")
def test_windows_is_refused_with_what_works_there() -> None:
    """The refusal names the platform, and the hint what to do instead."""
    with pytest.raises(EnvironmentProblem, match="not supported on Windows") as caught:
        require_runnable()
    assert "WSL" in (caught.value.hint or "")


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line, as if on Windows, in a repository with a bundle and a pending run."""
    repo = make_repository(tmp_path / "project")
    write_bundles(repo, bundle("ws-one"))
    monkeypatch.chdir(repo)
    cli = Cli(repo, capsys)
    assert cli("validate", "--run-id", "r1").code == 0
    monkeypatch.setattr(sys, "platform", "win32")
    return cli


@pytest.mark.parametrize("words", [("run", "ws-one"), ("resume", "r1"), ("demo",)])
def test_commands_that_run_are_refused_on_windows(words: tuple[str, ...], cli: Cli) -> None:
    """run, resume and demo end with exit code 2 and the refusal, and leave nothing behind."""
    said = cli(*words)
    assert (said.code, "not supported on Windows" in said.err) == (2, True)
    assert not (cli.folder / ".worktrees").exists()


@pytest.mark.parametrize("words", [("validate",), ("status",), ("show", "r1"), ("report", "r1")])
def test_planning_and_looking_work_on_windows(words: tuple[str, ...], cli: Cli) -> None:
    """Commands that start no tool are not refused."""
    said = cli(*words)
    assert (said.code, said.err) == (0, "")
