"""The ways in which a life is killed from outside. Each returns what it has killed."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from penstock.process import proc
from penstock.process.api import MARKER_VARIABLE
from tests.support.campaign_life import Lives

_PAUSE_S = 0.001
_POLL_S = 30.0
_TOOLS_TO_DIE = 0.2

Killer = Callable[[Lives, int, random.Random, float, Path], list[str]]


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


def orchestrator(
    lives: Lives, pid: int, rng: random.Random, horizon_s: float, _root: Path
) -> list[str]:
    """Kill the orchestrator alone; its children live on."""
    moment = rng.uniform(0, horizon_s)
    if lives.has_ended(moment):
        return []
    kill(pid)
    return [f"after {moment:.3f} s"]


def group(lives: Lives, pid: int, rng: random.Random, horizon_s: float, _root: Path) -> list[str]:
    """Kill the orchestrator and all its children at once."""
    moment = rng.uniform(0, horizon_s)
    if lives.has_ended(moment):
        return []
    with_it = descendants(pid)
    kill(pid)
    for child in with_it:
        kill(child.pid)
    return [f"after {moment:.3f} s with {len(with_it)} children"]


def git(lives: Lives, pid: int, rng: random.Random, horizon_s: float, root: Path) -> list[str]:
    """Kill a git child only, and others later while the life goes on."""
    ours = os.fsencode(f"git:{root}/.git:{pid}:")
    killed: list[str] = []
    until = time.monotonic() + _POLL_S
    moment = time.monotonic() + rng.uniform(0, horizon_s)
    while len(killed) < 3 and time.monotonic() < until and not lives.has_ended(_PAUSE_S):
        if time.monotonic() < moment:
            continue
        for child in descendants(pid):
            if any(m.startswith(ours) for m in _marks(child.pid)):
                killed.append(" ".join(_words(child.pid)[1:5]))
                kill(child.pid)
                moment = time.monotonic() + rng.uniform(0, horizon_s)
                break
    return killed


def tool(lives: Lives, pid: int, rng: random.Random, _horizon_s: float, _root: Path) -> list[str]:
    """Kill the child of one turn or two only, each some milliseconds after it has begun."""
    seen: set[int] = set()
    killed: list[str] = []
    until = time.monotonic() + _POLL_S
    while len(killed) < 2 and time.monotonic() < until and not lives.has_ended(_PAUSE_S):
        for child in descendants(pid):
            if child.pid in seen or not _is_tool(child.pid):
                continue
            seen.add(child.pid)
            if rng.random() < _TOOLS_TO_DIE:
                time.sleep(rng.uniform(0, 0.04))
                killed.append(b" ".join(_marks(child.pid)).decode())
                kill(child.pid)
    return killed


def _is_tool(pid: int) -> bool:
    return any("scripted_child" in word for word in _words(pid))


def _marks(pid: int) -> list[bytes]:
    return proc.environ_values(pid, MARKER_VARIABLE.encode())


def _words(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace").split("\0")
    except OSError:  # gone meanwhile
        return []


KILLERS: Mapping[str, Killer] = {
    "orchestrator": orchestrator,
    "group": group,
    "git": git,
    "tool": tool,
}
