"""The totals of money and tokens agree with the rows they are made of, whatever is done to these."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import BudgetExceeded
from penstock.model.records import Cap, NewAttempt, Reservation
from penstock.model.states import AttemptState
from penstock.store.sqlite import SqliteJournal, open_journal
from tests.support.budgets import begin, settle
from tests.support.journals import RUN, WS, ask, seed, sql

SUMS = "count(*), sum(unpriced), sum(nano_usd), sum(input_tokens), sum(output_tokens)"
BY_RUN = f"SELECT run_id, '', {SUMS} FROM cost_amounts GROUP BY run_id"  # noqa: S608
BY_WORKSTREAM = (
    f"SELECT run_id, ws_id, {SUMS} FROM cost_amounts"  # noqa: S608
    " WHERE ws_id IS NOT NULL GROUP BY run_id, ws_id"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of two runs with costs in several workstreams, one of them unpriced."""
    place = tmp_path / "p.db"
    with open_journal(place) as journal:
        for run_id in (RUN, "run-2"):
            seed(journal, WS, "ws-b", run_id=run_id)
            for number, ws_id in enumerate((WS, "ws-b", WS), 1):
                turn = begin(journal, run_id=run_id, ws_id=ws_id)
                settle(journal, turn, usd=number / 3, tokens=number)
            settle(journal, begin(journal, run_id=run_id), tokens=5)
    return place


def assert_agreed(path: Path) -> None:
    """The kept totals are those of the rows."""
    kept = ask(path, "SELECT * FROM cost_totals ORDER BY 1, 2")
    assert kept == ask(path, f"{BY_RUN} UNION ALL {BY_WORKSTREAM} ORDER BY 1, 2")


@pytest.mark.parametrize(
    "change",
    [
        "SELECT 1",
        "UPDATE cost_tracking SET actual_cost_usd = 7.5 WHERE id = 2",
        "UPDATE cost_tracking SET actual_cost_usd = NULL, estimated_cost_usd = NULL",
        "UPDATE cost_tracking SET ws_id = NULL WHERE ws_id = 'ws-b'",
        "UPDATE cost_tracking SET run_id = 'run-2'",
        "UPDATE cost_tracking SET input_tokens = -1, output_tokens = 9",
        "DELETE FROM cost_tracking WHERE id % 2",
        "DELETE FROM cost_tracking",
        "DELETE FROM step_attempts",
        "DELETE FROM workstreams WHERE ws_id = 'ws-b'",
        "DELETE FROM runs WHERE run_id = 'run-2'",
        "DELETE FROM runs",
        "INSERT INTO cost_tracking (run_id, timestamp, actual_cost_usd) VALUES ('run-1', 't', 1e99)",
    ],
)
def test_totals_follow_their_rows(path: Path, change: str) -> None:
    """Also when scripts of the user's own change them, and when a run is removed."""
    sql(path, change)
    assert_agreed(path)


Act = tuple[str, int, float | None]
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["settle", "lose", "fail", "hold"]),
        st.integers(0, 400),
        st.none() | st.integers(0, 500),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(acts=ACTS, limit=st.integers(0, 1000))
def test_no_history_passes_a_cap(acts: Sequence[Act], limit: int) -> None:
    """Against a model in cents: what fits is let through, and what nobody told is what was reserved."""
    with open_journal(None) as journal:
        seed(journal)
        spent = held = 0
        for number, (what, wanted, paid) in enumerate(acts, 1):
            fits = spent + held + wanted <= limit
            assert let_through(journal, number, wanted, limit) is fits
            if fits:
                finish(journal, what, paid)
                told = wanted if paid is None else int(paid)
                spent += {"settle": told, "lose": wanted, "fail": 0, "hold": 0}[what]
                held += wanted if what == "hold" else 0
        found = journal.spent(run_id=RUN)
    assert found.cost_usd == pytest.approx(spent / 100, abs=1e-12)
    assert found.reserved_cost_usd == pytest.approx(held / 100, abs=1e-12)


def let_through(journal: SqliteJournal, number: int, wanted: int, limit: int) -> bool:
    """Try to begin a turn of so many cents under a cap."""
    turn = NewAttempt(run_id=RUN, ws_id=WS, step_name="fix", attempt=number)
    cap = Cap(name="run", max_cost_usd=limit / 100)
    try:
        journal.begin_attempt(turn, reservation=Reservation(cost_usd=wanted / 100, caps=(cap,)))
    except BudgetExceeded:
        return False
    return True


def finish(journal: SqliteJournal, what: str, paid: float | None) -> None:
    """End the last turn in some way; `paid` is what it has cost in cents by its own word."""
    turn = journal.list_attempts(RUN)[-1]
    if what == "settle":
        settle(journal, turn, usd=None if paid is None else paid / 100)
    elif what != "hold":
        ways = {"lose": AttemptState.UNKNOWN, "fail": AttemptState.FAILED}
        journal.finish_attempt(turn.id, ways[what])
