"""`penstock status --watch`: look on while another process works on a run; nothing is written."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

from penstock.cli import output
from penstock.cli.commands.events import LIVE, recorded
from penstock.cli.live import LineWatcher, LiveWatcher
from penstock.cli.looking import looker
from penstock.cli.select import all_runs
from penstock.errors import NotFoundError
from penstock.model.records import Event, Run
from penstock.store.api import Journal
from penstock.wiring import Workspace

EVERY_S = 1.0
HEARD_BEFORE = 300
"""How many events before the watching tell what was heard last of each workstream."""
ALONE = "nobody works on it; go on with: penstock resume {run_id}"


def run_to_watch(workspace: Workspace) -> Run:
    """Return the run that is worked on, else the newest unfinished one, else the newest.

    Raises NotFoundError when there is none.
    """
    journal = workspace.reader
    unfinished = [run for run in all_runs(journal) if run.status in LIVE]
    worked_on = [run for run in unfinished if workspace.is_worked_on(run.run_id)]
    newest = [*worked_on, *unfinished, *journal.list_runs(limit=1)]
    if not newest:
        raise NotFoundError("there are no runs yet, so nothing to watch", hint="penstock run WS_ID")
    return newest[0]


def require_database(workspace: Workspace) -> None:
    """Raise NotFoundError where no journal has been made yet."""
    if not workspace.database.exists():
        raise NotFoundError(
            f"there is no journal yet at {workspace.database}, so nothing to watch",
            hint="Start a run with `penstock run WS_ID`, or name its database with --db.",
        )


def watch(workspace: Workspace, run: Run) -> None:
    """Show a run until it ends, the user stops the watching, or the reader of stdout is gone."""
    watcher = _watcher(workspace, run)
    journal = workspace.reader
    try:
        with watcher:
            alone = False
            for event in _followed(journal, run.run_id):
                if event is not None:
                    watcher.event(event)
                elif alone is (worked_on := workspace.is_worked_on(run.run_id)):
                    alone = not worked_on
                    watcher.note(ALONE.format(run_id=run.run_id) if alone else "")
    except KeyboardInterrupt:
        output.emit()
    finally:
        output.flush()


def _watcher(workspace: Workspace, run: Run) -> LiveWatcher | LineWatcher:
    """Return the watcher that fits stdout, with what was heard of the run before."""
    journal, look = workspace.reader, looker(workspace)
    names = [row.ws_id for row in journal.list_workstreams(run.run_id)]
    if output.on_terminal():
        from rich.console import Console

        screen = Console(file=sys.stdout, highlight=False)
        live = LiveWatcher(names, console=screen, look=look, run_id=run.run_id, every_s=EVERY_S)
        before = journal.list_events(run_id=run.run_id, limit=HEARD_BEFORE, newest_first=True)
        for event in reversed(before):
            live.event(event)
        return live
    lines = LineWatcher(names, look=look, say=output.emit, run_id=run.run_id)
    lines.progress()
    return lines


def _followed(journal: Journal, run_id: str) -> Iterator[Event | None]:
    """Yield what is recorded from now on, and None after each look, until the run is over."""
    newest = journal.list_events(run_id=run_id, limit=1, newest_first=True)
    last = newest[0].id if newest else 0
    while True:
        over = journal.get_run(run_id).status not in LIVE
        for event in recorded(journal, run_id, last):
            last = event.id
            yield event
        if over or output.stdout_gone():
            return
        yield None
        time.sleep(EVERY_S)
