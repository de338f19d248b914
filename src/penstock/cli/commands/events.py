"""`penstock events`: what was recorded of a run, in order."""

from __future__ import annotations

import time
from collections.abc import Iterator

import click

from penstock.cli import output
from penstock.cli.options import db_option, json_option
from penstock.cli.select import find_run
from penstock.engine.narrate import narrate
from penstock.model.records import Event
from penstock.model.states import RunState
from penstock.store.api import Journal
from penstock.wiring import open_workspace

PAGE = 500
POLL_S = 0.3
LIVE = frozenset({RunState.PENDING, RunState.RUNNING})


@click.command("events")
@click.argument("run", metavar="RUN")
@click.option("--follow", "-f", is_flag=True, help="Go on with what is recorded, until the end.")
@db_option
@json_option
def command(run: str, follow: bool, db: str | None, as_json: bool) -> None:
    """Print the events of RUN. With --follow and --json each event is one line of JSON."""
    with open_workspace(db=db) as workspace:
        journal = workspace.reader
        run_id = find_run(journal, run).run_id
        if as_json and not follow:
            found = list(recorded(journal, run_id))
            output.emit_json({"run_id": run_id, "events": found})
            return
        stream = followed(journal, run_id) if follow else recorded(journal, run_id)
        for event in stream:
            if as_json:
                output.emit_json_line(event)
            else:
                output.emit(f"{event.timestamp[:19]}Z {event.ws_id or '-':<20} {narrate(event)}")


def recorded(journal: Journal, run_id: str, after_id: int = 0) -> Iterator[Event]:
    """Yield the events of a run after an id, oldest first."""
    while page := journal.list_events(run_id=run_id, after_id=after_id, limit=PAGE):
        yield from page
        after_id = page[-1].id


def followed(journal: Journal, run_id: str) -> Iterator[Event]:
    """Yield events as they come, until the run is over or the reader of stdout is gone."""
    last = 0
    while True:
        over = journal.get_run(run_id).status not in LIVE
        for event in recorded(journal, run_id, last):
            last = event.id
            yield event
        output.flush()
        if over or output.stdout_gone():
            return
        time.sleep(POLL_S)
