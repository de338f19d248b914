"""What every journal keeps of runs, workstreams and attempts, whatever it is built on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from penstock.errors import (
    InvalidTransitionError,
    NotFoundError,
    UsageError,
)
from penstock.model.records import Event, NewWorkstream
from penstock.model.states import (
    AttemptState,
    IntegrationState,
    RunState,
    WorkstreamState,
)
from penstock.store.api import DocumentedJournal
from tests.support.journals import RUN, WS, cost, intent, one_step, seed, types


def test_a_run_comes_back_as_it_was_made(journal: DocumentedJournal) -> None:
    """create_run keeps all it is given and says so in run_created."""
    made = journal.create_run(
        RUN, base_commit="abc", integration_branch="integration/run-1", metadata={"a": [1, "ü"]}
    )
    assert journal.get_run(RUN) == made
    assert (made.status, made.base_commit, made.metadata) == (
        RunState.PENDING, "abc", {"a": [1, "ü"]},
    )  # fmt: skip
    assert types(journal.list_events(run_id=RUN)) == ["run_created"]


def test_a_taken_run_id_is_refused(journal: DocumentedJournal) -> None:
    """A second run of the same id raises UsageError and writes nothing."""
    journal.create_run(RUN)
    with pytest.raises(UsageError, match="already"):
        journal.create_run(RUN)
    assert len(journal.list_events()) == 1


@pytest.mark.parametrize("what", ["run", "workstream"])
def test_an_empty_id_is_refused(journal: DocumentedJournal, what: str) -> None:
    """Rows need an id."""
    seed(journal)
    with pytest.raises(UsageError, match="needs an id"):
        journal.create_run("") if what == "run" else journal.add_workstream(RUN, "")


def test_a_run_can_be_made_in_another_state(journal: DocumentedJournal) -> None:
    """A run that is made running has started; one that is made failed has also ended."""
    running = journal.create_run("r1", status=RunState.RUNNING)
    failed = journal.create_run("r2", status=RunState.FAILED)
    assert (running.started_at is not None, running.ended_at) == (True, None)
    assert failed.ended_at is not None


def test_the_base_of_a_run_is_recorded_once(journal: DocumentedJournal) -> None:
    """What a run starts from stays as it was first recorded."""
    journal.create_run(RUN)
    journal.set_run_base(RUN, "c1", "integration/run-1")
    run = journal.set_run_base(RUN, "c2", "other")
    assert (run.base_commit, run.integration_branch) == ("c1", "integration/run-1")


def test_runs_are_listed_newest_first_by_page_and_state(journal: DocumentedJournal) -> None:
    """list_runs pages, filters, and takes a negative limit as none."""
    for number in range(5):
        journal.create_run(f"r{number}", status=RunState(["pending", "running"][number % 2]))
    assert [r.run_id for r in journal.list_runs(limit=2, offset=1)] == ["r3", "r2"]
    assert [r.run_id for r in journal.list_runs(status=RunState.RUNNING)] == ["r3", "r1"]
    assert len(journal.list_runs(limit=-1)) == 5


def test_a_run_goes_its_way_with_its_events(journal: DocumentedJournal, heard: list[Event]) -> None:
    """Each move sets its times and writes run_status_changed beside what it means."""
    journal.create_run(RUN)
    running = journal.move_run(RUN, RunState.RUNNING)
    ended = journal.move_run(RUN, RunState.FAILED, reason="checks", exit_code=1, error_message="e")
    assert (running.started_at is not None, running.ended_at) == (True, None)
    assert (ended.reason, ended.exit_code, ended.error_message) == ("checks", 1, "e")
    assert ended.ended_at is not None
    assert types(heard) == [
        "run_created", "run_status_changed", "run_started", "run_status_changed", "run_completed",
    ]  # fmt: skip
    assert heard[3].payload == {"from": "running", "to": "failed", "reason": "checks"}
    assert heard[4].payload == {"status": "failed", "reason": "checks"}


@pytest.mark.parametrize(
    ("to", "event"), [("quarantined", "run_quarantined"), ("canceled", "run_canceled")]
)
def test_the_other_ends_of_a_run_have_their_own_events(
    journal: DocumentedJournal, to: str, event: str
) -> None:
    """Quarantine and cancel are told by name."""
    journal.create_run(RUN, status=RunState.RUNNING)
    journal.move_run(RUN, RunState(to))
    assert types(journal.list_events(newest_first=True, limit=1)) == [event]


def test_an_illegal_move_changes_nothing(journal: DocumentedJournal, heard: list[Event]) -> None:
    """An illegal move raises and leaves rows and events as they were."""
    seed(journal)
    before = (journal.get_run(RUN), journal.get_workstream(RUN, WS), len(heard))
    with pytest.raises(InvalidTransitionError, match="from pending to succeeded"):
        journal.move_run(RUN, RunState.SUCCEEDED)
    with pytest.raises(InvalidTransitionError, match="from pending to done"):
        journal.move_workstream(RUN, WS, WorkstreamState.DONE)
    after = (journal.get_run(RUN), journal.get_workstream(RUN, WS), len(heard))
    assert after == before
    assert len(journal.list_events()) == len(heard)


def test_the_same_state_is_no_move(journal: DocumentedJournal, heard: list[Event]) -> None:
    """A move to the present state changes nothing and writes no event."""
    seed(journal)
    before = (journal.get_run(RUN), journal.get_workstream(RUN, WS))
    journal.move_run(RUN, RunState.PENDING, reason="x")
    journal.move_workstream(RUN, WS, WorkstreamState.PENDING, reason="x")
    journal.move_integration(RUN, WS, IntegrationState.NONE, payload={})
    assert (journal.get_run(RUN), journal.get_workstream(RUN, WS)) == before
    assert types(heard) == ["run_created"]


def test_only_an_explicit_retry_leads_back(journal: DocumentedJournal) -> None:
    """failed goes back by retry=True only; a retried run has no end any more."""
    journal.create_run(RUN, status=RunState.FAILED)
    journal.add_workstream(RUN, WS, status=WorkstreamState.FAILED)
    with pytest.raises(InvalidTransitionError):
        journal.move_run(RUN, RunState.RUNNING)
    with pytest.raises(InvalidTransitionError):
        journal.move_workstream(RUN, WS, WorkstreamState.PENDING)
    assert journal.move_run(RUN, RunState.RUNNING, retry=True).ended_at is None
    back = journal.move_workstream(RUN, WS, WorkstreamState.PENDING, retry=True)
    assert back.status is WorkstreamState.PENDING


def test_a_run_says_why_it_waits(journal: DocumentedJournal) -> None:
    """The reason and its end are kept until they are taken back or the run moves on."""
    journal.create_run(RUN)
    journal.set_run_reason(RUN, "rate_limit", until="2026-01-01T00:00:00Z")
    waiting = journal.get_run(RUN)
    assert (waiting.reason, waiting.reason_until) == ("rate_limit", "2026-01-01T00:00:00Z")
    journal.set_run_reason(RUN, None)
    assert (journal.get_run(RUN).reason, journal.get_run(RUN).reason_until) == (None, None)


def test_a_workstream_comes_back_as_it_was_made(journal: DocumentedJournal) -> None:
    """add_workstream keeps all it is given; a second time returns the first row."""
    journal.create_run(RUN)
    made = journal.add_workstream(RUN, WS, gate=2, depends_on=["ws-b"], metadata={"bundle": {}})
    assert made == journal.get_workstream(RUN, WS)
    assert journal.add_workstream(RUN, WS, gate=9) == made
    assert (made.status, made.gate, made.depends_on) == (WorkstreamState.PENDING, 2, ("ws-b",))
    assert made.metadata == {"bundle": {}}


def test_many_workstreams_are_entered_in_their_order(journal: DocumentedJournal) -> None:
    """add_workstreams returns each as it is, one that was there with what it had."""
    seed(journal, "ws-b")
    rows = journal.add_workstreams(
        RUN,
        [
            NewWorkstream(ws_id="ws-c", gate=2, depends_on=("ws-b",), metadata={"a": 1}),
            NewWorkstream(ws_id="ws-b", gate=9),
            NewWorkstream(ws_id="ws-a"),
        ],
    )
    assert [(row.ws_id, row.gate) for row in rows] == [("ws-c", 2), ("ws-b", None), ("ws-a", None)]
    assert (rows[0].depends_on, rows[0].metadata) == (("ws-b",), {"a": 1})
    assert journal.list_workstreams(RUN) == sorted(rows, key=lambda row: row.ws_id)


def test_many_workstreams_are_entered_all_or_none(journal: DocumentedJournal) -> None:
    """When one of them is refused, none of the others is there; none at all is nothing to do."""
    journal.create_run(RUN)
    with pytest.raises(UsageError, match="needs an id"):
        journal.add_workstreams(RUN, [NewWorkstream(ws_id=WS), NewWorkstream(ws_id="")])
    assert journal.add_workstreams(RUN, []) == journal.list_workstreams(RUN) == []


def test_a_workstream_goes_its_way_with_its_events(
    journal: DocumentedJournal, heard: list[Event]
) -> None:
    """The happy way writes start, every change with its reason, and the end."""
    seed(journal)
    for state in list(WorkstreamState)[1:7]:
        journal.move_workstream(RUN, WS, state, reason=f"to {state}")
    assert types(heard)[1:3] == ["workstream_status_changed", "workstream_start"]
    assert heard[2].payload == {"bundle_id": WS}
    assert types(heard)[-2:] == ["workstream_status_changed", "workstream_end"]
    assert heard[-2].payload == {"from": "runtime_tests", "to": "done", "reason": "to done"}
    assert heard[-1].payload == {"final_status": "done"}
    assert journal.get_workstream(RUN, WS).reason == "to done"


def test_a_workstream_is_found_in_the_newest_run(journal: DocumentedJournal) -> None:
    """Without a run id the newest run that holds a workstream is meant."""
    for run_id, state in (("r1", "done"), ("r2", "done"), ("r3", "failed")):
        journal.create_run(run_id)
        journal.add_workstream(run_id, WS, status=WorkstreamState(state))
    journal.create_run("r4")
    found = journal.find_workstream(WS)
    assert found is not None
    assert found.run_id == "r3"
    assert [w.run_id for w in journal.find_done_workstreams(WS)] == ["r2", "r1"]
    assert journal.find_workstream("ws-none") is None


def test_workstreams_are_listed_by_id_and_run(journal: DocumentedJournal) -> None:
    """The same workstream id in two runs is two rows."""
    seed(journal, "ws-b", "ws-a")
    seed(journal, "ws-a", run_id="r2")
    assert [w.ws_id for w in journal.list_workstreams(RUN)] == ["ws-a", "ws-b"]
    assert [w.run_id for w in journal.list_workstreams("r2")] == ["r2"]


def test_facts_of_a_workstream_are_laid_over_each_other(journal: DocumentedJournal) -> None:
    """update_workstream leaves what it is not told."""
    seed(journal)
    journal.update_workstream(RUN, WS, worktree_path=".worktrees/a", branch="b", base_commit="c0")
    updated = journal.update_workstream(RUN, WS, head_commit="c1")
    assert (updated.worktree_path, updated.branch) == (".worktrees/a", "b")
    assert (updated.base_commit, updated.head_commit) == ("c0", "c1")


def test_waiting_is_told_once(journal: DocumentedJournal, heard: list[Event]) -> None:
    """The same reason again is no event; going on takes it back without one."""
    seed(journal)
    for _ in range(2):
        journal.set_workstream_reason(RUN, WS, "dependency", until=None)
    assert journal.set_workstream_reason(RUN, WS, None).reason is None
    assert types(heard) == ["run_created", "workstream_waiting"]
    assert heard[-1].payload == {"reason": "dependency", "until": None}


def test_integration_has_its_own_states(journal: DocumentedJournal, heard: list[Event]) -> None:
    """queued, conflict, queued, rejected is legal and told; what follows rejected is not."""
    seed(journal)
    for name in ("queued", "conflict", "queued", "rejected"):
        journal.move_integration(RUN, WS, IntegrationState(name), payload={"into": "i"})
    with pytest.raises(InvalidTransitionError):
        journal.move_integration(RUN, WS, IntegrationState.MERGED, payload={})
    assert types(heard)[1:] == ["merge_queued", "merge_conflict", "merge_queued", "merge_rejected"]
    assert heard[-1].payload == {"into": "i"}


def test_an_attempt_is_intent_then_outcome(journal: DocumentedJournal, heard: list[Event]) -> None:
    """begin writes a running row, finish completes it with head, cost and both events."""
    seed(journal)
    begun = journal.begin_attempt(intent())
    assert (begun.status, begun.sequence, begun.marker) == (AttemptState.RUNNING, 1, "m-1")
    done = journal.finish_attempt(
        begun.id, AttemptState.SUCCEEDED, exit_code=0, diff_hash="d", error_signature="s",
        result={"outcome": "edited"}, head_commit="c1", cost=cost(actual_cost_usd=0.25),
    )  # fmt: skip
    assert journal.list_attempts(RUN, WS) == [done]
    assert (done.exit_code, done.diff_hash, done.result) == (0, "d", {"outcome": "edited"})
    assert journal.get_workstream(RUN, WS).head_commit == "c1"
    assert types(heard)[1:] == ["step_start", "step_started", "step_end", "step_completed"]
    assert heard[3].payload == {"step": "edit", "attempt": 1, "success": True}


def test_costs_belong_to_their_attempt(journal: DocumentedJournal) -> None:
    """A cost is kept as known: what is unknown stays None, never zero."""
    seed(journal)
    begun = journal.begin_attempt(intent())
    journal.finish_attempt(begun.id, AttemptState.FAILED, cost=cost(input_tokens=7))
    (kept,) = journal.list_costs(RUN, WS)
    assert (kept.step_attempt_id, kept.input_tokens, kept.output_tokens) == (begun.id, 7, None)
    assert kept.actual_cost_usd is None
    assert journal.list_costs(RUN) == [kept]
    assert journal.list_costs(RUN, "ws-other") == []


def test_the_outcome_is_laid_over_the_intent(journal: DocumentedJournal) -> None:
    """What the intent knew stays in the result."""
    seed(journal)
    begun = journal.begin_attempt(
        type(intent())(run_id=RUN, ws_id=WS, step_name="fix", attempt=1, result={"prompt": "p"})
    )
    done = journal.finish_attempt(begun.id, AttemptState.FAILED, result={"outcome": "idle"})
    assert done.result == {"prompt": "p", "outcome": "idle"}


def test_an_attempt_is_recorded_once(journal: DocumentedJournal) -> None:
    """The same number of the same step is refused; another step has numbers of its own."""
    seed(journal)
    journal.begin_attempt(intent())
    with pytest.raises(UsageError, match="recorded already"):
        journal.begin_attempt(intent())
    assert journal.begin_attempt(intent("static")).sequence == 2


def test_an_attempt_ends_once(journal: DocumentedJournal, heard: list[Event]) -> None:
    """The same end again does nothing, another one is illegal."""
    seed(journal)
    done = one_step(journal, 1)
    number = len(heard)
    assert journal.finish_attempt(done.id, AttemptState.SUCCEEDED, exit_code=9) == done
    with pytest.raises(InvalidTransitionError):
        journal.finish_attempt(done.id, AttemptState.FAILED)
    assert len(heard) == number


def test_attempts_keep_their_order(journal: DocumentedJournal) -> None:
    """Attempts are listed in the order of their beginning, by workstream and step."""
    seed(journal, "ws-a", "ws-b")
    for step, ws_id in (("edit", "ws-a"), ("edit", "ws-b"), ("static", "ws-a")):
        journal.begin_attempt(intent(step, ws_id=ws_id))
    listed = [(a.ws_id, a.step_name, a.sequence) for a in journal.list_attempts(RUN)]
    assert listed == [("ws-a", "edit", 1), ("ws-b", "edit", 1), ("ws-a", "static", 2)]
    assert len(journal.list_attempts(RUN, step_name="edit")) == 2
    assert len(journal.list_attempts(RUN, "ws-a", step_name="static")) == 1


def test_an_attempt_of_others_can_be_recorded(
    journal: DocumentedJournal, heard: list[Event]
) -> None:
    """record_attempt numbers by itself and completes what is over, not what still runs."""
    seed(journal)
    over = journal.record_attempt(intent(attempt=0), AttemptState.FAILED, started_at="2026")
    running = journal.record_attempt(intent(attempt=0), AttemptState.RUNNING)
    assert journal.record_attempt(intent(attempt=7), AttemptState.PENDING).attempt == 7
    assert (over.attempt, over.started_at, over.completed_at is None) == (1, "2026", False)
    assert (running.attempt, running.completed_at) == (2, None)
    assert types(heard).count("step_completed") == 1


@pytest.mark.parametrize("missing", ["run", "workstream", "step", "attempt"])
def test_what_is_not_there_is_named(journal: DocumentedJournal, missing: str) -> None:
    """Writing to a row that is not there raises NotFoundError, which is a ValueError."""
    seed(journal)
    acts: dict[str, Callable[[], object]] = {
        "run": lambda: journal.move_run("run-9", RunState.RUNNING),
        "workstream": lambda: journal.update_workstream(RUN, "ws-9", branch="b"),
        "step": lambda: journal.begin_attempt(intent(ws_id="ws-9")),
        "attempt": lambda: journal.finish_attempt(99, AttemptState.FAILED),
    }
    with pytest.raises(NotFoundError, match="there is no") as caught:
        acts[missing]()
    assert isinstance(caught.value, ValueError)


def test_reading_what_is_not_there_is_named(journal: DocumentedJournal) -> None:
    """get_run, get_workstream and run_owner raise NotFoundError; lists are empty."""
    for read in (
        lambda: journal.get_run("r"),
        lambda: journal.get_workstream("r", "w"),
        lambda: journal.run_owner("r"),
        lambda: journal.claim_run("r", {}),
    ):
        with pytest.raises(NotFoundError):
            read()
    assert journal.list_workstreams("r") == []
    assert journal.list_attempts("r") == []
