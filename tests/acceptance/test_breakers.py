"""Every breaker, tripped for real, with its reason in the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.model.events import EventType
from tests.support.pipeline import Project, says


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a linter and tests."""
    return Project(tmp_path / "project")


def test_a_fix_that_changes_nothing_trips_no_progress(project: Project) -> None:
    """The same text again is no change."""
    project.bundle("ws-a", says("bad\n"))
    assert project.run_one().final_status == "failed"
    assert project.tripped() == ["no_progress"]


def test_going_back_and_forth_trips_oscillation(project: Project) -> None:
    """A-B-A by the real diff, not by what the tool says."""
    project.bundle("ws-a", says("bad1\n"), says("bad2\n"), says("bad1\n"))
    project.run()
    assert project.tripped() == ["oscillation"]


def test_the_same_error_in_other_places_trips_signature(project: Project) -> None:
    """Other line numbers do not make it another error."""
    project.breakers(max_attempts_per_step=9, max_fix_attempts_per_step=9)
    project.bundle("ws-a", says("bad\n"), says("x\nbad\n"), says("x\ny\nbad\n"), says("z\n"))
    project.run()
    assert project.tripped() == ["signature"]


def test_too_many_attempts_trip(project: Project) -> None:
    """Three different errors use up three attempts."""
    project.breakers(max_fix_attempts_per_step=9)
    project.bundle("ws-a", says("bada\n"), says("badb badc\n"), says("badd bade badf\n"))
    project.run()
    assert project.tripped() == ["max_attempts"]


def test_too_many_fix_turns_trip(project: Project) -> None:
    """One fix turn is allowed, and the check fails in another way after it."""
    project.breakers(max_attempts_per_step=9, max_fix_attempts_per_step=1)
    project.bundle("ws-a", says("fail\n"), says("fail x fail\n"), says("fine\n"))
    project.run()
    assert project.tripped() == ["fix_attempts"]


def test_the_bundle_overrides_the_file(project: Project) -> None:
    """max_attempts of the bundle wins over circuit_breakers.yaml."""
    project.breakers(max_attempts_per_step=9)
    project.bundle("ws-a", says("bada\n"), says("badb\n"), circuit_breaker={"max_attempts": 1})
    project.run()
    assert project.tripped() == ["max_attempts"]
    assert [step for step, _ in project.steps("ws-a")] == ["edit", "static"]


def test_a_cost_cap_stops_before_the_next_turn(project: Project) -> None:
    """The cap is reached after the first turn, so no second one is bought."""
    usage = {"input_tokens": 1, "output_tokens": 1, "cost_usd": 0.6}
    project.bundle("ws-a", says("bad\n", usage=usage), says("good\n"), max_cost_usd=0.5)
    project.run()
    assert project.tripped() == ["cost"]
    assert [step for step, _ in project.steps("ws-a")] == ["edit", "static"]


def test_a_cap_on_what_cannot_be_priced_stops(project: Project) -> None:
    """A tool that reports no cost cannot be held to a cap."""
    project.bundle("ws-a", says("bad\n"), says("good\n"), max_cost_usd=0.5)
    project.run()
    assert project.tripped() == ["cost"]


def test_the_price_table_prices_what_reports_no_dollars(project: Project) -> None:
    """Tokens times prices, per 1000."""
    project.configure(prices={"scripted": {"input": 1.0, "output": 2.0}})
    usage = {"input_tokens": 500, "output_tokens": 250}
    project.bundle("ws-a", says("good\n", usage=usage), max_cost_usd=5)
    assert project.run_one().cost_usd == 1.0


def test_the_wall_clock_trips(project: Project) -> None:
    """Time that attempts took is added up."""
    project.breakers(max_wall_clock_s=0.2)
    project.bundle("ws-a", says("bad\n", delay_s=0.3), says("good\n"))
    project.run()
    assert project.tripped() == ["wall_clock"]


def test_a_fix_that_takes_tests_away_trips(project: Project) -> None:
    """pytest counts one test less after the fix than before."""
    from tests.support.venvs import make_repo_venv

    make_repo_venv(project.root)
    project.configure(static_tools=[], runtime_tools=["pytest"])
    two = "def test_a():\n    assert 0\n\n\ndef test_b():\n    pass\n"
    one = "def test_b():\n    pass\n"
    scope = {"files_scope": ["test_it.py"]}
    project.bundle("ws-a", says(two, "test_it.py"), says(one, "test_it.py"), **scope)
    found = project.run_one()
    assert project.tripped() == ["test_count"]
    assert "1 tests ran in runtime, 2 before" in (found.reason or "")


def test_taking_all_tests_away_trips_too(project: Project) -> None:
    """No test at all is less than one, though pytest's exit code 5 is no failure."""
    from tests.support.venvs import make_repo_venv

    make_repo_venv(project.root)
    project.configure(static_tools=[], runtime_tools=["pytest"])
    one, none = "def test_a():\n    assert 0\n", "def nothing():\n    pass\n"
    scope = {"files_scope": ["test_it.py"]}
    project.bundle("ws-a", says(one, "test_it.py"), says(none, "test_it.py"), **scope)
    project.run()
    assert project.tripped() == ["test_count"]


def test_every_decision_is_in_the_journal_with_its_reason(project: Project) -> None:
    """Who reads the events can follow why each turn was taken and why it stopped."""
    project.bundle("ws-a", says("bad\n"), says("good\n"))
    project.run()
    told = [
        (e.payload["step"], e.payload["decision"]) for e in project.events(EventType.FIX_DECISION)
    ]
    assert told == [("static", "fix"), ("static", "proceed"), ("runtime", "proceed")]
    assert all(e.payload["reason"] for e in project.events(EventType.FIX_DECISION))


def test_a_trip_says_what_to_do(project: Project) -> None:
    """The event carries an advice, the row names the breaker."""
    project.bundle("ws-a", says("bad\n"))
    found = project.run_one()
    (event,) = project.events(EventType.BREAKER_TRIP)
    assert event.payload["advice"]
    assert "(no_progress breaker)" in (found.reason or "")
