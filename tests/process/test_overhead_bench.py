"""The overhead bench as a program: a row for everybody, and no server that outlives it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bench.overhead_servers import ROOT, Unavailable, answers, checked, redis, started, wait_until

from tests.support.children import eventually, is_running

SIDES = [
    "penstock",
    "penstock",
    "Luigi",
    "Luigi",
    "Celery",
    "Celery",
    "DBOS step (no intent)",
    "DBOS workflow",
    "DBOS step (no intent)",
    "DBOS workflow",
]
TINY = ("--independent", "6", "--graph", "6", "--sequence", "4", "--rounds", "1")
KEEP_REDIS = """
import sys, time
from pathlib import Path
from bench.bench_overhead import ended_by_signal
from bench.overhead_servers import redis
with ended_by_signal(), redis(Path(sys.argv[1]), "always") as (path, pid):
    print(pid, flush=True)
    time.sleep(60)
"""
needs_redis = pytest.mark.skipif(
    shutil.which("redis-server") is None or shutil.which("setpriv") is None,
    reason="redis-server or setpriv is not installed",
)


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the bench with tiny counts."""
    argv = [sys.executable, "-m", "bench.bench_overhead", *TINY, *words]
    return subprocess.run(argv, capture_output=True, text=True, cwd=ROOT, check=False)


def check_row(row: dict[str, Any]) -> None:
    """A row has figures, or says why not."""
    if "missing" in row:
        assert row["missing"].startswith("not ")
    else:
        assert all(shape["wall"] > 0 and shape["cpu"] > 0 for shape in row["shapes"].values())


def test_everybody_has_a_row() -> None:
    """Each side is measured when it is installed, and says what to install when not."""
    done = bench("--json")
    assert done.returncode in {0, 1}, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert [row["side"] for row in rows] == SIDES
    for row in rows:
        check_row(row)
    assert all("missing" not in row for row in rows[:2])


def test_peers_that_are_not_there(tmp_path: Path) -> None:
    """Where no interpreter has a peer, the table says what to install and the bench goes on."""
    done = bench("--peers", str(tmp_path / "none"), "--peers-python", str(tmp_path / "python"))
    assert done.returncode in {0, 1}, done.stderr
    assert "penstock, FULL" in done.stdout
    assert done.stdout.count("4 KiB appended to a file and synced") == 1


def test_install_needs_a_folder() -> None:
    """Where to put the peers has to be said."""
    argv = [sys.executable, "-m", "bench.bench_overhead", "--install"]
    env = {k: v for k, v in os.environ.items() if k != "PENSTOCK_BENCH_PEERS"}
    done = subprocess.run(argv, capture_output=True, text=True, cwd=ROOT, env=env, check=False)
    assert (done.returncode, "--install needs --peers" in done.stderr) == (2, True)


@needs_redis
def test_a_server_ends_with_its_block(tmp_path: Path) -> None:
    """Redis answers within its block and is gone after it."""
    with redis(tmp_path / "redis", "everysec") as (path, pid):
        assert answers(path)
    assert not answers(path)
    assert not is_running(pid)


@needs_redis
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_server_outlives_the_bench(number: signal.Signals, tmp_path: Path) -> None:
    """However the bench is ended, also by kill -9, its servers end with it."""
    argv = [sys.executable, "-c", KEEP_REDIS, str(tmp_path / "redis")]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT
    ) as child:
        assert child.stdout is not None
        server = int(child.stdout.readline())
        assert is_running(server)
        child.send_signal(number)
        child.wait(30)
    assert eventually(lambda: not is_running(server))


def test_a_server_that_does_not_start(tmp_path: Path) -> None:
    """The last words of a server that ended at once are the reason given."""
    argv = [sys.executable, "-c", "print('no such option')"]
    said = pytest.raises(Unavailable, match=r"Toy did not start: no such option")
    with said, started(argv, tmp_path, signal.SIGTERM) as process:
        wait_until(lambda: False, process, tmp_path, "Toy")


def test_a_socket_with_too_long_a_path(tmp_path: Path) -> None:
    """A path that the kernel would not take is refused with the way out."""
    with pytest.raises(Unavailable, match="give --dir"):
        checked(tmp_path / ("x" * 120))
