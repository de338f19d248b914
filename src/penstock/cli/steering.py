"""Telling a run from outside: who asks, and waiting until the process that works on it has heard."""

from __future__ import annotations

import getpass
import time

from penstock.cli import output
from penstock.errors import UsageError
from penstock.wiring import Workspace

PATIENCE_S = 15.0
POLL_S = 0.1


def who() -> str:
    """Return our login name. Raises UsageError on a machine that does not know."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError) as error:
        raise UsageError("it is not known who you are", hint="Pass --by NAME.") from error


def report_asked(
    workspace: Workspace, run_id: str, *, done: bool, as_json: bool, what: str, until: str
) -> int:
    """Say what has come of a wish: done, heard by the process that works on the run, or not yet.

    `what` is the past participle of what was asked, `until` what a process that heard it does.
    """
    heard = done or _is_heard(workspace, run_id)
    if as_json:
        status = workspace.reader.get_run(run_id).status.value
        output.emit_json({"run_id": run_id, "status": status, "done": done, "heard": heard})
    elif done:
        output.emit(f"{run_id} is {what}.")
    elif heard:
        output.emit(f"The process that works on {run_id} has heard: {until}")
    else:
        output.emit(f"Asked, but the process that works on {run_id} has not answered yet.")
        output.emit(f"See: penstock events {run_id} --follow")
    return 0 if heard else 1


def _is_heard(workspace: Workspace, run_id: str) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while workspace.reader.open_requests(run_id):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True
