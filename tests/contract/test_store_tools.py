"""What every journal keeps of tools: breakers, records, and whose turn it was."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from penstock.breakers.circuit import CircuitPolicy
from penstock.errors import CircuitBreakerOpen, JournalError, UsageError
from penstock.model.outcome import OutcomeKind
from penstock.model.states import AttemptState
from penstock.model.toolhealth import CircuitState, ToolBreaker
from penstock.store.api import DocumentedJournal
from penstock.store.sqlite import open_journal
from tests.support.journals import START, StepClock, ask, cost, intent, seed, sql

K, DAY = OutcomeKind, 86_400.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A place for a journal."""
    return tmp_path / "p.db"


def turn(
    journal: DocumentedJournal,
    number: int,
    *,
    tool: str = "aider",
    step: str = "edit",
    ok: bool = True,
    outcome: str | None = None,
    usd: float | None = None,
) -> None:
    """Record one finished turn of a tool."""
    begun = journal.begin_attempt(msgspec.structs.replace(intent(step, number), tool_id=tool))
    journal.finish_attempt(
        begun.id,
        AttemptState.SUCCEEDED if ok else AttemptState.FAILED,
        result={"outcome": outcome} if outcome else None,
        cost=None if usd is None else cost(actual_cost_usd=usd),
    )


def test_a_tool_that_nobody_used_has_a_closed_breaker(journal: DocumentedJournal) -> None:
    """It need not be in the journal."""
    assert journal.tool_breaker("aider") == ToolBreaker(tool_id="aider")
    assert journal.list_tool_breakers() == []


def test_a_breaker_comes_back_as_it_was_written(journal: DocumentedJournal) -> None:
    """All of it, and listed by tool."""
    codex = journal.record_tool_result("codex", K.RATE_LIMITED, START + 500.25)
    aider = journal.record_tool_result("aider", K.CRASHED)
    assert (codex.until, codex.reason) == (START + 500.25, "rate_limited")
    assert journal.tool_breaker("codex") == codex
    assert journal.list_tool_breakers() == [aider, codex]


def test_failures_are_counted_over_calls(journal: DocumentedJournal) -> None:
    """The fifth in a row opens it, one success closes it."""
    counts = [journal.record_tool_result("aider", K.TIMEOUT).failures for _ in range(5)]
    assert counts == [1, 2, 3, 4, 5]
    assert journal.tool_breaker("aider").state is CircuitState.OPEN
    assert journal.record_tool_result("aider", K.EDITED).state is CircuitState.CLOSED


def test_one_trial_call_at_a_time_is_let_through(journal: DocumentedJournal) -> None:
    """After its time has passed; the error names the tool."""
    soon = CircuitPolicy(auth_s=0.5)
    journal.record_tool_result("aider", K.AUTH, policy=soon)
    assert journal.admit_tool_call("aider", policy=soon).state is CircuitState.HALF_OPEN
    with pytest.raises(CircuitBreakerOpen, match="aider is cooling down"):
        journal.admit_tool_call("aider", policy=soon)


def test_a_healthy_tool_leaves_no_row(journal: DocumentedJournal) -> None:
    """Letting a call through a closed breaker writes nothing."""
    assert journal.admit_tool_call("aider").state is CircuitState.CLOSED
    assert journal.table_counts()["tool_breakers"] == 0


def test_a_breaker_can_be_closed_by_hand(journal: DocumentedJournal) -> None:
    """Somebody signed in."""
    journal.record_tool_result("aider", K.AUTH)
    assert journal.reset_tool_breaker("aider").state is CircuitState.CLOSED
    assert journal.admit_tool_call("aider").failures == 0


@pytest.mark.parametrize("call", ["record_tool_result", "admit_tool_call", "reset_tool_breaker"])
def test_a_tool_needs_an_id(journal: DocumentedJournal, call: str) -> None:
    """An empty one is a mistake of the caller."""
    arguments = ("", K.AUTH) if call == "record_tool_result" else ("",)
    with pytest.raises(UsageError, match="needs an id"):
        getattr(journal, call)(*arguments)


def test_breakers_are_not_fenced(path: Path) -> None:
    """What one process learns of a tool, another one that works on another run uses."""
    with open_journal(path) as one, open_journal(path) as other:
        one.create_run("r1")
        one.claim_run("r1", {"pid": 1})
        one.record_tool_result("aider", K.AUTH)
        with pytest.raises(CircuitBreakerOpen):
            other.admit_tool_call("aider")


def test_results_at_once_are_all_counted(path: Path) -> None:
    """Each is one transaction: none is lost between two journal objects with threads."""
    many = CircuitPolicy(failure_threshold=1000)

    def fail(journal: DocumentedJournal) -> None:
        for _ in range(25):
            journal.record_tool_result("aider", K.CRASHED, policy=many)

    with open_journal(path) as one, open_journal(path) as other:
        threads = [threading.Thread(target=fail, args=(j,)) for j in (one, other, one, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert one.tool_breaker("aider").failures == 100


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE tool_breakers SET until = 'soon'",
        "UPDATE tool_breakers SET state = 'ajar'",
        "UPDATE tool_breakers SET until = 5",
    ],
)
def test_a_damaged_breaker_is_said_to_be(path: Path, change: str) -> None:
    """Not guessed at."""
    with open_journal(path) as journal:
        journal.record_tool_result("aider", K.AUTH)
        sql(path, change)
        with pytest.raises(JournalError, match="damaged circuit breaker of aider"):
            journal.tool_breaker("aider")


def test_a_breaker_outlives_the_process(path: Path) -> None:
    """The cooldown is in the file, in the documented form."""
    with open_journal(path, clock=StepClock()) as journal:
        journal.record_tool_result("aider", K.AUTH)
    rows = ask(path, "SELECT state, failures, calls, until, reason FROM tool_breakers")
    assert rows == [("open", 1, 0, "2023-11-14T22:18:21.000000Z", "auth")]
    with open_journal(path, read_only=True) as journal:
        assert journal.tool_breaker("aider").reason == "auth"


def test_a_record_is_made_of_turns(journal: DocumentedJournal) -> None:
    """Successes, failures, seconds and dollars of EDIT and FIX turns, by tool."""
    seed(journal)
    turn(journal, 1, usd=0.5)
    turn(journal, 2, ok=False, usd=0.25)
    turn(journal, 1, step="fix", tool="codex")
    turn(journal, 1, step="static", tool="ruff")
    found = journal.tool_statistics(START, DAY)
    assert sorted(found) == ["aider", "codex"]
    aider = found["aider"]
    assert (round(aider.successes), round(aider.failures), aider.median_s) == (1, 1, 1.0)
    assert aider.cost_per_success == pytest.approx(0.75, rel=0.01)
    assert found["codex"].cost_per_success is None


@pytest.mark.parametrize("outcome", ["canceled", "budget"])
def test_what_says_nothing_about_the_tool_is_not_counted(
    journal: DocumentedJournal, outcome: str
) -> None:
    """The user's word, and limits of ours."""
    seed(journal)
    turn(journal, 1, ok=False, outcome=outcome)
    turn(journal, 2, ok=False, outcome="crashed")
    assert round(journal.tool_statistics(START, DAY)["aider"].failures) == 1


def test_what_is_long_past_is_not_counted(journal: DocumentedJournal) -> None:
    """Ten half-lives back the journal is not even read."""
    seed(journal)
    turn(journal, 1)
    assert journal.tool_statistics(START + 11 * DAY, DAY) == {}
    assert journal.tool_statistics(START + 2 * DAY, DAY)["aider"].successes == pytest.approx(
        0.25, rel=0.01
    )


def test_an_empty_journal_has_no_records(journal: DocumentedJournal) -> None:
    """And a half-life is positive."""
    assert journal.tool_statistics(START, DAY) == {}
    with pytest.raises(ValueError, match="not positive"):
        journal.tool_statistics(START, 0.0)


def test_running_turns_are_counted_by_tool(journal: DocumentedJournal) -> None:
    """A finished one is no longer under way."""
    seed(journal)
    turn(journal, 1)
    for number, tool in ((2, "aider"), (3, "aider"), (4, "codex")):
        journal.begin_attempt(msgspec.structs.replace(intent(attempt=number), tool_id=tool))
    journal.begin_attempt(intent("static"))
    assert journal.busy_tools() == {"aider": 2, "codex": 1}


def test_whose_turn_it_was_is_remembered(journal: DocumentedJournal) -> None:
    """Per rotation, the last word holds."""
    assert journal.last_routed("linting") is None
    for tool in ("ruff", "pylint"):
        journal.set_last_routed("linting", tool)
    journal.set_last_routed("testing", "pytest")
    assert (journal.last_routed("linting"), journal.last_routed("testing")) == ("pylint", "pytest")


def test_a_rotation_goes_on_in_another_process(path: Path) -> None:
    """It is in the file."""
    with open_journal(path) as journal:
        journal.set_last_routed("linting", "ruff")
    with open_journal(path) as journal:
        assert journal.last_routed("linting") == "ruff"


@pytest.mark.parametrize(
    "write",
    [
        lambda journal: journal.record_tool_result("a", K.AUTH),
        lambda journal: journal.set_last_routed("k", "a"),
    ],
)
def test_a_journal_for_reading_refuses(
    path: Path, write: Callable[[DocumentedJournal], object]
) -> None:
    """Status commands change nothing."""
    with open_journal(path):
        pass
    with (
        open_journal(path, read_only=True) as journal,
        pytest.raises(JournalError, match="reading"),
    ):
        write(journal)
