"""Letting the `openspec` program archive a change that is wholly done.

It works on a copy of the files that it needs, in a folder of its own, and what it made of them goes
into the commit: neither the checkout nor the rest of the branch is in its reach.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any, Final

from penstock.errors import EnvironmentProblem
from penstock.planning.sources.markdown import boxes
from penstock.planning.sources.text import from_bytes
from penstock.process.capture import Completed, capture
from penstock.process.environment import child_environment, find_executable
from penstock.syncing.desk import PlanDesk

TIMEOUT_S: Final = 120.0
_CHANGE: Final = re.compile(r"(?P<base>(?:.+/)?openspec)/changes/(?P<id>[^/]+)")
_QUIET: Final = {"OPENSPEC_TELEMETRY": "0", "DO_NOT_TRACK": "1", "CI": "1", "NO_COLOR": "1"}


def archive(path: str, desk: PlanDesk) -> str | None:
    """Have a change archived; what becomes of its files is put on the desk.

    `path` is that of the change. Returns None when it is done, else why it is not.
    """
    found = _CHANGE.fullmatch(path)
    if found is None or found["id"] == "archive":
        return f"{path} is no current change of OpenSpec"
    base, change = found["base"], found["id"]
    mine = desk.tracked(path)
    if not mine:
        return f"{path} is not on the branch: archived already, or not tracked by git"
    left = [name for name in mine if _is_open(name, desk)]
    if left:
        return f"{change} is not wholly done: {left[0]} has open boxes"
    others = desk.tracked(f"{base}/specs"), (f"{base}/config.yaml", f"{base}/project.md")
    held = {name: desk.read(name) for name in (*mine, *others[0], *others[1])}
    before = {name: raw for name, raw in held.items() if raw is not None}
    prefix = base.removesuffix("openspec")
    answer = _ask(change, {name.removeprefix(prefix): held for name, held in before.items()})
    if isinstance(answer, str):
        return answer
    after = {f"{prefix}{name}": held for name, held in answer.items()}
    taken = [name for name in after if name not in before and desk.read(name) is not None]
    if taken:
        return f"{change} is not archived: {taken[0]} is there already"
    for name in {**before, **after}:
        if before.get(name) != after.get(name):
            desk.put(name, after.get(name))
    return None


def _is_open(name: str, desk: PlanDesk) -> bool:
    """Tell whether a file of tasks has a box that is not ticked."""
    raw = desk.read(name) if name.endswith("tasks.md") else None
    return raw is not None and any(not box.ticked for box in boxes(from_bytes(raw, name)))


def _ask(change: str, files: dict[str, bytes]) -> dict[str, bytes] | str:
    """Return the files as the program leaves them, or why it does not archive."""
    env = child_environment(extra=_QUIET)
    program = find_executable("openspec", env)
    if program is None:
        return "openspec is not installed, so nothing is archived"
    with tempfile.TemporaryDirectory(prefix="penstock-openspec-") as folder:
        top = Path(folder).resolve()
        for name, held in files.items():
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).write_bytes(held)
        argv = (str(program), "archive", change, "--yes", "--json")
        try:
            done = capture(argv, top, env, timeout=TIMEOUT_S)
        except EnvironmentProblem as error:
            return f"openspec cannot be started: {error}"
        if done.timed_out or done.returncode != 0:
            return f"openspec does not archive {change}: {_reason(done)}"
        left = (path for path in top.rglob("*") if path.is_file() and not path.is_symlink())
        return {path.relative_to(top).as_posix(): path.read_bytes() for path in left}


def _reason(done: Completed) -> str:
    if done.timed_out:
        return f"it took longer than {TIMEOUT_S:g} s"
    said: Any
    try:
        said = json.loads(done.stdout)["status"]
        return "; ".join(str(one["message"]) for one in said)
    except (ValueError, KeyError, TypeError):
        words = (done.stderr or done.stdout).decode(errors="replace").split()
        return " ".join(words)[-300:] or f"exit {done.returncode}"
