"""Probes are asked all at once; none holds the others up, and none takes the report along."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.environment.api import Finding, Health, HealthReport, Verdict
from penstock.environment.health.probing import Probe, run_probes
from penstock.errors import ToolMissingError

SOON_S = 0.2


def clock() -> float:
    """A moment that stands still."""
    return 0.0


def passing() -> Finding:
    """What finds nothing wrong."""
    return Finding(message="fine")


def saying(status: Verdict) -> Callable[[], Finding]:
    """Return what finds this."""
    return lambda: Finding(status=status, message=status.value)


def look(*looks: Callable[[], Finding], each_s: float = 5.0) -> HealthReport:
    """Ask probes that are named by their number."""
    probes = [Probe(str(number), each) for number, each in enumerate(looks)]
    return run_probes(probes, each_s=each_s, clock=clock)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What probes can hang at until the end of a test."""
    held = threading.Event()
    yield held
    held.set()
    for thread in threading.enumerate():
        if thread.name.startswith("health "):
            thread.join(timeout=10)


@given(st.lists(st.sampled_from(Verdict)))
def test_the_worst_decides(found: list[Verdict]) -> None:
    """Any failure is unhealthy, else any warning degraded, and every check is counted once."""
    report = look(*[saying(status) for status in found])
    wanted = Health.DEGRADED if Verdict.WARN in found else Health.HEALTHY
    assert report.overall_status is (Health.UNHEALTHY if Verdict.FAIL in found else wanted)
    counts = report.summary
    assert (counts.passed, counts.warn, counts.fail) == tuple(found.count(v) for v in Verdict)


def test_the_order_is_that_of_the_probes(gate: threading.Event) -> None:
    """However long each takes, the checks come in the order in which they were asked for."""

    def slow() -> Finding:
        gate.wait(SOON_S / 4)
        return passing()

    report = look(slow, passing, slow, passing)
    assert [check.name for check in report.checks] == ["0", "1", "2", "3"]


def test_a_hanging_probe_is_left_behind(gate: threading.Event) -> None:
    """It is a warning of its own, the others are told, and it costs its limit once."""

    def hang() -> Finding:
        gate.wait()
        return passing()

    begun = time.monotonic()
    report = look(hang, passing, hang, each_s=SOON_S)
    assert time.monotonic() - begun < 4 * SOON_S
    assert [check.status for check in report.checks] == [Verdict.WARN, Verdict.PASS, Verdict.WARN]
    assert report.checks[0].message == "timed out: no answer within 0.2 s"


def test_a_hanging_probe_keeps_no_process_alive(gate: threading.Event) -> None:
    """Its thread ends with the process."""

    def hang() -> Finding:
        gate.wait()
        return passing()

    look(hang, each_s=SOON_S)
    (left,) = [t for t in threading.enumerate() if t.name == "health 0"]
    assert left.daemon


def test_a_known_problem_is_a_failure() -> None:
    """What penstock raises on purpose is what is wrong, with its hint."""

    def missing() -> NoReturn:
        raise ToolMissingError("git is not installed", hint="install git")

    (check,) = look(missing).checks
    assert (check.status, check.message) == (Verdict.FAIL, "git is not installed")
    assert check.hint == "install git"


@pytest.mark.parametrize("error", [ValueError("odd"), OSError(5, "broken"), RecursionError()])
def test_an_unknown_problem_proves_nothing(error: Exception) -> None:
    """A probe that could not look is a warning with the error's name, whatever it met."""

    def broken() -> NoReturn:
        raise error

    (check,) = look(broken).checks
    assert check.status is Verdict.WARN
    assert f"could not be looked at: {type(error).__name__}" in check.message


def test_without_room_for_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system gives no more threads, that is the finding, and the report comes."""

    def refuse(_: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    (check,) = look(passing).checks
    assert check.status is Verdict.WARN
    assert "can't start new thread" in check.message


def test_no_probes() -> None:
    """Nothing to look at is nothing wrong."""
    report = look()
    assert (report.overall_status, report.checks) == (Health.HEALTHY, ())
