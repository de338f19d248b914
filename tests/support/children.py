"""Starting misbehaving children through the process door, and looking at what is left."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from penstock.process import proc
from penstock.process.api import Command

SCRIPT = Path(__file__).with_name("misbehaving_child.py")
ENV = {"PATH": os.environ["PATH"]}
ROOT = Path(__file__).parents[2]


def command(*argv: str, cwd: Path, **options: Any) -> Command:
    """A command with a small environment and limits that keep a broken test short."""
    return Command(argv=argv, cwd=cwd, env=ENV, **{"wall_s": 60.0, **options})


def misbehaving(*mode: str, cwd: Path, **options: Any) -> Command:
    """A command for a child that misbehaves in the named way."""
    return command(sys.executable, "-I", str(SCRIPT), *mode, cwd=cwd, **options)


def python(code: str, *, cwd: Path, **options: Any) -> Command:
    """A command for Python code."""
    return command(sys.executable, "-I", "-c", code, cwd=cwd, **options)


def is_running(pid: int) -> bool:
    """Tell whether a process runs; one that only waits to be collected does not."""
    entry = proc.entry(pid)
    return entry is not None and not entry.dead


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Wait until a condition holds; tell whether it came to hold in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@contextmanager
def killed_afterwards(pid_file: Path) -> Iterator[None]:
    """Kill the process whose number is in the file, whatever the test found."""
    try:
        yield
    finally:
        if pid_file.exists():
            with suppress(ProcessLookupError):
                os.kill(int(pid_file.read_text()), signal.SIGKILL)
