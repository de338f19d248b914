"""Finds the real programs of planning formats, and runs them.

They come from the folder that `.ci/install-planners` filled. A missing one skips the test that needs
it, or fails it when PENSTOCK_REQUIRE_REAL=1.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from penstock.process.capture import capture
from tests.support.checkers import REQUIRE

FOLDER = "PENSTOCK_PLANNERS"
_LIMIT_S = 120.0


def openspec_program() -> Path:
    """Return the openspec program; without it the test ends here."""
    root = Path(os.environ.get(FOLDER) or Path.home() / ".cache" / "penstock-planners")
    found = root / "node_modules" / ".bin" / "openspec"
    if found.is_file() and shutil.which("node"):
        return found
    reason = "openspec not installed; .ci/install-planners does that"
    if os.environ.get(REQUIRE) == "1":
        pytest.fail(f"{reason} ({REQUIRE}=1)")
    pytest.skip(reason)


def openspec_in(folder: Path, home: Path) -> Callable[[Sequence[str]], tuple[int, str]]:
    """Return what runs the openspec program in a folder, with a home of its own."""
    program = openspec_program()
    home.mkdir(parents=True, exist_ok=True)
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "XDG_DATA_HOME": str(home),
        "OPENSPEC_TELEMETRY": "0",
        "DO_NOT_TRACK": "1",
        "CI": "1",
    }

    def run(args: Sequence[str]) -> tuple[int, str]:
        done = capture((str(program), *args), folder, env, timeout=_LIMIT_S)
        assert not done.timed_out, args
        return done.returncode, done.stdout.decode()

    return run
