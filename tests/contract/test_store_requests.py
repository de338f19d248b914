"""The journal's contract: what is asked of a run's owner, and the user's retries."""

from __future__ import annotations

import pytest

from penstock.errors import InvalidTransitionError, NotFoundError, UsageError
from penstock.model.records import RequestKind, Workstream
from penstock.model.states import IntegrationState, WorkstreamState
from penstock.store.api import DocumentedJournal
from tests.support.journals import RUN, WS, one_step, seed, types

W, I = WorkstreamState, IntegrationState  # noqa: E741


@pytest.fixture
def run(journal: DocumentedJournal) -> DocumentedJournal:
    """A journal with a run of two workstreams."""
    seed(journal, WS, "ws-b")
    journal.set_run_base(RUN, "c0", f"integration/{RUN}")
    return journal


# -- requests ----------------------------------------------------------------------------------
def test_a_request_comes_back_as_it_was_made(run: DocumentedJournal) -> None:
    """With its event; it is open until it is heeded."""
    asked = run.add_request(RUN, RequestKind.RETRY, ws_id=WS, payload={"from": "edit"}, by="me")
    assert (asked.kind, asked.ws_id, asked.payload) == (RequestKind.RETRY, WS, {"from": "edit"})
    assert (asked.requested_by, asked.heeded_at) == ("me", None)
    assert run.open_requests(RUN) == [asked]
    (event,) = run.list_events(run_id=RUN, newest_first=True, limit=1)
    assert (event.event_type, event.ws_id) == ("request_made", WS)
    assert event.payload == {
        "id": asked.id, "kind": "retry", "requested_by": "me", "payload": {"from": "edit"}
    }  # fmt: skip


def test_requests_are_heeded_in_their_order(run: DocumentedJournal) -> None:
    """Each once; those of other runs are left alone."""
    seed(run, run_id="run-2")
    first, second = (run.add_request(RUN, kind) for kind in (RequestKind.PAUSE, RequestKind.RESUME))
    other = run.add_request("run-2", RequestKind.CANCEL)
    assert run.open_requests(RUN) == [first, second]
    for _ in range(2):
        run.heed_request(first.id)
    assert run.open_requests(RUN) == [second]
    assert run.open_requests("run-2") == [other]


def test_a_request_can_be_made_while_somebody_holds_the_run(
    journal: DocumentedJournal, run: DocumentedJournal
) -> None:
    """It is the user's word to the holder; only the holder notes that it was heeded."""
    run.claim_run(RUN, {"pid": 1})
    asked = run.add_request(RUN, RequestKind.PAUSE)
    run.heed_request(asked.id)
    assert run.open_requests(RUN) == []


@pytest.mark.parametrize(("run_id", "ws_id"), [("run-x", None), (RUN, "ws-x")])
def test_nothing_is_asked_of_nobody(run: DocumentedJournal, run_id: str, ws_id: str | None) -> None:
    """A run and a workstream must be there."""
    with pytest.raises(NotFoundError):
        run.add_request(run_id, RequestKind.PAUSE, ws_id=ws_id)
    with pytest.raises(NotFoundError, match="no request 99"):
        run.heed_request(99)


# -- retries -----------------------------------------------------------------------------------
def fail(journal: DocumentedJournal, ws_id: str = WS) -> Workstream:
    """Take a workstream to failed, with two attempts, commits and a worktree."""
    for state in (W.STARTED, W.EDITING):
        journal.move_workstream(RUN, ws_id, state)
    one_step(journal, len(journal.list_attempts(RUN, ws_id)) + 1, ws_id=ws_id)
    journal.update_workstream(
        RUN, ws_id, worktree_path="w", branch="b", base_commit="c1", head_commit="c2"
    )
    return journal.move_workstream(RUN, ws_id, W.FAILED, reason="static_failure")


def finish(journal: DocumentedJournal, *, integration: tuple[IntegrationState, ...]) -> None:
    """Take a workstream to done, and its integration some way."""
    for state in (
        W.STARTED,
        W.EDITING,
        W.READY_FOR_STATIC,
        W.STATIC_CHECK,
        W.RUNTIME_TESTS,
        W.DONE,
    ):
        journal.move_workstream(RUN, WS, state)
    journal.update_workstream(RUN, WS, branch="b", base_commit="c1", head_commit="c2")
    for step in integration:
        journal.move_integration(RUN, WS, step, payload={})


@pytest.mark.parametrize("step", ["static", "runtime"])
def test_what_failed_is_tried_again_from_a_step(run: DocumentedJournal, step: str) -> None:
    """It is pending without a reason, and keeps its commits and worktree."""
    fail(run)
    again = run.retry_workstream(RUN, WS, step)
    assert (again.status, again.reason) == (W.PENDING, None)
    assert (again.worktree_path, again.base_commit, again.head_commit) == ("w", "c1", "c2")
    assert again.metadata["retry"] == {"number": 1, "after": 1, "from": step}
    assert again == run.get_workstream(RUN, WS)


def test_from_edit_it_begins_afresh(run: DocumentedJournal) -> None:
    """Its commits and its worktree are forgotten, its branch and attempts are not."""
    fail(run)
    again = run.retry_workstream(RUN, WS, "edit")
    assert (again.worktree_path, again.base_commit, again.head_commit) == (None, None, None)
    assert (again.branch, len(run.list_attempts(RUN, WS))) == ("b", 1)


def test_retries_are_counted(run: DocumentedJournal) -> None:
    """Each knows how many attempts came before it; other metadata stays."""
    run.add_workstream(RUN, "ws-c", metadata={"bundle": {"id": "ws-c"}})
    fail(run, "ws-c")
    run.retry_workstream(RUN, "ws-c", "edit")
    fail(run, "ws-c")
    again = run.retry_workstream(RUN, "ws-c", "edit")
    assert again.metadata == {
        "bundle": {"id": "ws-c"}, "retry": {"number": 2, "after": 2, "from": "edit"}
    }  # fmt: skip


def test_a_retry_is_told(run: DocumentedJournal) -> None:
    """Why, and from which state to which."""
    fail(run)
    before = run.list_events(run_id=RUN)[-1].id
    run.retry_workstream(RUN, WS, "edit")
    told, moved = run.list_events(run_id=RUN, after_id=before)
    assert (told.event_type, told.payload["status"]) == ("workstream_retried", "failed")
    assert moved.payload == {"from": "failed", "to": "pending", "reason": "retry"}


@pytest.mark.parametrize("step", ["edit", "integrate"])
def test_a_conflict_is_queued_again(run: DocumentedJournal, step: str) -> None:
    """What is done stays done, with its commits."""
    finish(run, integration=(I.QUEUED, I.CONFLICT))
    before = run.list_events(run_id=RUN)[-1].id
    again = run.retry_workstream(RUN, WS, step)
    assert (again.status, again.integration) == (W.DONE, I.QUEUED)
    assert (again.base_commit, again.head_commit) == ("c1", "c2")
    assert again.metadata["retry"]["from"] == step
    _, queued = run.list_events(run_id=RUN, after_id=before)
    assert queued.payload == {"branch": "b", "into": f"integration/{RUN}"}


@pytest.mark.parametrize("integration", [(), (I.QUEUED,), (I.QUEUED, I.MERGED)])
def test_what_is_well_is_not_tried_again(
    run: DocumentedJournal, integration: tuple[IntegrationState, ...]
) -> None:
    """Neither what is done and not in conflict, nor what has not ended."""
    finish(run, integration=integration)
    for ws_id, state in ((WS, "done"), ("ws-b", "pending")):
        with pytest.raises(InvalidTransitionError, match=f"{ws_id} is {state}"):
            run.retry_workstream(RUN, ws_id, "edit")
    assert "workstream_retried" not in types(run.list_events(run_id=RUN))


@pytest.mark.parametrize("step", ["integrate", "fix", ""])
def test_what_failed_has_its_own_steps(run: DocumentedJournal, step: str) -> None:
    """There is nothing to integrate, and a fix is no step of its own."""
    fail(run)
    with pytest.raises(UsageError):
        run.retry_workstream(RUN, WS, step)


def test_the_holder_may_have_it_tried_again(run: DocumentedJournal) -> None:
    """A claim of one's own is no hindrance; a workstream that is not there is."""
    fail(run)
    run.claim_run(RUN, {"pid": 1})
    assert run.retry_workstream(RUN, WS, "edit").status is W.PENDING
    with pytest.raises(NotFoundError):
        run.retry_workstream(RUN, "ws-x", "edit")
