"""The fence: of all who hold or held a run, only the last may write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.errors import ClaimError, ClaimLostError
from penstock.model.events import EventType
from penstock.model.records import RequestKind, Reservation
from penstock.model.states import AttemptState, IntegrationState, RunState, WorkstreamState
from penstock.store.sqlite import SqliteJournal, open_journal
from tests.support.journals import RUN, WS, intent, one_step, seed

Pair = tuple[SqliteJournal, SqliteJournal]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """Two journal objects on one database that holds a run."""
    with open_journal(tmp_path / "p.db") as one, open_journal(tmp_path / "p.db") as two:
        seed(one)
        one.add_request(RUN, RequestKind.PAUSE)
        yield one, two


def writes(journal: SqliteJournal) -> None:
    """Try each kind of write to the run; every one must raise ClaimLostError."""
    attempts = journal.list_attempts(RUN)
    assert journal.open_requests(RUN)
    for write in (
        lambda: journal.move_run(RUN, RunState.RUNNING),
        lambda: journal.set_run_reason(RUN, "x"),
        lambda: journal.add_workstream(RUN, "ws-new"),
        lambda: journal.move_workstream(RUN, WS, WorkstreamState.STARTED),
        lambda: journal.move_integration(RUN, WS, IntegrationState.QUEUED, payload={}),
        lambda: journal.update_workstream(RUN, WS, branch="b"),
        lambda: journal.set_workstream_reason(RUN, WS, "x"),
        lambda: journal.retry_workstream(RUN, WS, "edit"),
        lambda: journal.begin_attempt(intent("static")),
        lambda: journal.begin_attempt(intent("static"), reservation=Reservation(tokens=1)),
        lambda: journal.note_process(attempts[-1].id, 1, 1),
        lambda: journal.finish_attempt(attempts[-1].id, AttemptState.FAILED),
        lambda: journal.record_event(EventType.TOOL_RUN, run_id=RUN),
        lambda: journal.record_error(error_code="c", signature="s", message="m", run_id=RUN),
        lambda: journal.save_error_context(RUN, WS, {}),
        lambda: journal.heed_request(journal.open_requests(RUN)[0].id),
    ):
        with pytest.raises(ClaimLostError):
            write()


def test_a_held_run_is_closed_to_others(pair: Pair) -> None:
    """While one holds the run, another's writes raise and change nothing; the holder writes on."""
    holder, other = pair
    holder.claim_run(RUN, {"host": "h", "pid": 7})
    holder.begin_attempt(intent())
    before = other.table_counts()
    writes(other)
    assert other.table_counts() == before
    with pytest.raises(ClaimLostError, match="host h, pid 7"):
        other.move_run(RUN, RunState.RUNNING)
    assert holder.move_run(RUN, RunState.RUNNING).status is RunState.RUNNING


def test_who_lost_a_run_writes_no_more(pair: Pair) -> None:
    """A holder that was taken over is shut out, also after the next one gave the run back."""
    first, second = pair
    first.claim_run(RUN, {"pid": 1})
    first.begin_attempt(intent())
    second.claim_run(RUN, {"pid": 2})
    writes(first)
    second.release_run(RUN)
    writes(first)
    with pytest.raises(ClaimLostError, match="taken over"):
        first.release_run(RUN)


def test_a_free_run_is_open_to_all(pair: Pair) -> None:
    """Before the first claim and after the last release anybody may write."""
    first, second = pair
    one_step(second, 1)
    first.claim_run(RUN, {"pid": 1})
    first.release_run(RUN)
    one_step(second, 2)
    assert one_step(first, 3).sequence == 3


def test_other_runs_are_not_concerned(pair: Pair) -> None:
    """A claim holds for its run only."""
    holder, other = pair
    holder.claim_run(RUN, {"pid": 1})
    seed(other, run_id="run-2")
    assert other.move_run("run-2", RunState.RUNNING).status is RunState.RUNNING


def test_of_two_who_saw_a_free_run_one_gets_it(pair: Pair) -> None:
    """A claim with `seen` is refused when somebody came between."""
    first, second = pair
    assert first.claim_run(RUN, {"pid": 1}, seen=first.run_owner(RUN)) == 1
    with pytest.raises(ClaimError, match="just been taken"):
        second.claim_run(RUN, {"pid": 2}, seen=None)
    assert second.claim_run(RUN, {"pid": 2}, seen={"pid": 1}) == 2


def test_an_attempt_knows_the_claim_it_began_under(pair: Pair) -> None:
    """The token is kept with the attempt's row."""
    holder, _ = pair
    for _ in range(3):
        holder.claim_run(RUN, {})
    holder.begin_attempt(intent())
    rows = holder._db.rows("attempts.list", run_id=RUN, step_name=None)
    assert [row["claim_token"] for row in rows] == [3]
