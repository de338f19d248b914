"""Runs during which the clock jumps: they end as they would have, in the same order."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.model.times import seconds
from penstock.store.sqlite import open_journal
from tests.support.pipeline import Project, says

YEAR = 365 * 86_400.0
DEADLINE_S = 60.0


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a linter and tests."""
    return Project(tmp_path / "project")


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[float], float]], None]:
    """Put another clock in the place of the system's, for the journal too; it is told the true time
    since the beginning. The system's own clock cannot be set by a test."""
    true, began = time.time, time.time()

    def put(clock: Callable[[float], float]) -> None:
        def now() -> float:
            return began + clock(true() - began)

        monkeypatch.setattr(time, "time", now)
        monkeypatch.setitem(open_journal.__kwdefaults__ or {}, "clock", now)

    return put


def swinging(passed: float) -> float:
    """A clock that is set back by an hour, and forth again, every few milliseconds."""
    return passed - (3600.0 if int(passed * 200) % 2 else 0.0)


@pytest.mark.parametrize(
    "clock", [swinging, lambda passed: -50 * passed, lambda passed: passed + 1e9 * (passed > 0.3)],
    ids=["to and fro", "backwards", "far ahead"],
)  # fmt: skip
def test_a_run_ends_as_it_would_have(
    project: Project,
    set_clock: Callable[[Callable[[float], float]], None],
    clock: Callable[[float], float],
) -> None:
    """Both workstreams are merged, attempts are in their order, and none took less than no time."""
    project.bundle("ws-a", says("bad\n"), says("good\n"))
    project.bundle("ws-b", says("good\n", "ws-b.txt"), depends_on=["ws-a"])
    set_clock(clock)
    result = project.run()
    assert result.status == "succeeded"
    assert [step for step, _ in project.steps("ws-a")][:5] == [
        "edit",
        "static",
        "fix",
        "static",
        "runtime",
    ]
    taken = [s.duration_sec for w in result.workstreams for s in w.steps]
    assert all(t is None or t >= 0 for t in taken)


def test_a_wait_is_bounded_when_the_clock_goes_back(
    project: Project, set_clock: Callable[[Callable[[float], float]], None]
) -> None:
    """A reset time that has become a year away ends the process, not the run; it can be resumed."""
    limited = {"claim": "rate_limited", "reset_in_s": 0.2}
    project.configure(limits={"wait_s": 2})
    project.bundle("ws-a", limited, says("good\n"))
    began = time.monotonic()
    set_clock(lambda passed: passed - YEAR * (passed > 0.4))
    status = project.run().status
    assert time.monotonic() - began < DEADLINE_S
    assert status in ("succeeded", "running")
    until = project.row("ws-a").reason_until
    assert until is None or seconds(until) < time.time() + YEAR + 10
