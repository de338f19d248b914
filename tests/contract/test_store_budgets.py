"""The journal's contract: money and tokens reserved before a turn and settled after it."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from penstock.errors import BudgetExceeded, NotFoundError, UsageError
from penstock.model.records import Attempt, Cap, NewAttempt, Reservation
from penstock.model.states import AttemptState
from penstock.model.times import iso
from penstock.store.api import DocumentedJournal
from tests.support.budgets import begin, caps, settle
from tests.support.journals import RUN, WS, StepClock, cost, intent, seed, types

NAN, INFINITE = math.nan, math.inf


@pytest.fixture
def run(journal: DocumentedJournal) -> DocumentedJournal:
    """A journal with two runs of two workstreams each."""
    seed(journal, WS, "ws-b")
    seed(journal, WS, "ws-b", run_id="run-2")
    return journal


def test_a_turn_that_fits_is_reserved(run: DocumentedJournal) -> None:
    """What it may come to is held back, and nothing is spent."""
    begin(run, caps(usd=1.0), usd=1.0, tokens=500)
    spent = run.spent(run_id=RUN)
    assert (spent.reserved_cost_usd, spent.reserved_tokens) == (1.0, 500)
    assert (spent.cost_usd, spent.input_tokens, spent.unpriced) == (0.0, 0, 0)


def test_a_settled_turn_gives_its_reservation_up(run: DocumentedJournal) -> None:
    """Only what it cost counts afterwards."""
    settle(run, begin(run, usd=1.0, tokens=500), usd=0.25, tokens=90)
    spent = run.spent(run_id=RUN)
    assert (spent.cost_usd, spent.input_tokens, spent.output_tokens) == (0.25, 90, 0)
    assert (spent.reserved_cost_usd, spent.reserved_tokens) == (0.0, 0)


def test_a_turn_that_does_not_fit_is_refused(run: DocumentedJournal) -> None:
    """Spent, reserved and wanted are added; the error says all of it, and nothing is written."""
    settle(run, begin(run), usd=0.5)
    begin(run, usd=0.25)
    before = run.list_events(run_id=RUN)
    with pytest.raises(
        BudgetExceeded, match=r"of the run .*0\.5000 of 1\.0000 USD spent"
    ) as caught:
        begin(run, caps("day", usd=9.0), caps(usd=1.0), usd=0.26)
    error = caught.value
    assert (error.cap, error.unit, error.limit) == ("run", "usd", 1.0)
    assert (error.spent, error.reserved, error.wanted) == (0.5, 0.25, 0.26)
    assert "penstock resume run-1" in str(error.hint)
    assert run.list_events(run_id=RUN) == before
    assert len(run.list_attempts(RUN)) == 2


def test_tokens_are_limited_as_money_is(run: DocumentedJournal) -> None:
    """Input and output count, settled and reserved."""
    settle(run, begin(run), tokens=60)
    begin(run, caps(tokens=100), tokens=40)
    with pytest.raises(
        BudgetExceeded, match="60 of 100 tokens spent, 40 tokens reserved"
    ) as caught:
        begin(run, caps(tokens=100), tokens=1)
    assert caught.value.unit == "tokens"


def test_a_turn_that_ends_makes_room(run: DocumentedJournal) -> None:
    """What it did not use can be reserved again."""
    held = begin(run, caps(usd=1.0), usd=1.0)
    with pytest.raises(BudgetExceeded):
        begin(run, caps(usd=1.0), usd=0.5)
    settle(run, held, usd=0.5)
    assert begin(run, caps(usd=1.0), usd=0.5).status is AttemptState.RUNNING


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("workstream", [(RUN, WS)]),
        ("run", [(RUN, WS), (RUN, "ws-b")]),
        ("day", [(RUN, WS), (RUN, "ws-b"), ("run-2", WS)]),
    ],
)
def test_a_cap_adds_up_what_it_is_about(
    run: DocumentedJournal, name: str, refused: list[tuple[str, str]]
) -> None:
    """A workstream, all workstreams of a run, all runs."""
    settle(run, begin(run), usd=1.0)
    found = []
    for run_id, ws_id in [(RUN, WS), (RUN, "ws-b"), ("run-2", WS)]:
        try:
            attempt = begin(run, caps(name, usd=1.0), usd=0.5, run_id=run_id, ws_id=ws_id)
        except BudgetExceeded:
            found.append((run_id, ws_id))
        else:
            run.finish_attempt(attempt.id, AttemptState.FAILED)
    assert found == refused


@pytest.mark.parametrize(
    ("settled_at", "fits"),
    [
        ("2026-03-01T23:59:59.999999Z", True),
        ("2026-03-02T00:00:00.000000Z", False),
        ("2026-03-02T00:00:00.500000Z", False),
    ],
)
def test_a_day_begins_at_its_first_moment(
    run: DocumentedJournal, settled_at: str, fits: bool
) -> None:
    """What was settled before does not count, however the moment is spelled."""
    settle(run, begin(run), usd=1.0, at=settled_at)
    day = Cap(name="day", max_cost_usd=1.0, since="2026-03-02T01:00:00+01:00")
    if fits:
        assert begin(run, day, usd=1.0).id
    else:
        with pytest.raises(BudgetExceeded, match="of the day"):
            begin(run, day, usd=1.0)


def test_a_turn_that_began_yesterday_counts_today(run: DocumentedJournal, clock: StepClock) -> None:
    """It will be settled today; what is older than that is of a run that nobody goes on with."""
    begin(run, usd=1.0)
    midnight = Cap(name="day", max_cost_usd=1.0, since=iso(clock.now + 3600))
    with pytest.raises(BudgetExceeded):
        begin(run, midnight, usd=0.1)
    clock.now += 3 * 86_400
    later = Cap(name="day", max_cost_usd=1.0, since=iso(clock.now - 3600))
    assert begin(run, later, usd=1.0).id
    assert run.spent(run_id=RUN).reserved_cost_usd == 2.0


def test_threads_never_pass_a_cap_together(run: DocumentedJournal) -> None:
    """Eight that reserve at once get what there is, and not a cent more."""
    got: list[int] = []

    def take(number: int) -> None:
        turn = NewAttempt(run_id=RUN, ws_id=WS, step_name="fix", attempt=number)
        held = Reservation(cost_usd=0.3, caps=(caps(usd=1.0),))
        with suppress(BudgetExceeded):
            got.append(run.begin_attempt(turn, reservation=held).id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(take, range(1, 25)))
    assert len(got) == 3
    assert run.spent(run_id=RUN).reserved_cost_usd == pytest.approx(0.9)


def test_sums_do_not_drift(run: DocumentedJournal) -> None:
    """A hundred times a cent is a dollar, and not a billionth more."""
    for _ in range(99):
        settle(run, begin(run, caps(usd=1.0), usd=0.01), usd=0.01)
    assert run.spent(run_id=RUN).cost_usd == 0.99
    settle(run, begin(run, caps(usd=1.0), usd=0.01), usd=0.01)
    assert run.spent(run_id=RUN).cost_usd == 1.0
    with pytest.raises(BudgetExceeded):
        begin(run, caps(usd=1.0), usd=0.000_000_001)


def test_an_unknown_amount_needs_some_room(run: DocumentedJournal) -> None:
    """A turn of unknown cost begins while anything is left, and not at the cap."""
    settle(run, begin(run, caps(usd=1.0)), usd=0.99)
    settle(run, begin(run, caps(usd=1.0)), usd=0.01)
    with pytest.raises(BudgetExceeded) as caught:
        begin(run, caps(usd=1.0))
    assert (caught.value.wanted, caught.value.reserved) == (None, 0.0)


def test_a_free_turn_fits_at_the_cap(run: DocumentedJournal) -> None:
    """Known to cost nothing is not unknown."""
    assert begin(run, caps(usd=0.0, tokens=0), usd=0.0, tokens=0).status is AttemptState.RUNNING


def test_a_reported_cost_beats_a_computed_one(run: DocumentedJournal) -> None:
    """Where neither is known the turn is counted as unpriced, not as free."""
    attempt = begin(run)
    run.finish_attempt(attempt.id, AttemptState.FAILED, cost=cost(input_tokens=5))
    settle(run, begin(run), usd=0.5)
    spent = run.spent(run_id=RUN)
    assert (spent.cost_usd, spent.unpriced, spent.input_tokens) == (0.5, 1, 5)


def test_what_was_spent_can_be_narrowed(run: DocumentedJournal) -> None:
    """By run, workstream and time; without a run it is over all."""
    settle(run, begin(run), usd=1.0, at="2026-01-01T00:00:00.000000Z")
    settle(run, begin(run, ws_id="ws-b"), usd=2.0, at="2026-01-02T00:00:00.000000Z")
    settle(run, begin(run, run_id="run-2"), usd=4.0, at="2026-01-03T00:00:00.000000Z")
    assert run.spent().cost_usd == 7.0
    assert run.spent(run_id=RUN).cost_usd == 3.0
    assert run.spent(run_id=RUN, ws_id=WS).cost_usd == 1.0
    assert run.spent(since="2026-01-02T00:00:00Z").cost_usd == 6.0
    assert run.spent(run_id=RUN, since="2026-01-02").cost_usd == 2.0
    assert run.spent(run_id="none").cost_usd == 0.0


def test_a_lost_turn_is_settled_at_what_it_reserved(run: DocumentedJournal) -> None:
    """It may well have been spent: it is the estimated cost, counted as such."""
    attempt = begin(run, usd=0.75, tokens=300)
    run.finish_attempt(attempt.id, AttemptState.UNKNOWN)
    spent, (row,) = run.spent(run_id=RUN), run.list_costs(RUN)
    assert (spent.cost_usd, spent.input_tokens, spent.reserved_cost_usd) == (0.75, 300, 0.0)
    assert (row.estimated_cost_usd, row.actual_cost_usd) == (0.75, None)
    assert row.step_attempt_id == attempt.id


def test_a_lost_turn_of_known_cost_is_settled_at_that(run: DocumentedJournal) -> None:
    """The reservation serves only where nothing better is known."""
    attempt = begin(run, usd=0.75)
    known = cost(actual_cost_usd=0.1)
    run.finish_attempt(attempt.id, AttemptState.UNKNOWN, cost=known)
    assert (run.spent(run_id=RUN).cost_usd, len(run.list_costs(RUN))) == (0.1, 1)


def test_a_canceled_turn_is_settled_at_what_it_reserved(run: DocumentedJournal) -> None:
    """Nobody knows what a turn that was cut short has come to."""
    run.finish_attempt(begin(run, usd=0.75, tokens=300).id, AttemptState.CANCELED)
    spent = run.spent(run_id=RUN)
    assert (spent.cost_usd, spent.unpriced, spent.reserved_cost_usd) == (0.75, 0, 0.0)


@pytest.mark.parametrize("end", [AttemptState.SUCCEEDED, AttemptState.FAILED])
def test_what_a_tool_does_not_tell_is_what_was_reserved(
    run: DocumentedJournal, end: AttemptState
) -> None:
    """The tokens that it tells are kept."""
    attempt = begin(run, usd=0.75, tokens=300)
    run.finish_attempt(attempt.id, end, cost=cost(input_tokens=5))
    spent = run.spent(run_id=RUN)
    assert (spent.cost_usd, spent.unpriced, spent.input_tokens) == (0.75, 0, 5)


def test_a_turn_that_ends_without_cost_frees_its_reservation(run: DocumentedJournal) -> None:
    """A failure that nobody charged for costs nothing."""
    run.finish_attempt(begin(run, usd=0.75).id, AttemptState.FAILED)
    assert run.spent(run_id=RUN).reserved_cost_usd == 0.0
    assert run.list_costs(RUN) == []


def test_a_lost_check_costs_nothing(run: DocumentedJournal) -> None:
    """What reserved nothing leaves no cost."""
    attempt = run.begin_attempt(intent("static"))
    run.finish_attempt(attempt.id, AttemptState.UNKNOWN)
    assert run.list_costs(RUN) == []


@pytest.mark.parametrize("usd", [-5.0, -INFINITE, NAN])
def test_no_turn_gives_money_back(run: DocumentedJournal, usd: float) -> None:
    """A tool that reports less than nothing does not raise the budget."""
    settle(run, begin(run), usd=1.0, tokens=-7)
    settle(run, begin(run), usd=usd, tokens=7)
    assert run.spent(run_id=RUN).cost_usd == 1.0
    assert run.spent(run_id=RUN).input_tokens == 7


@pytest.mark.parametrize("usd", [1e300, INFINITE])
def test_an_absurd_cost_stops_everything(run: DocumentedJournal, usd: float) -> None:
    """A tool that reports more money than there is exceeds the cap, and breaks no sum."""
    for _ in range(3):
        settle(run, begin(run), usd=usd, tokens=2**62)
    with pytest.raises(BudgetExceeded):
        begin(run, caps(usd=1000.0), usd=0.1)


@pytest.mark.parametrize(
    "reservation",
    [
        Reservation(cost_usd=-1.0),
        Reservation(cost_usd=NAN),
        Reservation(cost_usd=INFINITE),
        Reservation(cost_usd=1e7),
        Reservation(tokens=-1),
        Reservation(tokens=2**70),
        Reservation(caps=(Cap(name="run", max_cost_usd=NAN),)),
        Reservation(caps=(Cap(name="run", max_tokens=-1),)),
        Reservation(caps=(Cap(name="year", max_tokens=1),)),
        Reservation(caps=(Cap(name="day", max_tokens=1, since="today"),)),
    ],
)
def test_what_is_no_amount_is_refused(run: DocumentedJournal, reservation: Reservation) -> None:
    """Rubbish never passes for room; nothing is written."""
    with pytest.raises(UsageError):
        run.begin_attempt(intent(), reservation=reservation)
    assert run.list_attempts(RUN) == []


def test_no_time_is_refused(run: DocumentedJournal) -> None:
    """What was spent since no moment is not zero."""
    with pytest.raises(UsageError, match="no ISO-8601 time"):
        run.spent(since="yesterday")


def test_a_reservation_needs_its_workstream(run: DocumentedJournal) -> None:
    """An attempt of nobody reserves nothing."""
    nobody = NewAttempt(run_id=RUN, ws_id="ws-x", step_name="edit", attempt=1)
    with pytest.raises(NotFoundError):
        run.begin_attempt(nobody, reservation=Reservation(cost_usd=1.0))
    assert run.spent().reserved_cost_usd == 0.0


# -- the process of an attempt -----------------------------------------------------------------
def test_an_attempt_knows_where_it_began_and_who_does_it(run: DocumentedJournal) -> None:
    """The commit before it, and the process once there is one; a later process replaces it."""
    begun = run.begin_attempt(
        NewAttempt(run_id=RUN, ws_id=WS, step_name="edit", attempt=1, base_commit="c0")
    )
    assert (begun.base_commit, begun.pid, begun.pid_start) == ("c0", None, None)
    run.note_process(begun.id, 41, 7_000_000_000)
    run.note_process(begun.id, 42, 7_000_000_001)
    (noted,) = run.list_attempts(RUN)
    assert (noted.pid, noted.pid_start) == (42, 7_000_000_001)
    assert run.finish_attempt(begun.id, AttemptState.SUCCEEDED).pid == 42


def test_an_attempt_that_is_over_takes_no_process(run: DocumentedJournal) -> None:
    """Only what runs has one; an attempt that is not there neither."""
    attempt: Attempt = begin(run)
    run.finish_attempt(attempt.id, AttemptState.FAILED)
    with pytest.raises(UsageError, match="failed, not running"):
        run.note_process(attempt.id, 1, 1)
    with pytest.raises(NotFoundError):
        run.note_process(attempt.id + 1, 1, 1)
    assert types(run.list_events(run_id=RUN))[-1] == "step_completed"
