"""Threads for the work of a run, and what they tell each other."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from penstock.engine.signals import Signals
from penstock.engine.workers import Ended, Workers
from penstock.errors import Interrupted

DEADLINE_S = 20.0


def take(workers: Workers, count: int) -> list[Ended]:
    """Wait for so many ends."""
    found: list[Ended] = []
    while len(found) < count:
        more = workers.wait(DEADLINE_S)
        assert more, "nothing ended"
        found += more
    return found


def test_work_is_done_side_by_side() -> None:
    """Two that wait for each other come through, and each end is told once."""
    meeting = threading.Barrier(2)
    with Workers(2) as workers:
        for name in ("a", "b"):
            workers.start(name, lambda: meeting.wait(DEADLINE_S))
        assert len(workers) == 2
        ended = take(workers, 2)
        assert workers.wait(0.0) == []
    assert sorted(one.name for one in ended) == ["a", "b"]
    assert all(one.error is None for one in ended)


def test_one_is_busy_until_its_end_was_told() -> None:
    """The coordinator hears of it before it starts the same again."""
    with Workers(1) as workers:
        workers.start("a", lambda: None)
        assert "a" in workers
        with pytest.raises(ValueError, match="at work already"):
            workers.start("a", lambda: None)
        take(workers, 1)
        assert "a" not in workers
        assert workers.busy == frozenset()
        workers.start("a", lambda: None)


@pytest.mark.parametrize("error", [ValueError("no"), Interrupted("stop"), KeyboardInterrupt()])
def test_an_error_is_told_and_ends_nothing_else(error: BaseException) -> None:
    """Whatever it is, the thread that coordinates decides."""

    def fail() -> None:
        raise error

    with Workers(1) as workers:
        workers.start("a", fail)
        (ended,) = take(workers, 1)
        workers.start("b", lambda: None)
        (other,) = take(workers, 1)
    assert ended.error is error
    assert (other.name, other.error) == ("b", None)


def test_leaving_waits_for_what_is_under_way() -> None:
    """Also when the block fails: no thread outlives the run."""
    go, done = threading.Event(), threading.Event()

    def work() -> None:
        go.wait(DEADLINE_S)
        done.set()

    def leave() -> None:
        with Workers(1) as workers:
            workers.start("a", work)
            threading.Timer(0.05, go.set).start()
            raise KeyError

    with pytest.raises(KeyError):
        leave()
    assert done.is_set()


def test_the_first_reason_for_a_pause_stays() -> None:
    """A second wish changes nothing."""
    signals = Signals()
    assert signals.pause is None
    signals.ask_pause("lunch")
    signals.ask_pause("dinner")
    assert signals.pause == "lunch"


def test_turns_are_those_under_way() -> None:
    """In the order of their workstreams, also when one ends by an error."""
    signals = Signals()
    with signals.turn("ws-b", "fix", "codex"), signals.turn("ws-a", "edit", "aider"):
        assert [turn["ws_id"] for turn in signals.turns()] == ["ws-a", "ws-b"]
        assert signals.turns()[1] == {"ws_id": "ws-b", "step": "fix", "tool": "codex"}
    fail_in_a_turn(signals)
    assert signals.turns() == []


def fail_in_a_turn(signals: Signals) -> None:
    """Raise an error within a turn."""
    with pytest.raises(ValueError, match="no"), signals.turn("ws-c", "edit", "aider"):
        raise ValueError("no")


def test_many_threads_may_count_their_turns() -> None:
    """None is lost and none is left."""
    signals, met = Signals(), threading.Barrier(8)

    def count(number: int) -> int:
        with signals.turn(f"ws-{number}", "edit", "aider"):
            met.wait(DEADLINE_S)
            found = len(signals.turns())
            met.wait(DEADLINE_S)
        return found

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(count, range(8))) == [8] * 8
    assert signals.turns() == []
