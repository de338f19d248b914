"""Writes results back again and again, dying at another step each time; tells what came of it.

python -m tests.support.sync_worker ROOT WAY FOLDER

For each step (a git command, or a file made, moved or removed) the repository ROOT is copied into
FOLDER, a child writes the results of run-1 back in the copy and kills itself before that step, and
then it is done once more. WAY is `branch`, `checkout` (the branch is checked out) or `place` (git does
not track the plan). A line of JSON on stdout tells each outcome.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from penstock.planning.writeback.api import SyncRequest, SyncResult
from penstock.wiring import open_workspace
from tests.support.handover_worker import STEPS, Death, looked_at
from tests.support.repos import git

BRANCH = "integration/run-1"


def sync(root: Path) -> SyncResult:
    """Write the results back."""
    with open_workspace(root) as workspace:
        return workspace.sync_plan(SyncRequest(run_id="run-1"))


def dies(root: Path, number: int) -> bool:
    """Write back in a child that dies at a step; tell whether it got that far."""
    pid = os.fork()
    if pid == 0:
        death = Death(number)
        for owner, name in STEPS:
            death.at(owner, name)
        sync(root)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def main() -> None:
    """Die at every step in turn, until none is left."""
    root, way, folder = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    number, died = 0, True
    while died:
        number += 1
        copy = folder / str(number)
        shutil.copytree(root, copy, symlinks=True)
        git(copy, "update-index", "-q", "--refresh", ok=False)
        died = dies(copy, number)
        half = (copy / "plan.md").read_text() if way == "place" else ""
        made = sync(copy)
        plan = (copy / "plan.md").read_text() if way != "branch" else ""
        line = {"died": died, "again": made.commit is not None or bool(made.in_place)}
        told = {**line, "plan": plan, "half": half, **looked_at(copy, BRANCH)}
        print(json.dumps(told), flush=True)
        shutil.rmtree(copy)


if __name__ == "__main__":
    main()
