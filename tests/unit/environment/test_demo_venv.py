"""The lent environment: real tools in a folder of a few kilobytes, made in an instant."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from penstock.environment.demo_venv import lend_environment
from penstock.errors import EnvironmentProblem, ToolMissingError


def said(*argv: str | Path, cwd: Path) -> str:
    """Run a command in an empty environment and return what it said."""
    done = subprocess.run(argv, cwd=cwd, env={}, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_the_lent_tools_work_by_themselves(tmp_path: Path) -> None:
    """python, pytest and ruff run from the folder, with nothing of our environment set."""
    binaries = lend_environment(tmp_path) / "bin"
    code = "import sys, pytest; print(sys.prefix)"
    assert said(binaries / "python", "-c", code, cwd=tmp_path).strip() == str(tmp_path / ".venv")
    assert said(binaries / "pytest", "--version", cwd=tmp_path).startswith("pytest ")
    assert said(binaries / "ruff", "--version", cwd=tmp_path).startswith("ruff ")


def test_it_can_be_lent_again(tmp_path: Path) -> None:
    """A second call leaves a working environment."""
    assert lend_environment(tmp_path) == lend_environment(tmp_path)
    assert said(tmp_path / ".venv/bin/ruff", "--version", cwd=tmp_path).startswith("ruff ")


def test_what_is_missing_is_named_with_the_extra(tmp_path: Path) -> None:
    """A module that is not here is named, with the way to install it, before anything is made."""
    with pytest.raises(ToolMissingError, match="nosuchmodule and nosuchother cannot") as caught:
        lend_environment(tmp_path, ("pytest", "nosuchmodule", "nosuchother"))
    assert "penstock[demo]" in str(caught.value.hint)
    assert not (tmp_path / ".venv").exists()


def test_a_module_without_an_executable_is_told(tmp_path: Path) -> None:
    """A module that is here without a command to link is an error that says so."""
    with pytest.raises(ToolMissingError, match="its executable is not in"):
        lend_environment(tmp_path, ("yaml",))


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A file in the folder's place is an error of the environment, not a traceback."""
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentProblem, match="cannot make"):
        lend_environment(tmp_path / "file")
