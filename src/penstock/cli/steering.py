"""Telling a run from outside: who asks, and whether the process that works on it has heard."""

from __future__ import annotations

import getpass

from penstock.cli import output
from penstock.errors import UsageError
from penstock.wiring import Workspace


def who() -> str:
    """Return our login name. Raises UsageError on a machine that does not know."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError) as error:
        raise UsageError("it is not known who you are", hint="Pass --by NAME.") from error


def report_asked(
    workspace: Workspace,
    run_id: str,
    *,
    done: bool,
    as_json: bool,
    what: str,
    until: str,
    ws_id: str | None = None,
) -> int:
    """Say what has come of a wish: done, heard by the process that works on the run, or not yet.

    `what` is the past participle of what was asked, `until` what a process that heard it does;
    `ws_id` is the workstream that it was asked for, None for the whole run.
    """
    heard = done or not workspace.reader.open_requests(run_id)
    if as_json:
        status = workspace.reader.get_run(run_id).status.value
        output.emit_json({"run_id": run_id, "status": status, "done": done, "heard": heard})
    elif done:
        output.emit(f"{f'{ws_id} of ' if ws_id else ''}{run_id} is {what}.")
    elif heard:
        output.emit(f"The process that works on {run_id} has heard: {until}")
    else:
        output.emit(f"Asked, but the process that works on {run_id} has not answered yet.")
        output.emit(f"See: penstock events {run_id} --follow")
    return 0 if heard else 1
