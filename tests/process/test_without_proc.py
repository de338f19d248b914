"""The process door where there is neither /proc nor pidfd, as on macOS."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from penstock.process import portable, proc
from penstock.process.api import End
from penstock.process.capture import capture
from penstock.process.identity import is_alive, this_process
from penstock.process.run import run
from penstock.process.sweep import sweep_markers
from tests.support import psutil_on_proc
from tests.support.children import ENV, command, is_running, killed_afterwards, misbehaving

MARKER = f"portable-{os.getpid()}"


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proc, "available", lambda: False)
    monkeypatch.delattr(os, "pidfd_open")
    monkeypatch.delattr(os, "memfd_create")
    monkeypatch.setattr(portable, "RECORD_S", 0.05)
    monkeypatch.setitem(sys.modules, "psutil", psutil_on_proc)


def test_commands_run_and_are_limited(tmp_path: Path) -> None:
    """Exit codes, output and limits are the same."""
    outcome = run(command("sh", "-c", "echo x; exit 3", cwd=tmp_path))
    assert (outcome.end, outcome.exit_code, outcome.text) == (End.EXITED, 3, "x\n")
    outcome = run(misbehaving("ignore_term", cwd=tmp_path, wall_s=0.4, grace_s=0.2))
    assert (outcome.end, outcome.exit_code) == (End.WALL_LIMIT, -9)


@pytest.mark.parametrize("kept", ["marker", "session", "cwd"])
def test_three_marks_give_a_stray_process_away(tmp_path: Path, kept: str) -> None:
    """Marker, session and working directory are seen without /proc too."""
    pid_file = tmp_path / "pid"
    folder = tmp_path / "worktree"
    folder.mkdir()
    with killed_afterwards(pid_file):
        child = misbehaving(
            "leave", kept, str(pid_file), cwd=folder, marker=MARKER, sweep_cwd=folder
        )
        assert run(child).swept >= 1
        assert not is_running(int(pid_file.read_text()))


def test_recorded_descendants_are_killed(tmp_path: Path) -> None:
    """A stray that shed all marks, but was seen below the child while that ran, is killed."""
    code = "env -i setsid sleep 300 >/dev/null 2>&1 </dev/null & echo $!; sleep 0.5"
    outcome = run(command("sh", "-c", f"cd /; {code}", cwd=tmp_path))
    assert outcome.swept == 1
    assert not is_running(int(outcome.text))


def test_the_light_way_works_and_times_out(tmp_path: Path) -> None:
    """capture does without pidfd and memory files."""
    assert capture(["cat"], tmp_path, ENV, stdin=b"x").stdout == b"x"
    assert capture(["sleep", "60"], tmp_path, ENV, timeout=0.2).timed_out


def test_recovery_and_identity_work() -> None:
    """Marker sweeps and identities are there without /proc."""
    assert sweep_markers([MARKER]) == 0
    assert is_alive(this_process())
