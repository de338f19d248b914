"""A run in a process of its own that is in the middle of a turn, so that something can befall its
journal; the turn ends when it is told to.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tests.support.cli import child
from tests.support.pipeline import Project

DEADLINE_S = 60.0
TOOL = """\
import pathlib, sys, time
print("thinking", flush=True)
while not pathlib.Path({gate!r}).exists():
    time.sleep(0.02)
pathlib.Path("ws-a.txt").write_text("good\\n")
"""


class Ended(msgspec.Struct, frozen=True):
    """How a run's process ended."""

    code: int
    err: str


class Scene:
    """A project whose only turn waits for a gate to be opened."""

    def __init__(self, folder: Path) -> None:
        self.project = Project(folder / "project")
        self.gate = folder / "gate"
        self.project.agent(TOOL.format(gate=str(self.gate)))
        self.project.bundle("ws-a", tool="agent")

    @property
    def journal(self) -> Path:
        """The file of the journal."""
        return self.project.root / "state/pipeline.db"

    @property
    def log(self) -> Path:
        """The write-ahead log of the journal."""
        return self.journal.with_name("pipeline.db-wal")

    @contextmanager
    def in_a_turn(self) -> Iterator[subprocess.Popen[bytes]]:
        """Start the run; the block begins when its tool is at work."""
        log = self.project.root / "logs/run-1/ws-a/edit_1.log"
        command = [sys.executable, "-m", "penstock", "run", "--all", "--run-id", "run-1"]
        with subprocess.Popen(
            command, cwd=self.project.root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            try:
                wait_for(lambda: log.exists() and b"thinking" in log.read_bytes())
                yield process
            finally:
                process.kill()

    def end(self, process: subprocess.Popen[bytes]) -> Ended:
        """Let the turn end, and wait for the end of the run's process."""
        self.gate.touch()
        _, err = process.communicate(timeout=DEADLINE_S)
        return Ended(process.returncode, err.decode())

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill the run's process; its tool lives on until somebody sweeps it."""
        process.kill()
        process.wait(DEADLINE_S)

    def resume(self) -> Ended:
        """Resume the run in a process of its own."""
        self.gate.touch()
        said = child("resume", "run-1", cwd=self.project.root)
        return Ended(said.code, said.err)

    def landed(self) -> bool:
        """Tell whether the work is on the integration branch, and no process of it is left."""
        return self.project.integrated("ws-a.txt") == "good" and self.left_running() == []

    def left_running(self) -> list[str]:
        """Return the processes that have this project's tool on their command line."""
        tool = str(self.project.root.parent / "agent.py").encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue  # it has ended
            if tool in line:
                found.append(entry.name)
        return found


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.02)
