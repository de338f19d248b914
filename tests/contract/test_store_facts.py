"""What every journal keeps of events, errors, approvals and claims, whatever it is built on."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from penstock.errors import (
    JournalError,
    NotFoundError,
    UsageError,
)
from penstock.model.events import EventType
from penstock.model.records import Event
from penstock.model.states import (
    AttemptState,
    RunState,
)
from penstock.store.api import DocumentedJournal
from penstock.store.sqlite import open_journal
from tests.support.journals import RUN, WS, intent, one_step, seed


def test_events_are_read_from_where_one_was(journal: DocumentedJournal) -> None:
    """after_id, limit, order, and each filter."""
    seed(journal)
    last = [journal.record_event(EventType.TOOL_RUN, run_id=RUN, ws_id=WS) for _ in range(4)][-1]
    journal.record_event(EventType.TOOL_RUN)
    assert [e.id for e in journal.list_events(run_id=RUN, after_id=last.id - 2)] == [4, 5]
    assert [e.id for e in journal.list_events(newest_first=True, limit=2)] == [6, 5]
    assert [e.id for e in journal.list_events(run_id=RUN, newest_first=True, limit=1)] == [5]
    assert len(journal.list_events(event_type=EventType.TOOL_RUN)) == 5
    assert len(journal.list_events(ws_id=WS)) == 4
    assert len(journal.list_events(limit=-1)) == 6


def test_an_event_needs_what_it_names(journal: DocumentedJournal) -> None:
    """An event of a workstream that its run does not have is refused."""
    seed(journal)
    with pytest.raises(NotFoundError):
        journal.record_event(EventType.TOOL_RUN, run_id=RUN, ws_id="ws-9")
    with pytest.raises(NotFoundError):
        journal.record_event(EventType.TOOL_RUN, run_id="run-9")


def test_a_repeated_error_is_counted(journal: DocumentedJournal) -> None:
    """The same signature of the same step is one row with the newest words."""
    seed(journal)
    for message in ("first", "second"):
        kept = journal.record_error(
            error_code="static_failure", signature="s", message=message, run_id=RUN, ws_id=WS,
            step_name="static", context={"m": message},
        )  # fmt: skip
    assert (kept.count, kept.message, kept.context) == (2, "second", {"m": "second"})
    assert kept.first_seen_at < kept.last_seen_at
    assert journal.list_errors(RUN, WS) == journal.list_errors(RUN) == [kept]


def test_errors_without_a_step_or_run_are_counted_too(journal: DocumentedJournal) -> None:
    """What is missing on both sides counts as the same."""
    seed(journal)

    def again(run_id: str | None = None, ws_id: str | None = None) -> int:
        return journal.record_error(
            error_code="timeout", signature="s", message="m", run_id=run_id, ws_id=ws_id
        ).count

    assert [again(), again()] == [1, 2]
    assert [again(RUN), again(RUN)] == [1, 2]
    assert again(RUN, WS) == 1


def test_a_gate_is_approved_once(journal: DocumentedJournal) -> None:
    """A second approval of a gate changes nothing and is no event."""
    journal.create_run(RUN)
    journal.approve(RUN, 2, "ada", "looks good")
    journal.approve(RUN, 2, "bob")
    assert journal.approved_gates(RUN) == {2}
    (event,) = journal.list_events(event_type=EventType.GATE_APPROVED)
    assert event.payload == {"gate": 2, "approved_by": "ada", "note": "looks good"}
    with pytest.raises(NotFoundError):
        journal.approve("run-9", 1, "ada")


def test_an_approval_comes_in_while_another_holds_the_run(journal: DocumentedJournal) -> None:
    """The user's word is not fenced."""
    journal.create_run(RUN)
    journal.claim_run(RUN, {"pid": 1})
    journal._claims.clear()  # type: ignore[attr-defined] # as another object would see it
    journal.approve(RUN, 1, "ada")
    assert journal.approved_gates(RUN) == {1}


def test_the_error_pipeline_keeps_its_state(journal: DocumentedJournal) -> None:
    """A saved context replaces the last one, needs no run, and comes back whole."""
    assert journal.get_error_context("r", "w") is None
    journal.save_error_context("r", "w", {})
    saved = journal.save_error_context(
        "r", "w", {"current_state": "S1_AIDER_FIX", "attempt_number": 1, "ai_attempts": [{}]}
    )
    assert journal.get_error_context("r", "w") == saved
    assert (saved.current_state, saved.attempt_number) == ("S1_AIDER_FIX", 1)
    assert saved.context["ai_attempts"] == [{}]
    assert saved.created_at < saved.updated_at


def test_tokens_grow_and_the_owner_is_told(journal: DocumentedJournal) -> None:
    """Each claim is one more; a released run has no owner."""
    journal.create_run(RUN)
    assert journal.run_owner(RUN) is None
    assert journal.claim_run(RUN, {"pid": 1}) == 1
    assert journal.claim_run(RUN, {"pid": 2}) == 2
    assert journal.run_owner(RUN) == {"pid": 2}
    journal.release_run(RUN)
    journal.release_run(RUN)
    assert journal.run_owner(RUN) is None
    assert journal.claim_run(RUN, {}) == 3
    assert journal.run_owner(RUN) == {}


def test_the_database_is_counted(journal: DocumentedJournal) -> None:
    """table_counts names every table, and no view or table of the system."""
    seed(journal)
    counts = journal.table_counts()
    assert list(counts) == [
        "approvals", "budget_reservations", "cost_totals", "cost_tracking",
        "error_pipeline_contexts", "errors", "events", "last_routed", "run_requests", "runs", "schema_meta", "step_attempts",
        "tool_breakers", "workstreams",
    ]  # fmt: skip
    assert (counts["runs"], counts["workstreams"], counts["events"]) == (1, 1, 1)
    assert journal.schema_version() >= 1


def test_an_observer_may_read_the_journal(tmp_path: Path) -> None:
    """on_event is called after the commit and outside of it."""
    seen: list[int] = []
    with open_journal(tmp_path / "p.db", on_event=lambda _: seen.append(len(j.list_events()))) as j:
        j.create_run(RUN)
        j.move_run(RUN, RunState.RUNNING)
    assert seen == [1, 3, 3]


def test_threads_share_a_journal(journal: DocumentedJournal) -> None:
    """Eight threads lose nothing, and sequences have no gap and no double."""
    names = [f"ws-{n}" for n in range(8)]
    seed(journal, *names)

    def work(ws_id: str) -> None:
        for number in range(1, 26):
            one_step(journal, number, ws_id=ws_id)

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in names:
        assert [a.sequence for a in journal.list_attempts(RUN, name)] == list(range(1, 26))
    assert journal.table_counts()["events"] == 1 + 8 * 25 * 4


def test_hostile_text_is_kept(journal: DocumentedJournal) -> None:
    """NUL, quotes, lone surrogates and paths go in and come out, the latter as text."""
    nasty = "'; DROP TABLE runs; -- \0 \U0001f4a5"
    run = journal.create_run("r\udcff", metadata={nasty: nasty, "p": Path("a/b"), "u": ["\udcff"]})
    assert run.run_id == "r\\udcff"
    assert run.metadata == {nasty: nasty, "p": "a/b", "u": ["\\udcff"]}
    event = journal.record_event(EventType.TOOL_RUN, payload={"file": "\udc80.py"})
    assert event.payload == {"file": "\\udc80.py"}


def test_an_event_is_told_as_it_is_kept(journal: DocumentedJournal, heard: list[Event]) -> None:
    """The observer and a reader see the same payload, whatever was handed in."""
    journal.record_event(EventType.TOOL_RUN, payload={"p": Path("a/b"), "t": (1, float("nan"))})
    assert heard == journal.list_events()
    assert heard[0].payload == {"p": "a/b", "t": [1, None]}


@pytest.mark.parametrize("value", [object(), {1, object()}, object, 1j])
def test_what_is_no_json_is_refused(journal: DocumentedJournal, value: object) -> None:
    """A payload that JSON cannot hold raises UsageError and writes nothing."""
    with pytest.raises(UsageError, match="JSON"):
        journal.create_run(RUN, metadata={"x": value})
    assert journal.list_runs() == []


def test_numbers_beyond_the_database_are_refused(journal: DocumentedJournal) -> None:
    """An integer of more than 64 bits raises UsageError and leaves the attempt running."""
    seed(journal)
    begun = journal.begin_attempt(intent())
    with pytest.raises(UsageError, match="too large"):
        journal.finish_attempt(begun.id, AttemptState.FAILED, exit_code=2**70)
    assert journal.list_attempts(RUN) == [begun]


def test_a_closed_journal_says_so(journal: DocumentedJournal) -> None:
    """close can be called twice; work after it raises JournalError."""
    journal.close()
    journal.close()
    with pytest.raises(JournalError, match="cannot be used"):
        journal.create_run(RUN)
