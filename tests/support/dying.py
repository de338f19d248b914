"""Runs of a project in a process of its own that kills itself at a moment that was chosen.

`python -m tests.support.dying <json>`: see `Death`. The method is one of the journal or of the
repository, so the moments are those right before and right after a record or a move of a branch.
"""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec

from penstock.engine.ports import RunRequest
from penstock.store.sqlite import SqliteJournal
from penstock.wiring import open_workspace
from penstock.worktrees.repository import GitRepository
from tests.support.merging import together

TOP = Path(__file__).parents[2]
CLASSES = {"journal": SqliteJournal, "git": GitRepository}


class Death(msgspec.Struct, frozen=True, kw_only=True):
    """When to die: at call `number` (from 1) of `method` (`git.advance`) that is made with `of` in
    its arguments, before it or `after`. `batch` merges nothing before so many are ready."""

    method: str
    after: bool = False
    of: str = ""
    number: int = 1
    batch: int = 0
    root: str = ""
    resume: bool = False


def killed(root: Path, death: Death) -> None:
    """Run (or resume) the project at `root` until it kills itself; AssertionError when it does not."""
    order = msgspec.structs.replace(death, root=str(root))
    done = subprocess.run(
        [sys.executable, "-m", __name__, msgspec.json.encode(order).decode()],
        cwd=TOP,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, (done.returncode, done.stdout, done.stderr)


def _arm(death: Death) -> None:
    place, _, name = death.method.partition(".")
    method = getattr(CLASSES[place], name)
    calls = iter(range(1, 1 << 30))

    @functools.wraps(method)
    def deadly(*args: Any, **named: Any) -> Any:
        now = death.of in repr((args[1:], named)) and next(calls) == death.number
        if now and not death.after:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = method(*args, **named)
        if now:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(CLASSES[place], name, deadly)


def main(text: str) -> None:
    """Live until the chosen moment."""
    death = msgspec.json.decode(text, type=Death)
    _arm(death)
    with (
        together(death.batch) if death.batch else nullcontext(),
        open_workspace(Path(death.root)) as workspace,
    ):
        if death.resume:
            workspace.resume("run-1")
        else:
            bundles = tuple(item.bundle for item in workspace.load_bundles().bundles)
            workspace.run(RunRequest(bundles=bundles, run_id="run-1"))


if __name__ == "__main__":
    main(sys.argv[1])
