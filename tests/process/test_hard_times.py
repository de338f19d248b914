"""The process door while the machine or its own process is in trouble."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from penstock.process import marks, proc, spawn, watch
from penstock.process.api import MARKER_VARIABLE, End
from penstock.process.run import run
from penstock.process.spawn import live_sessions
from penstock.process.sweep import sweep_markers
from tests.support.children import command, eventually, is_running, misbehaving
from tests.support.driver import drive, start

MARKER = f"hard-{os.getpid()}"


def marked(marker: str) -> list[int]:
    """The running processes that bear a marker."""
    name = MARKER_VARIABLE.encode()
    return [e.pid for e in proc.entries() if marker.encode() in proc.environ_values(e.pid, name)]


def test_a_lost_exit_status_is_no_success(tmp_path: Path) -> None:
    """Where SIGCHLD is ignored the status is lost: that is said, and not taken for exit 0."""
    code = """
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
outcome = go("true")
print(outcome.exit_code, outcome.error)
"""
    assert drive(code, tmp_path) == (
        "None the exit status is lost: SIGCHLD is ignored in this process\n"
    )


def test_whatever_number_of_descriptors_is_left_nothing_raises(tmp_path: Path) -> None:
    """With n free descriptors, for every n, a command either runs or is reported as not started."""
    code = """
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
from penstock.process import marks
marks.PATIENCE_S = 0.1
ends = []
for left in range(14, -1, -1):
    taken = []
    try:
        while True:
            taken.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        pass
    for descriptor in taken[:left]:
        os.close(descriptor)
    outcome = go("true", log=Path("a.log"))
    for descriptor in taken[left:]:
        os.close(descriptor)
    ends.append(outcome.end.value)
    assert outcome.end != "exited" or outcome.exit_code == 0
    assert outcome.end == "exited" or "Too many open files" in outcome.error
print(ends[0], ends[-1], sorted(set(ends)))
"""
    assert drive(code, tmp_path) == "exited not_started ['exited', 'not_started']\n"


def test_an_interrupt_of_the_program_ends_the_child(tmp_path: Path) -> None:
    """KeyboardInterrupt in the middle of a command ends and sweeps it before it goes on."""
    marker = f"{MARKER}-interrupt"
    code = f"go('sh', '-c', 'setsid sleep 60 & sleep 60', marker={marker!r})"
    with start(code, tmp_path) as program:
        assert eventually(lambda: len(marked(marker)) == 3)
        program.send_signal(signal.SIGINT)
        _, err = program.communicate(timeout=60)
    assert "KeyboardInterrupt" in err
    assert marked(marker) == []


def test_recovery_after_kills_at_random_moments(tmp_path: Path) -> None:
    """Whenever penstock is killed, one sweep for the marker leaves nothing of its children."""
    chance = random.Random(7)
    marker = f"{MARKER}-random"
    code = f"""
while True:
    go("sh", "-c", "setsid sleep 60 & sleep 0.01; sleep 60 & exit 0", marker={marker!r})
"""
    for _ in range(5):
        with start(code, tmp_path) as program:
            assert eventually(lambda: bool(marked(marker)))
            time.sleep(chance.random() * 0.2)
            program.kill()
        sweep_markers([marker])
        assert marked(marker) == []


@pytest.fixture
def _kill_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    # stands for a child inside a hung file system call, which cannot be had on demand
    monkeypatch.setattr(os, "killpg", lambda *_: None)
    monkeypatch.setattr(signal, "pidfd_send_signal", lambda *_: None)
    monkeypatch.setattr(watch, "KILLED_S", 0.2)
    monkeypatch.setattr(marks, "PATIENCE_S", 0.2)


@pytest.mark.usefixtures("_kill_is_broken")
def test_a_child_that_cannot_be_killed_is_given_up_and_named(tmp_path: Path) -> None:
    """A child that does not even end when killed is reported, and collected at a later start."""
    outcome = run(misbehaving("ignore_term", cwd=tmp_path, wall_s=0.4, grace_s=0.1))
    assert (outcome.end, outcome.exit_code) == (End.WALL_LIMIT, None)
    pid = int(outcome.error.split()[1])
    assert outcome.error == f"process {pid} does not end, even when killed"
    assert live_sessions() == frozenset()
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not is_running(pid))
    run(command("true", cwd=tmp_path))
    assert proc.entry(pid) is None
    assert spawn._ledger._abandoned == []


def test_without_pidfd_a_stray_is_killed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old kernel without pidfd only costs a little certainty."""
    monkeypatch.delattr(os, "pidfd_open")
    outcome = run(command("sh", "-c", "setsid sleep 60 & echo $!", cwd=tmp_path, marker=MARKER))
    assert (outcome.exit_code, outcome.swept) == (0, 1)
    assert not is_running(int(outcome.text))


def test_the_limit_of_descriptors_is_raised_once(tmp_path: Path) -> None:
    """The soft limit goes up to the hard one at the first start."""
    code = """
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 128))
go("true")
print(resource.getrlimit(resource.RLIMIT_NOFILE))
"""
    assert drive(code, tmp_path) == "(128, 128)\n"
