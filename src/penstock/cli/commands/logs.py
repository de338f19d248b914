"""`penstock logs`: what the tools and checks of a workstream printed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from penstock.cli import output
from penstock.cli.options import db_option, json_option
from penstock.cli.select import find_run, find_workstream
from penstock.errors import NotFoundError
from penstock.model.records import Attempt
from penstock.model.states import RunState, WorkstreamState
from penstock.store.api import Journal
from penstock.wiring import Workspace, open_workspace

POLL_S = 0.3
CHUNK = 1 << 16
JSON_BYTES = 1 << 20
"""How much of the end of each log `--json` holds."""

ENDED = frozenset(
    {
        WorkstreamState.DONE,
        WorkstreamState.FAILED,
        WorkstreamState.QUARANTINED,
        WorkstreamState.CANCELED,
    }
)
OVER = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.QUARANTINED, RunState.CANCELED})


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where to read: a workstream of a run, and which of its steps."""

    workspace: Workspace
    run_id: str
    ws_id: str
    step: str | None

    @property
    def journal(self) -> Journal:
        """The journal."""
        return self.workspace.reader

    def attempts(self) -> list[Attempt]:
        """Return the attempts asked for, in order. `fix` and `fix_2` are both accepted."""
        found = self.journal.list_attempts(self.run_id, self.ws_id)
        return [a for a in found if self.step in (None, a.step_name, _name(a))]

    def path(self, attempt: Attempt) -> Path:
        """Return the log of an attempt."""
        return self.workspace.log_path(attempt)

    def over(self) -> bool:
        """Tell whether nothing more will be written."""
        row = self.journal.get_workstream(self.run_id, self.ws_id)
        return row.status in ENDED or self.journal.get_run(self.run_id).status in OVER


@click.command("logs")
@click.argument("run", metavar="RUN")
@click.argument("workstream", metavar="WS")
@click.option("--step", metavar="STEP", help="edit, static, runtime, fix, or one such as fix_2.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what is printed, until the end.")
@db_option
@json_option
def command(
    run: str, workstream: str, step: str | None, follow: bool, db: str | None, as_json: bool
) -> None:
    """Print the logs of workstream WS of RUN, attempt by attempt, secrets redacted."""
    with open_workspace(db=db) as workspace:
        found = find_run(workspace.reader, run)
        ws_id = find_workstream(workspace.reader, found, workstream).ws_id
        source = Source(workspace=workspace, run_id=found.run_id, ws_id=ws_id, step=step)
        if step is not None and not follow and not source.attempts():
            raise _no_such_step(source, step)
        if as_json:
            logs = [_as_json(source, attempt) for attempt in source.attempts()]
            output.emit_json({"run_id": found.run_id, "ws_id": ws_id, "logs": logs})
        elif follow:
            _follow(source)
        else:
            for attempt in source.attempts():
                _print(source, attempt)


def _name(attempt: Attempt) -> str:
    return f"{attempt.step_name}_{attempt.attempt}"


def _no_such_step(source: Source, step: str) -> NotFoundError:
    known = source.journal.list_attempts(source.run_id, source.ws_id)
    names = ", ".join(_name(a) for a in known) or "none yet"
    return NotFoundError(f"{source.ws_id} has no attempt of step {step!r} (it has: {names})")


def _as_json(source: Source, attempt: Attempt) -> dict[str, Any]:
    """Return a log's end with its size, so that a huge one stays bearable."""
    path, text, size = source.path(attempt), "", 0
    if path.is_file():
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - JSON_BYTES, 0))
            text = file.read().decode("utf-8", "replace")
    return {
        "step": attempt.step_name,
        "attempt": attempt.attempt,
        "path": str(path),
        "bytes": size,
        "truncated": size > JSON_BYTES,
        "text": text,
    }


def _heading(attempt: Attempt) -> str:
    tool = f" ({attempt.tool_id})" if attempt.tool_id else ""
    return f"=== {attempt.step_name} {attempt.attempt}{tool} {attempt.started_at or ''}".rstrip()


def _print(source: Source, attempt: Attempt) -> None:
    output.emit(_heading(attempt))
    end = ""
    for text, _ in _pieces(source.path(attempt), 0):
        output.emit(output.displayed(text), end="")
        end = text[-1:]
    if end != "\n":
        output.emit("" if end else "(no output is kept)")


def _pieces(path: Path, start: int) -> Iterator[tuple[str, int]]:
    """Yield what a log holds from byte `start` on, cut at line ends, with the size in bytes."""
    try:
        file = path.open("rb")
    except FileNotFoundError:  # the attempt printed nothing, or `penstock clean` took it
        return
    with file:
        file.seek(start)
        for lines in iter(lambda: file.readlines(CHUNK), []):
            data = b"".join(lines)
            yield data.decode("utf-8", "replace"), len(data)


def _follow(source: Source) -> None:
    """Print the logs as they grow, one attempt after the other."""
    read: dict[int, int] = {}
    while True:
        over = source.over()
        for attempt in source.attempts():
            if attempt.id not in read:
                output.emit(_heading(attempt))
            last = over or attempt.completed_at is not None
            read[attempt.id] = _print_more(
                source.path(attempt), read.get(attempt.id, 0), whole=last
            )
        output.flush()
        if over or output.stdout_gone():
            return
        time.sleep(POLL_S)


def _print_more(path: Path, start: int, *, whole: bool) -> int:
    """Print what was added since byte `start`, in whole lines unless no more will come; return
    the new position."""
    for text, size in _pieces(path, start):
        if not whole and not text.endswith("\n"):
            break
        output.emit(output.displayed(text), end="")
        start += size
    return start
