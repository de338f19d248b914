"""The repository's lock."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from penstock.errors import RepositoryError
from penstock.worktrees.lock import FILE, repository_lock

HOLDER = """
import sys, time
from pathlib import Path
from penstock.worktrees.lock import repository_lock
with repository_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_threads_take_turns(tmp_path: Path) -> None:
    """Two threads are never inside at once."""
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(30):
            with repository_lock(tmp_path):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), max(most)) == (120, 1)


def test_a_holder_s_death_frees_it(tmp_path: Path) -> None:
    """Another process keeps us out, is named, and its death lets us in."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    argv = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(RepositoryError, match=f"process {holder.pid} "),
            repository_lock(tmp_path, patience_s=0.05),
        ):
            pass
        holder.kill()
    with repository_lock(tmp_path, patience_s=5):
        assert (tmp_path / FILE).read_text() == f"{os.getpid()}\n"


def test_a_deleted_lock_file_does_not_let_two_in(tmp_path: Path) -> None:
    """Who waited for a file that was deleted meanwhile takes the one that lies there now."""
    entered = threading.Event()

    def wait_for_it() -> None:
        with repository_lock(tmp_path):
            assert (tmp_path / FILE).exists()
            entered.set()

    with repository_lock(tmp_path):
        thread = threading.Thread(target=wait_for_it)
        thread.start()
        assert not entered.wait(0.05)
        (tmp_path / FILE).unlink()
    thread.join(10)
    assert entered.is_set()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """A lock that cannot be made says why."""
    with (
        pytest.raises(RepositoryError, match="cannot make the lock"),
        repository_lock(tmp_path / "none"),
    ):
        pass
