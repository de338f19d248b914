"""Which checks a step has: configured ones, detected ones, acceptance commands, and the notes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from penstock.checks.checks import make_checks
from penstock.config.profiles import load_tool_profiles
from penstock.errors import ConfigError
from penstock.model.settings import PipelineSettings, ToolProfile
from tests.support.checking import Scene, python_scene


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A repository with a small Python package."""
    return python_scene(tmp_path / "repo")


def ids(scene: Scene, step: str, *acceptance: str, **settings: object) -> list[str]:
    """Return the ids of the planned checks."""
    checks, _ = scene.plan(step, *acceptance, **settings)
    return [check.check_id for check in checks]


def test_absent_tools_are_detected(scene: Scene) -> None:
    """Without settings the tree decides."""
    assert ids(scene, "static") == ["ruff"]
    assert ids(scene, "runtime") == ["pytest"]


def test_configured_tools_win(scene: Scene) -> None:
    """What is configured is run in that order, and nothing is detected beside it."""
    assert ids(scene, "static", static_tools=("mypy", "ruff")) == ["mypy", "ruff"]
    assert ids(scene, "runtime", runtime_tools=("npm-test",)) == ["npm-test"]


@pytest.mark.parametrize("step", ["static", "runtime"])
def test_an_empty_list_is_none_and_said(scene: Scene, step: str) -> None:
    """`[]` switches a step's tools off, and the report says so."""
    checks, notes = scene.plan(step, **{f"{step}_tools": ()})
    assert checks == ()
    assert notes == (f"no {step} checks configured ({step}_tools is empty)",)


@pytest.mark.parametrize("step", ["static", "runtime"])
def test_nothing_found_is_said(tmp_path: Path, step: str) -> None:
    """A tree that no check is known for gets a note naming the setting."""
    checks, notes = Scene(tmp_path).plan(step)
    assert checks == ()
    assert notes == (f"no {step} checks found in the repository; set {step}_tools",)


def test_a_guessed_ruff_that_is_not_there_is_a_note(scene: Scene) -> None:
    """Who never used ruff is not failed for lacking it; who configures it is told it is missing."""
    shutil.rmtree(scene.venv)
    checks, notes = scene.plan("static")
    assert (checks, len(notes)) == ((), 1)
    assert "ruff is not installed here" in notes[0]
    scene.write({"ruff.toml": ""})
    assert ids(scene, "static") == ["ruff"]


def test_acceptance_entries_are_divided(scene: Scene) -> None:
    """Commands join runtime, prose becomes notes, and static has none of them."""
    entries = ("pytest -q tests", "The page loads.", "$ bash x.sh", "make a | b")
    checks, notes = scene.plan("runtime", *entries)
    assert [c.check_id for c in checks] == ["pytest", "pytest -q tests", "make a | b"]
    assert [c.acceptance for c in checks] == [False, True, True]
    assert notes[0] == "not run, prose: The page loads."
    assert notes[1] == "not run, prose (bash is no command of a tool profile): $ bash x.sh"
    assert "needs a shell for the operator |" in notes[2]
    assert ids(scene, "static", *entries) == ["ruff"]


def test_commands_of_own_profiles_are_acceptance_commands(scene: Scene) -> None:
    """An executable that a profile names makes an entry a command."""
    scene.profiles["sh"] = ToolProfile(tool_id="sh", command="bash", timeout_sec=9)
    checks, notes = scene.plan("runtime", "bash x.sh", runtime_tools=())
    assert [(c.argv, c.timeout_s, c.profile) for c in checks] == [(("bash", "x.sh"), 9.0, "sh")]
    assert len(notes) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root enters everything")
def test_closed_folders_do_not_break_planning(scene: Scene) -> None:
    """What an agent has closed to us counts as not there."""
    scene.write({".venv/bin/x": "", "node_modules/.bin/x": ""})
    for name in (".venv", "node_modules", "tests"):
        (scene.tree / name).chmod(0)
    try:
        assert ids(scene, "static") == ["ruff"]
        assert ids(scene, "runtime") == []
    finally:
        for name in (".venv", "node_modules", "tests"):
            (scene.tree / name).chmod(0o700)


def test_wrong_ids_are_named_together() -> None:
    """Unknown ids and AI tools in either list are one error with all of them."""
    settings = PipelineSettings(static_tools=("ruf", "aider"), runtime_tools=("pytest", "nope"))
    with pytest.raises(ConfigError) as caught:
        make_checks(settings, load_tool_profiles(), Path("/repo"))
    assert str(caught.value).startswith(
        "config/pipeline.yaml: static_tools[0]: no tool profile 'ruf', did you mean ruff?; "
        "static_tools[1]: aider is an AI tool, it cannot check; "
        "runtime_tools[1]: no tool profile 'nope', "
    )


def test_a_profile_may_replace_a_detected_one(scene: Scene) -> None:
    """A profile of the repository with a detected id is the one that runs."""
    scene.profiles["npm-test"] = ToolProfile(tool_id="npm-test", command="npm", args=("t",))
    scene.write({"package.json": '{"scripts": {"test": "x"}}'})
    checks, _ = scene.plan("runtime")
    assert [c.argv for c in checks] == [("pytest", "-q"), ("npm", "t")]
