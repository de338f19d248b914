"""Packages of our own making, and the real managers that install them without a network."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.checkers import REQUIRE


def missing(what: str) -> None:
    """Skip the test for want of something, or fail it where everything must be there."""
    if os.environ.get(REQUIRE) == "1":
        pytest.fail(f"{what} is missing, and {REQUIRE}=1")
    pytest.skip(f"{what} is missing")


def npm_library(name: str) -> Path:
    """Return a library of npm's own."""
    npm = shutil.which("npm")
    folder = Path(npm or "").resolve().parent.parent / "node_modules" / name
    if npm is None or shutil.which("node") is None or not folder.is_dir():
        missing(f"npm with its library {name}")
    return folder
