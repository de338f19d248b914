"""Hands a result over again and again, dying at another step each time; tells what came of it.

python -m tests.support.handover_worker ROOT STRATEGY TARGET FOLDER

For each step (a git command, or a file of git's made, moved or removed) the repository ROOT is copied
into FOLDER, a child hands over in the copy and kills itself before that step, and then it is handed
over once more. A line of JSON on stdout tells each outcome; TARGET `main` is checked out.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from penstock.worktrees.api import Handover, HandoverStrategy
from penstock.worktrees.git import Git
from tests.support.repos import git, opened

STEPS = ((Git, "call"), (os, "link"), (Path, "replace"), (Path, "unlink"), (Path, "write_bytes"))
LEFT = ("penstock-handover*", "penstock-index*", "penstock-sign", "*.lock", "*.tmp")


class Death:
    """Kills this process before its n-th step."""

    def __init__(self, number: int) -> None:
        self._left = number

    def at(self, owner: Any, name: str) -> None:
        """Count the calls of a function as steps."""
        real: Callable[..., Any] = getattr(owner, name)

        def counted(*args: Any, **given: Any) -> Any:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **given)

        setattr(owner, name, counted)


def hand_over(root: Path, strategy: HandoverStrategy, target: str) -> Handover:
    """Hand `integration/r` over from where its run started."""
    return opened(root).handover(
        "integration/r",
        target,
        strategy=strategy,
        base=git(root, "rev-parse", "start"),
        update_checkout=target == "main",
        message="Result",
        trailers={},
    )


def dies(root: Path, strategy: HandoverStrategy, target: str, number: int) -> bool:
    """Hand over in a child that dies at a step; tell whether it got that far."""
    pid = os.fork()
    if pid == 0:
        death = Death(number)
        for owner, name in STEPS:
            death.at(owner, name)
        hand_over(root, strategy, target)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def looked_at(root: Path, target: str) -> dict[str, object]:
    """Tell what lies there: the target's tree and history, the checkout, what is left behind."""
    top = root / ".git"
    left = [path.name for kind in LEFT for path in top.rglob(kind)]
    return {
        "tree": git(root, "rev-parse", f"{target}^{{tree}}"),
        "history": git(root, "log", "--first-parent", "--format=%s", target).split("\n"),
        "status": git(root, "status", "--porcelain"),
        "fsck": git(root, "fsck", "--strict", "--no-dangling"),
        "left": left,
    }


def main() -> None:
    """Die at every step in turn, until none is left."""
    root, strategy, target, folder = Path(sys.argv[1]), *sys.argv[2:4], Path(sys.argv[4])
    number, died = 0, True
    while died:
        number += 1
        copy = folder / str(number)
        shutil.copytree(root, copy, symlinks=True)
        git(copy, "update-index", "--refresh")
        died = dies(copy, HandoverStrategy(strategy), target, number)
        before = git(copy, "rev-parse", target)
        given = hand_over(copy, HandoverStrategy(strategy), target)
        line = {"died": died, "moved": before != git(copy, "rev-parse", "start")}
        print(json.dumps({**line, "already": given.already, **looked_at(copy, target)}), flush=True)
        shutil.rmtree(copy)


if __name__ == "__main__":
    main()
