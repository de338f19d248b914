"""Checks that are killed, and checks side by side: what the cache holds afterwards is true."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.caches import run_sql
from tests.support.checkers import use_checkers
from tests.support.histories import History

SEED = 20261121
KILLS = 8
SIDE_BY_SIDE = 4
DEADLINE_S = 120
PLUGINS = "python_ruff,wordcheck,usecheck"
DONE = (0, 1)


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> History:
    """A project, with its checkers on PATH and no configuration of the user's."""
    use_checkers(monkeypatch, "ruff")
    made = History(tmp_path.resolve(), SEED)
    monkeypatch.setenv("PATH", os.pathsep.join((str(made.bin), os.environ["PATH"])))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PIPELINE_ERROR_PLUGINS_PATH", str(made.plugins))
    return made


def check(history: History, *options: str) -> subprocess.Popen[bytes]:
    """Start a check of the whole project."""
    command = [sys.executable, "-m", "penstock", "check", "--only", PLUGINS, "--json", *options]
    return subprocess.Popen(command, cwd=history.root, stdout=subprocess.PIPE)


def said(process: subprocess.Popen[bytes]) -> list[tuple[object, ...]]:
    """Wait for a check and return what it says of each file, however it came to know."""
    output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode in DONE
    report: dict[str, Any] = json.loads(output)
    assert report["files"]
    assert report["problems"] == []
    return [(file["file_in"], file["status"], file["issues"]) for file in report["files"]]


def kill_at_some_moment(history: History, dice: random.Random) -> None:
    """Start a check and kill it while it begins, runs tools, or saves what they found."""
    with check(history) as process:
        try:
            process.wait(dice.uniform(0.1, 1.2))
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.mark.slow
def test_what_a_killed_check_leaves_is_true(history: History) -> None:
    """After kill -9 at random moments, with edits between, a check says what a fresh one says."""
    dice = random.Random(SEED)
    for _ in range(KILLS):
        history.edit()
        kill_at_some_moment(history, dice)
    assert said(check(history)) == said(check(history, "--no-cache"))
    cache = history.root / ".state" / "validation_cache.db"
    assert run_sql(cache, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.slow
def test_checks_side_by_side_say_the_same(history: History) -> None:
    """Several checks of one repository at once share the cache, and none is misled by another."""
    for _ in range(2):
        history.edit()
        running = [check(history) for _ in range(SIDE_BY_SIDE)]
        told = [said(process) for process in running]
        fresh = said(check(history, "--no-cache"))
        assert told == [fresh] * SIDE_BY_SIDE
