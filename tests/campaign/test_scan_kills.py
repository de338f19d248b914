"""Cleaning, killed at moments that nobody chose."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from penstock.environment.scan.trash import Trash
from tests.support.scanning import state, tree

TOP = Path(__file__).parents[2]
KILLS = 12
SEED = 20260131


def killed_after(delay_s: float, top: Path, home: Path) -> int:
    """Begin a cleaning, kill it after a while, and return its exit code."""
    argv = [sys.executable, "-m", "tests.support.scan_worker", str(top), str(home)]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, cwd=TOP, stdin=pipe, stdout=pipe, text=True) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        worker.stdin.write("\n")
        worker.stdin.flush()
        time.sleep(delay_s)
        worker.send_signal(signal.SIGKILL)
    return worker.returncode


def test_nothing_is_lost_whenever_it_is_killed(tmp_path: Path) -> None:
    """After each kill all files are in their place or in the trash; restoring brings all back."""
    files = {f"d{n}/__pycache__/{m}": f"{n} {m}" for n in range(120) for m in range(2)}
    top, home = tree(tmp_path / "r", files), tmp_path / "t"
    before, rng = state(top), random.Random(SEED)
    codes = []
    for _ in range(KILLS):
        codes.append(killed_after(rng.uniform(0.0, 0.25), top, home))
        bin_ = Trash(home)
        for found in bin_.sets():
            assert bin_.restore(found).stayed == {}
        assert state(top) == before
    assert -signal.SIGKILL in codes
