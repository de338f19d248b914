"""Which processes belong to a repository of the campaign, and to which life of it."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from penstock.process import proc
from penstock.process.api import MARKER_VARIABLE
from tests.support.campaign_work import RUN

PATIENCE_S = 5.0


def descendants(pid: int) -> list[proc.Entry]:
    """Return all that descends from a process, sessions of their own included."""
    everybody = list(proc.entries())
    family, found = {pid}, []
    while more := [e for e in everybody if e.parent in family and e.pid not in family]:
        found += more
        family.update(e.pid for e in more)
    return found


def kill(pid: int) -> None:
    """Send SIGKILL to a process that may be gone."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def marks_of(pid: int) -> list[bytes]:
    """Return the values of our marker in the environment of a process."""
    return proc.environ_values(pid, MARKER_VARIABLE.encode())


def words_of(pid: int) -> list[str]:
    """Return the command line of a process, empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace").split("\0")
    except OSError:
        return []


def git_marker(root: Path, pid: int | None = None) -> bytes:
    """Return how the markers of the git children of a repository, or of one life, begin."""
    return os.fsencode(f"git:{root}/.git:" + ("" if pid is None else f"{pid}:"))


def running(root: Path) -> list[proc.Entry]:
    """Return the processes that work inside a repository or carry a marker of it, without us."""
    us = proc.ancestors(os.getpid())
    return [e for e in proc.entries() if e.pid not in us and _belongs(e.pid, root)]


def _belongs(pid: int, root: Path) -> bool:
    if Path(proc.cwd(pid) or "/").is_relative_to(root):
        return True
    return any(mark.startswith(git_marker(root)) for mark in marks_of(pid))


def survivors(root: Path) -> list[str]:
    """Return what an earlier life has left running, from within a later one."""
    me = os.getpid()
    known = {entry.pid for entry in descendants(me)}
    others = [entry for entry in running(root) if entry.pid not in known]
    # what another thread has started meanwhile is seen to be ours the second time
    own = {entry.pid for entry in descendants(me)}
    left = [e for e in others if e.pid not in own and proc.entry(e.pid) == e]
    # a grandchild that has lost its parent, git, is ours if its marker says so
    return [
        described(entry)
        for entry in left
        if not any(mark.startswith(git_marker(root, me)) for mark in marks_of(entry.pid))
    ]


def described(entry: proc.Entry) -> str:
    """Say which process it is."""
    words = " ".join(words_of(entry.pid))[:200]
    return f"{entry.pid} in {proc.cwd(entry.pid)}: {words}, marked {marks_of(entry.pid)}"


def left_running(root: Path) -> list[str]:
    """Return what belongs to a repository, once that which is just ending has gone."""
    deadline = time.monotonic() + PATIENCE_S
    while (found := running(root)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return [described(entry) for entry in found]


def is_tool_of_run(pid: int) -> bool:
    """Tell whether a process is the scripted tool at work on a turn of the run."""
    mine = any(mark.startswith(f"{RUN}/".encode()) for mark in marks_of(pid))
    return mine and any("scripted_child" in word for word in words_of(pid))
