"""Several writes as one transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from penstock.errors import UsageError
from penstock.model.records import Event, NewWorkstream
from penstock.store.sqlite import SqliteJournal, open_journal
from tests.support.journals import RUN, seed

Heard = list[Event]


@pytest.fixture
def heard() -> Heard:
    """The events that were told."""
    return []


@pytest.fixture
def journal(tmp_path: Path, heard: Heard) -> Iterator[SqliteJournal]:
    """A journal in a file."""
    with open_journal(tmp_path / "p.db", on_event=heard.append) as opened:
        yield opened


def fail_after(journal: SqliteJournal, first: Callable[[], None]) -> None:
    """Do something in a block, then make the run a second time, which fails."""
    with journal.together():
        first()
        seed(journal)
        journal.create_run(RUN)


def test_others_see_all_or_nothing(journal: SqliteJournal, heard: Heard, tmp_path: Path) -> None:
    """Until the block ends nobody else sees or hears of what it wrote; then of all at once."""
    with open_journal(tmp_path / "p.db") as other:
        with journal.together():
            seed(journal, "ws-a", "ws-b")
            assert other.list_runs() == []
            assert heard == []
        assert len(other.list_workstreams(RUN)) == 2
    assert [event.event_type for event in heard] == ["run_created"]


def test_an_error_undoes_the_whole_block(journal: SqliteJournal, heard: Heard) -> None:
    """When the last write fails, the first is undone, no event is told, and writing goes on."""
    with pytest.raises(UsageError):
        fail_after(journal, lambda: seed(journal, run_id="run-0"))
    assert journal.list_runs() == []
    assert heard == []
    seed(journal)
    assert len(heard) == 1


def test_a_block_within_a_block_ends_with_the_outer_one(
    journal: SqliteJournal, heard: Heard
) -> None:
    """The inner block commits nothing by itself, and tells nothing."""

    def inner() -> None:
        with journal.together():
            journal.create_run("run-0")
        assert heard == []

    with pytest.raises(UsageError):
        fail_after(journal, inner)
    assert journal.list_runs() == []


def test_another_thread_is_not_in_the_block(journal: SqliteJournal) -> None:
    """A write of another thread waits for the end of the block and is not undone with it."""
    journal.create_run("run-0")
    other = threading.Thread(target=journal.add_workstream, args=("run-0", "ws-x"))
    with pytest.raises(UsageError):
        fail_after(journal, other.start)
    other.join(timeout=30)
    assert [run.run_id for run in journal.list_runs()] == ["run-0"]
    assert [row.ws_id for row in journal.list_workstreams("run-0")] == ["ws-x"]


@pytest.mark.parametrize("block", [True, False])
def test_many_workstreams_are_one_commit(journal: SqliteJournal, *, block: bool) -> None:
    """However many workstreams are entered, the disk is waited for once."""
    journal.create_run(RUN)
    said: list[str] = []
    journal._db._connection.set_trace_callback(said.append)
    with journal.together() if block else nullcontext():
        journal.add_workstreams(RUN, (NewWorkstream(ws_id=f"ws-{n}") for n in range(200)))
    journal._db._connection.set_trace_callback(None)
    assert (said.count("COMMIT"), said.count("BEGIN IMMEDIATE")) == (1, 1)
    assert len(journal.list_workstreams(RUN)) == 200
