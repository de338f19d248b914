"""The ways in which a life is killed from outside. Each returns what it has killed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.support.campaign_life import Lives
from tests.support.campaign_processes import (
    descendants,
    git_marker,
    is_tool_of_run,
    kill,
    marks_of,
    words_of,
)

_PAUSE_S = 0.001
_POLL_S = 30.0
_TOOLS_TO_DIE = 0.2

Killer = Callable[[Lives, int, random.Random, float, Path], list[str]]


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
    ours = git_marker(root, pid)
    killed: list[str] = []
    until = time.monotonic() + _POLL_S
    moment = time.monotonic() + rng.uniform(0, horizon_s)
    while len(killed) < 3 and time.monotonic() < until and not lives.has_ended(_PAUSE_S):
        if time.monotonic() < moment:
            continue
        for child in descendants(pid):
            if any(m.startswith(ours) for m in marks_of(child.pid)):
                killed.append(" ".join(words_of(child.pid)[1:5]))
                kill(child.pid)
                moment = time.monotonic() + rng.uniform(0, horizon_s)
                break
    return killed


def tool(lives: Lives, pid: int, rng: random.Random, _horizon_s: float, _root: Path) -> list[str]:
    """Kill the child of a turn only, some milliseconds after it has begun, and maybe another's.

    Of each workstream one at the most: two FIX turns that fail are a matter for its breaker.
    """
    seen: set[int] = set()
    killed: dict[str, str] = {}
    until = time.monotonic() + _POLL_S
    while len(killed) < 2 and time.monotonic() < until and not lives.has_ended(_PAUSE_S):
        for child in descendants(pid):
            if child.pid in seen or not is_tool_of_run(child.pid):
                continue
            seen.add(child.pid)
            mark = b" ".join(marks_of(child.pid)).decode()
            ws_id = mark.split("/")[1] if "/" in mark else ""
            if ws_id and ws_id not in killed and rng.random() < _TOOLS_TO_DIE:
                time.sleep(rng.uniform(0, 0.04))
                kill(child.pid)
                killed[ws_id] = mark
    return list(killed.values())


def amid_tool(
    lives: Lives, pid: int, rng: random.Random, _horizon_s: float, _root: Path
) -> list[str]:
    """Kill the orchestrator alone while a tool is at work, which lives on."""
    return _amid(lives, pid, rng, is_tool_of_run)


def amid_git(
    lives: Lives, pid: int, rng: random.Random, _horizon_s: float, root: Path
) -> list[str]:
    """Kill the orchestrator alone while a git is at work, which lives on."""
    ours = git_marker(root, pid)
    return _amid(lives, pid, rng, lambda p: any(m.startswith(ours) for m in marks_of(p)))


def _amid(
    lives: Lives, pid: int, rng: random.Random, is_wanted: Callable[[int], bool]
) -> list[str]:
    """Kill the orchestrator when it has one of some children, or one that comes a little later."""
    until, seen = time.monotonic() + _POLL_S, 0
    wanted = rng.randint(1, 4)
    last = 0
    while time.monotonic() < until and not lives.has_ended(0.0):
        for child in descendants(pid):
            if child.pid != last and is_wanted(child.pid):
                last, seen = child.pid, seen + 1
            if last == child.pid and seen >= wanted:
                kill(pid)
                return [" ".join(words_of(last)[-3:])]
    return []


KILLERS: Mapping[str, Killer] = {
    "orchestrator": orchestrator,
    "group": group,
    "git": git,
    "tool": tool,
    "orchestrator, a tool at work": amid_tool,
    "orchestrator, git at work": amid_git,
}
