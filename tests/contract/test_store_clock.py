"""The journal's contract under a clock that jumps: numbers give the order, times never the sense."""

from __future__ import annotations

import pytest

from penstock.errors import BudgetExceeded, CircuitBreakerOpen
from penstock.model.outcome import OutcomeKind
from penstock.model.records import Attempt, Cap, NewAttempt
from penstock.model.states import AttemptState
from penstock.model.times import iso, seconds
from penstock.store.api import DocumentedJournal
from tests.support.budgets import begin, settle
from tests.support.journals import RUN, START, WS, StepClock, intent, seed

YEAR = 365 * 86_400.0
DAY = 86_400.0


@pytest.fixture(params=[-YEAR, -3600.0, 3600.0, 70 * YEAR], ids=["-1y", "-1h", "+1h", "+70y"])
def jump(request: pytest.FixtureRequest) -> float:
    """How far the clock jumps, in seconds."""
    return float(request.param)


def test_runs_are_ordered_by_when_they_were_added(
    journal: DocumentedJournal, clock: StepClock, jump: float
) -> None:
    """The newest run is the one added last, whatever the clock said then."""
    seed(journal, run_id="run-1")
    clock.now += jump
    seed(journal, run_id="run-2")
    assert [run.run_id for run in journal.list_runs()] == ["run-2", "run-1"]
    found = journal.find_workstream(WS)
    assert found is not None
    assert found.run_id == "run-2"


def test_attempts_and_events_keep_their_order(
    journal: DocumentedJournal, clock: StepClock, jump: float
) -> None:
    """Ids and sequences grow, also when the times do not."""
    seed(journal)
    attempts = [jumping_attempt(journal, clock, number, jump) for number in (1, 2, 3)]
    assert journal.list_attempts(RUN, WS) == attempts
    assert [a.sequence for a in attempts] == [1, 2, 3]
    events = journal.list_events(run_id=RUN, limit=-1)
    assert [e.id for e in events] == sorted(e.id for e in events)


def jumping_attempt(
    journal: DocumentedJournal, clock: StepClock, number: int, jump: float
) -> Attempt:
    """Record an attempt during which the clock jumps, and comes back afterwards."""
    begun = journal.begin_attempt(intent("fix", number))
    clock.now += jump
    ended = journal.finish_attempt(begun.id, AttemptState.SUCCEEDED)
    clock.now -= jump
    return ended


def test_an_attempt_took_as_long_as_it_took(
    journal: DocumentedJournal, clock: StepClock, jump: float
) -> None:
    """A clock that is set meanwhile, or a machine that sleeps, adds nothing and takes nothing away."""
    seed(journal)
    ended = jumping_attempt(journal, clock, 1, jump)
    assert ended.started_at is not None
    assert ended.completed_at is not None
    assert 0 <= seconds(ended.completed_at) - seconds(ended.started_at) < 60


def test_a_small_difference_of_clocks_is_left_alone(
    journal: DocumentedJournal, clock: StepClock
) -> None:
    """An attempt ends when the clock says so, as long as that can be true."""
    seed(journal)
    ended = jumping_attempt(journal, clock, 1, 30.0)
    assert ended.started_at is not None
    assert ended.completed_at == iso(seconds(ended.started_at) + 31.0)


def test_a_tools_record_has_no_time_below_zero(
    journal: DocumentedJournal, clock: StepClock
) -> None:
    """A turn that ended before it began took no time."""
    seed(journal)
    turn = NewAttempt(run_id=RUN, ws_id=WS, step_name="edit", attempt=1, tool_id="aider")
    times = {"started_at": iso(START + 100), "completed_at": iso(START + 50)}
    journal.record_attempt(turn, AttemptState.SUCCEEDED, **times)
    assert journal.tool_statistics(clock(), 3600.0)["aider"].median_s == 0.0


def test_a_tool_is_not_held_back_for_the_time_that_the_clock_went_back(
    journal: DocumentedJournal, clock: StepClock
) -> None:
    """A cooldown of the future lets a trial through; an ordinary one holds."""
    journal.record_tool_result("aider", OutcomeKind.QUOTA)
    with pytest.raises(CircuitBreakerOpen):
        journal.admit_tool_call("aider")
    clock.now -= YEAR
    assert journal.admit_tool_call("aider").calls == 1


def test_a_cost_of_the_far_future_is_not_counted_for_ever(
    journal: DocumentedJournal, clock: StepClock
) -> None:
    """What a clock that ran ahead has dated counts towards the run, not towards every later day."""
    seed(journal)
    settle(journal, begin(journal), usd=1.0, at=iso(clock.now + YEAR))
    day = Cap(name="day", max_cost_usd=1.0, since=iso(clock.now - DAY))
    assert begin(journal, day, usd=1.0).id
    with pytest.raises(BudgetExceeded):
        begin(journal, Cap(name="run", max_cost_usd=1.0), usd=0.1)


def test_a_day_that_is_yet_to_come_counts_what_it_has(
    journal: DocumentedJournal, clock: StepClock
) -> None:
    """After the clock went back, what was spent in that future day still counts towards it."""
    seed(journal)
    settle(journal, begin(journal), usd=1.0, at=iso(clock.now + YEAR))
    since = iso(seconds(iso(clock.now)) + YEAR - 10)
    assert journal.spent(since=since).cost_usd == 1.0
