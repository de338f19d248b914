"""A process that works on a journal: `python -m tests.support.journal_worker WHAT PATH ...`.

Each line on stdout is written after the commit it tells of, in one write.
"""

from __future__ import annotations

import itertools
import json
import os
import resource
import sqlite3
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from penstock.errors import BudgetExceeded, ClaimError, JournalError
from penstock.model.records import Attempt, Cap, Cost, NewAttempt, Reservation
from penstock.model.settings import Durability
from penstock.model.states import AttemptState
from penstock.model.times import iso
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


def spend(path: Path, ws_id: str, cap_usd: str, turn_usd: str) -> None:
    """Reserve and settle turns of a workstream until the run's cap lets none through any more.

    Each costs all that it reserved. Turns are taken one by one, once the start is given on stdin.
    """
    cap = Cap(name="run", max_cost_usd=float(cap_usd))
    held = Reservation(cost_usd=float(turn_usd), caps=(cap,))
    with open_journal(path) as journal:
        journal.add_workstream(RUN, ws_id)
        say(ready=True)
        sys.stdin.readline()
        for number in itertools.count(1):
            intent = NewAttempt(run_id=RUN, ws_id=ws_id, step_name="edit", attempt=number)
            try:
                begun = journal.begin_attempt(intent, reservation=held)
            except BudgetExceeded as error:
                say(turns=number - 1, spent=error.spent, reserved=error.reserved)
                return
            if number % 3:
                paid = paid_cost(begun, float(turn_usd))
                journal.finish_attempt(begun.id, AttemptState.SUCCEEDED, cost=paid)


def paid_cost(attempt: Attempt, usd: float) -> Cost:
    """What a turn cost, as its tool reported it."""
    return Cost(
        run_id=attempt.run_id,
        ws_id=attempt.ws_id,
        step_attempt_id=attempt.id,
        model_name=None,
        input_tokens=None,
        output_tokens=None,
        estimated_cost_usd=None,
        actual_cost_usd=usd,
        timestamp=iso(time.time()),
    )


def hold(path: Path, seconds: str) -> None:
    """Hold the write lock for so long."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        say(holding=True)
        time.sleep(float(seconds))
        connection.execute("ROLLBACK")


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


def crowd(path: Path, limit: str) -> None:
    """Add large workstreams from eight threads, well beyond what the file may grow to."""

    def add(ws_id: str) -> None:
        try:
            journal.add_workstream(RUN, ws_id, metadata={"text": "x" * 500})
            say(added=ws_id)
        except JournalError as error:
            say(error=str(error), hint=error.hint)

    with open_journal(path) as journal:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(add, (f"ws-{number}" for number in range(400))))
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        add("ws-last")


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
    "crowd": crowd,
    "spend": spend,
    "hold": hold,
    "make": make,
}

if __name__ == "__main__":
    WORK[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
