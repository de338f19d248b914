"""The shape of the code base: the bounds that fail the build, measured by scripts/code_metrics.py."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
METRICS = ROOT / "scripts" / "code_metrics.py"
MAX_MODULE_LINES = 500
MEASURED_ELSEWHERE = {METRICS}  # a stand-alone tool, kept as it is


@cache
def measured() -> dict[str, Any]:
    """The figures of the whole repository, measured once for all tests."""
    command = [sys.executable, str(METRICS), str(ROOT), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


@pytest.mark.parametrize("key", ["cycles_runtime", "cycles_all", "room_cycles"])
def test_no_import_cycles(key: str) -> None:
    """No module or room imports itself by any way, in-function and typing imports included."""
    assert measured()[key] == []


@pytest.mark.parametrize("key", ["bare_except", "shell_true"])
def test_never_done(key: str) -> None:
    """No except clause is bare, and no shell parses what we start."""
    assert measured()[key] == 0


def test_all_functions_typed() -> None:
    """Every function of the package has its parameters and its result typed."""
    assert measured()["typed_pct"] == 100.0


@pytest.mark.parametrize("folder", ["src", "tests", "scripts", "bench"])
def test_modules_are_short(folder: str) -> None:
    """No module, of the tests neither, is longer than a reader can hold."""
    modules = set((ROOT / folder).rglob("*.py")) - MEASURED_ELSEWHERE
    lengths = {str(path): len(path.read_text("utf-8").splitlines()) for path in modules}
    assert {path: n for path, n in lengths.items() if n > MAX_MODULE_LINES} == {}
