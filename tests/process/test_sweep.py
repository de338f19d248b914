"""What a child leaves behind is found by any one of four marks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from penstock.process import proc
from penstock.process import sweep as sweep_module
from penstock.process.api import MARKER_VARIABLE, End, Outcome
from penstock.process.run import run
from penstock.process.sweep import sweep, sweep_markers
from tests.support.children import (
    ENV,
    ROOT,
    SCRIPT,
    command,
    eventually,
    is_running,
    killed_afterwards,
    misbehaving,
)

MARKER = f"test-{os.getpid()}"


def leave_stray(kept: str, tmp_path: Path) -> Outcome:
    """Run a child that leaves a stray process with one mark only."""
    worktree = tmp_path / "worktree"
    worktree.mkdir()
    pid_file = str(tmp_path / "pid")
    return run(
        misbehaving("leave", kept, pid_file, cwd=worktree, marker=MARKER, sweep_cwd=worktree)
    )


@pytest.mark.parametrize("kept", ["marker", "session", "pipe", "cwd"])
def test_each_mark_alone_gives_a_stray_process_away(tmp_path: Path, kept: str) -> None:
    """A process that has shed three of the four marks is still found and killed."""
    with killed_afterwards(tmp_path / "pid"):
        outcome = leave_stray(kept, tmp_path)
        assert (outcome.end, outcome.exit_code, outcome.swept) == (End.EXITED, 0, 1)
        assert not is_running(int((tmp_path / "pid").read_text()))


def test_who_sheds_all_four_marks_is_out_of_reach(tmp_path: Path) -> None:
    """The limit of the sweep, as the threat model states it: no mark, no finding."""
    with killed_afterwards(tmp_path / "pid"):
        assert leave_stray("none", tmp_path).swept == 0
        assert is_running(int((tmp_path / "pid").read_text()))


def test_a_chain_of_forks_is_hunted_down(tmp_path: Path) -> None:
    """Processes that fork while being looked for are all found."""
    run(misbehaving("fork_on", "30", cwd=tmp_path, marker=MARKER))
    assert sweep_markers([MARKER]) == 0


def test_a_stopped_stray_is_killed(tmp_path: Path) -> None:
    """A process that was stopped can be swept like any other."""
    code = "sleep 60 & kill -STOP $!; echo $!"
    outcome = run(command("sh", "-c", code, cwd=tmp_path))
    assert outcome.swept == 1
    assert not is_running(int(outcome.text))


class Bystander:
    """A process of somebody else: not our child, but a child of a child."""

    def __init__(self, cwd: Path, **env: str) -> None:
        self._parent = subprocess.Popen(
            ["sh", "-c", "sleep 60 & echo $!; wait"],
            cwd=cwd,
            env={**ENV, **env},
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._parent.stdout is not None
        self.pid = int(self._parent.stdout.readline())
        self._parent.stdout.close()

    def end(self) -> bool:
        """End it and tell whether it still lived."""
        alive = is_running(self.pid)
        os.killpg(self._parent.pid, signal.SIGKILL)
        self._parent.wait()
        return alive


def test_older_and_unmarked_processes_are_spared(tmp_path: Path) -> None:
    """Neither what ran in the worktree before the child nor what bears no mark is touched."""
    older = Bystander(tmp_path)
    unmarked = Bystander(Path("/"))
    assert eventually(lambda: _ticks_now() > proc.start_of(older.pid) + 1)
    outcome = run(command("true", cwd=tmp_path, sweep_cwd=tmp_path))
    assert (outcome.swept, older.end(), unmarked.end()) == (0, True, True)


def _ticks_now() -> int:
    with subprocess.Popen(["true"]) as probe:
        return proc.start_of(probe.pid)


def test_the_children_of_an_embedding_program_are_spared(tmp_path: Path) -> None:
    """What this very process started by other means is nobody's stray."""
    with subprocess.Popen(["sleep", "60"], cwd=tmp_path, start_new_session=True) as child:
        assert sweep_markers([], [tmp_path]) == 0
        assert child.poll() is None
        child.kill()


def test_a_process_at_a_terminal_is_not_taken_for_its_folder(tmp_path: Path) -> None:
    """A user's shell that looks around in a worktree survives the sweep of that worktree."""
    argv = [sys.executable, "-I", str(SCRIPT), "at_terminal"]
    terminal = subprocess.Popen(
        argv, cwd=tmp_path, env=ENV, stdin=subprocess.DEVNULL, start_new_session=True
    )
    try:
        # before it has become `sleep` it is not at its terminal yet
        assert eventually(lambda: [name_of(p) for p in children_of(terminal.pid)] == ["sleep"])
        assert sweep_markers([], [tmp_path]) == 0
        assert len(children_of(terminal.pid)) == 1
    finally:
        for pid in children_of(terminal.pid):
            os.kill(pid, signal.SIGKILL)
        terminal.kill()
        terminal.wait()


def children_of(pid: int) -> list[int]:
    """The running children of a process."""
    return [entry.pid for entry in proc.entries() if entry.parent == pid]


def name_of(pid: int) -> str:
    """What a process runs, empty when it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def test_our_own_running_children_are_spared(tmp_path: Path) -> None:
    """A sweep of one command leaves another that runs in the same folder alone."""
    swept: list[int] = []

    def sweep_now(_: bytes) -> None:
        swept.append(sweep(marker=None, cwd=tmp_path))

    outcome = run(command("sh", "-c", "echo x; sleep 0.2", cwd=tmp_path, on_stdout=sweep_now))
    assert (outcome.exit_code, swept) == (0, [0])


def test_ourselves_and_our_ancestors_are_spared(tmp_path: Path) -> None:
    """Marks that fit the sweeping process and its parents kill neither of them."""
    code = (
        "import os; from pathlib import Path; from penstock.process.sweep import sweep;"
        f"print(sweep(marker='{MARKER}-own', session=os.getsid(0), cwd=Path.cwd()))"
    )
    env = {**ENV, "PYTHONPATH": str(ROOT / "src"), MARKER_VARIABLE: f"{MARKER}-own"}
    script = f'"{sys.executable}" -c "{code}"; echo survived'
    done = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, env=env, start_new_session=True, capture_output=True
    )
    assert (done.returncode, done.stdout) == (0, b"0\nsurvived\n")


def test_recovery_finds_a_silent_tool_that_outlived_us(tmp_path: Path) -> None:
    """After a kill -9 of the one that ran it, a silent tool lives on until recovery sweeps."""
    marker = f"{MARKER}-lost"
    code = (
        "import sys; from pathlib import Path; from penstock.process.run import run;"
        "from penstock.process.api import Command;"
        "run(Command(argv=tuple(sys.argv[2:]), cwd=Path('/'), env={}, marker=sys.argv[1]))"
    )
    argv = [sys.executable, "-c", code, marker, sys.executable, "-I", str(SCRIPT), "silent"]
    runner = subprocess.Popen(argv, env={**ENV, "PYTHONPATH": str(ROOT / "src")})
    assert eventually(lambda: bool(marked(marker)))
    runner.kill()
    runner.wait()
    assert len(marked(marker)) == 1
    assert sweep_markers([f"{marker}-other", marker]) == 1
    assert marked(marker) == []


def marked(marker: str) -> list[int]:
    """The running processes that bear a marker."""
    name = MARKER_VARIABLE.encode()
    return [e.pid for e in proc.entries() if marker.encode() in proc.environ_values(e.pid, name)]


def test_a_marker_is_matched_whole(tmp_path: Path) -> None:
    """A process marked `a-12` is not swept for the marker `a-1`, nor for another variable."""
    longer = Bystander(tmp_path, **{MARKER_VARIABLE: f"{MARKER}-12"})
    other = Bystander(tmp_path, NOTE=f"{MARKER_VARIABLE}={MARKER}-1")
    assert sweep_markers([f"{MARKER}-1"]) == 0
    assert (longer.end(), other.end()) == (True, True)


def test_a_large_environment_is_read_whole(tmp_path: Path) -> None:
    """A marker is found behind more than 64 KiB of other variables."""
    fill = {f"FILL_{n}": "x" * 100_000 for n in range(3)}
    marker = f"{MARKER}-large"
    process = Bystander(tmp_path, **fill, **{MARKER_VARIABLE: marker})
    assert sweep_markers([marker]) == 2  # the shell and its child
    assert not process.end()


def test_adopted_strays_are_collected(tmp_path: Path) -> None:
    """Where this process inherits orphans, as process 1 of a container, no zombie stays behind."""
    code = (
        "import ctypes, os, sys; from pathlib import Path; from penstock.process import proc, run;"
        "from penstock.process.api import Command;"
        "ctypes.CDLL(None).prctl(36, 1, 0, 0, 0);"  # PR_SET_CHILD_SUBREAPER
        "argv = ('sh', '-c', 'setsid sleep 60 & sleep 0.2');"
        "env = dict(os.environ);"
        f"out = run.run(Command(argv=argv, cwd=Path('/'), env=env, marker='{MARKER}-adopted'));"
        "left = [n for n in os.listdir('/proc') if n.isdigit()"
        " and (s := Path('/proc', n, 'stat')).exists() and f') Z {os.getpid()} ' in s.read_text()];"
        "print(out.swept, left)"
    )
    env = {**ENV, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True)
    assert done.stdout == b"1 []\n"


def test_a_number_that_passed_to_another_process_is_spared(tmp_path: Path) -> None:
    """Between finding and killing, a process is looked at again: only the one found is killed."""
    other = Bystander(tmp_path)
    entry = proc.entry(other.pid)
    assert entry is not None
    assert not sweep_module._kill(entry._replace(start=entry.start - 1))
    assert other.end()
    assert eventually(lambda: not sweep_module._kill(entry))
