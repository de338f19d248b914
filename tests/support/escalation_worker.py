"""An error pipeline in a process of its own, which may kill itself at a moment that was chosen.

`python -m tests.support.escalation_worker ROOT WHAT [NUMBER]`: WHAT is tick or run, NUMBER counts the
moments right before and right after everything that leaves a trace, from 1.
"""

from __future__ import annotations

import functools
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from penstock.engine.escalation import attempt, cabinet, pipeline, quarantine
from penstock.engine.escalation.ports import Seed
from penstock.store.sqlite import SqliteJournal
from penstock.wiring import Workspace, open_workspace
from penstock.worktrees.repository import GitRepository
from tests.support.escalation import FILE, RUN, WS, MarkChecker

TOP = Path(__file__).parents[2]
TRACES: tuple[tuple[Any, str], ...] = (
    (SqliteJournal, "save_error_context"),
    (SqliteJournal, "record_event"),
    (SqliteJournal, "begin_attempt"),
    (SqliteJournal, "finish_attempt"),
    (GitRepository, "snapshot"),
    (GitRepository, "lease"),
    (GitRepository, "release"),
    (GitRepository, "remove_branch"),
    (cabinet.Cabinet, "save"),
    (cabinet.Cabinet, "announce"),
    (cabinet.Cabinet, "forget"),
    (cabinet.Cabinet, "write_report"),
    (cabinet.Cabinet, "write_context"),
    (attempt, "put"),
    (pipeline, "run_autofix"),
    (quarantine, "write_private"),
)


def start(
    root: Path, what: str, number: int = 0, *, within: Sequence[str] = ()
) -> subprocess.Popen[str]:
    """Start one, `within` another command, its output on a pipe."""
    return subprocess.Popen(
        [*within, sys.executable, "-m", __name__, str(root), what, str(number)],
        cwd=TOP,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def died(root: Path, what: str, number: int) -> bool:
    """Let one come to its end or its death; AssertionError for any other end."""
    child = start(root, what, number)
    said, _ = child.communicate(timeout=60)
    assert child.returncode in (0, -signal.SIGKILL), said
    return child.returncode != 0


def _arm(number: int) -> None:
    moments = itertools.count(1)

    def moment() -> None:
        if next(moments) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    for owner, name in TRACES:
        setattr(owner, name, _guarded(getattr(owner, name), moment))


def _guarded(act: Any, moment: Any) -> Any:
    @functools.wraps(act)
    def guarded(*args: Any, **named: Any) -> Any:
        moment()
        done = act(*args, **named)
        moment()
        return done

    return guarded


def main(root: str, what: str, number: str) -> int:
    """Work in the repository at `root`."""
    checker = MarkChecker()
    Workspace.inspector = lambda *_, **__: nullcontext(checker)  # type: ignore[assignment,method-assign]
    _arm(int(number))
    seed = Seed(python_files=(FILE,))
    with open_workspace(Path(root)) as workspace, workspace.error_pipeline(RUN, WS) as work:
        print(work.tick(seed) if what == "tick" else work.run(seed))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
