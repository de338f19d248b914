"""A process that works on a journal: `python -m tests.support.journal_worker WHAT PATH ...`.

Each line on stdout is written after the commit it tells of, in one write.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from penstock.errors import ClaimError, JournalError
from penstock.model.records import NewAttempt
from penstock.model.settings import Durability
from penstock.model.states import AttemptState
from penstock.store.sqlite import SqliteJournal, open_journal

RUN = "run-1"


def say(**facts: object) -> None:
    """Tell the parent, past every buffer."""
    os.write(1, json.dumps(facts).encode() + b"\n")


def step(journal: SqliteJournal, ws_id: str, number: int, **result: object) -> int:
    """Record one attempt with its outcome, telling of both commits."""
    begun = journal.begin_attempt(
        NewAttempt(run_id=RUN, ws_id=ws_id, step_name="edit", attempt=number)
    )
    say(begun=begun.id)
    head = f"c{number}"
    journal.finish_attempt(begun.id, AttemptState.SUCCEEDED, result=result, head_commit=head)
    say(finished=begun.id, head=head)
    return begun.id


def write(path: Path, durability: str, ws_id: str) -> None:
    """Record steps for ever, going on after the last number that is there."""
    with open_journal(path, durability=Durability(durability)) as journal:
        journal.claim_run(RUN, {"pid": os.getpid()})
        journal.add_workstream(RUN, ws_id)
        number = len(journal.list_attempts(RUN, ws_id))
        while True:
            number += 1
            step(journal, ws_id, number)


def share(path: Path, ws_id: str, count: str) -> None:
    """Record steps of a workstream on a run that nobody claims."""
    with open_journal(path) as journal:
        journal.add_workstream(RUN, ws_id)
        for number in range(1, int(count) + 1):
            step(journal, ws_id, number)


def claim(path: Path, runs: str) -> None:
    """Try to take each run once its turn is given, line by line on stdin."""
    with open_journal(path) as journal:
        say(ready=True)
        for number in range(int(runs)):
            sys.stdin.readline()
            try:
                token = journal.claim_run(f"run-{number}", {"pid": os.getpid()}, seen=None)
            except ClaimError:
                token = 0
            say(token=token)


def fill(path: Path, limit: str) -> None:
    """Record large steps until the file may not grow any more, and say what that came to."""
    with open_journal(path) as journal:
        journal.add_workstream(RUN, "ws-a")
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
        number = 0
        try:
            while True:
                number += 1
                step(journal, "ws-a", number, text="x" * 5000)
        except JournalError as error:
            say(error=str(error), hint=error.hint)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        journal.add_workstream(RUN, "ws-b")
        step(journal, "ws-b", 1)


def make(folder: Path) -> None:
    """Make journals for ever, each told of before it is begun."""
    number = 0
    while True:
        number += 1
        say(making=number)
        open_journal(folder / f"{number}.db").close()


WORK: Mapping[str, Callable[..., None]] = {
    "write": write,
    "share": share,
    "claim": claim,
    "fill": fill,
    "make": make,
}

if __name__ == "__main__":
    WORK[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
