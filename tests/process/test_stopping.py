"""Children that will not end are ended, by degrees and in time."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from penstock.process.api import End, Stop
from penstock.process.run import run
from tests.support.children import (
    command,
    is_running,
    killed_afterwards,
    misbehaving,
    python,
)


def test_the_wall_limit_asks_politely_first(tmp_path: Path) -> None:
    """At the wall limit a child is asked to end, may say goodbye, and its code is kept."""
    outcome = run(misbehaving("end_on_term", cwd=tmp_path, wall_s=0.5))
    assert (outcome.end, outcome.exit_code) == (End.WALL_LIMIT, 5)
    assert outcome.timed_out
    assert outcome.text == "ready\ngoodbye\n"


def test_a_child_that_ignores_term_is_killed_after_the_grace(tmp_path: Path) -> None:
    """Who ignores the polite request is killed when the grace is over."""
    outcome = run(misbehaving("ignore_term", cwd=tmp_path, wall_s=0.5, grace_s=0.3))
    assert (outcome.end, outcome.exit_code) == (End.WALL_LIMIT, -9)
    assert 0.8 <= outcome.duration_s < 10


def test_a_stopped_child_is_woken_to_see_the_request(tmp_path: Path) -> None:
    """A child that stopped itself is continued, so that it can end well."""
    outcome = run(misbehaving("stop_itself", cwd=tmp_path, wall_s=0.5, grace_s=20))
    assert (outcome.end, outcome.exit_code) == (End.WALL_LIMIT, 7)


def test_silence_is_limited(tmp_path: Path) -> None:
    """A child that prints nothing for the idle limit is ended."""
    outcome = run(misbehaving("silent", cwd=tmp_path, idle_s=0.3))
    assert (outcome.end, outcome.exit_code) == (End.IDLE_LIMIT, -15)
    assert outcome.timed_out


def test_output_keeps_a_child_alive(tmp_path: Path) -> None:
    """A child that keeps printing is not idle, however long it takes."""
    outcome = run(misbehaving("chatty", "0.1", "12", cwd=tmp_path, idle_s=0.8))
    assert (outcome.end, outcome.exit_code) == (End.EXITED, 0)


def test_closing_the_output_is_not_the_end(tmp_path: Path) -> None:
    """A child that closes its output lives on and is judged by its exit."""
    outcome = run(misbehaving("close_output", "0.5", cwd=tmp_path))
    assert (outcome.end, outcome.exit_code) == (End.EXITED, 6)
    assert outcome.duration_s >= 0.5


def test_holding_the_pipe_is_not_living(tmp_path: Path) -> None:
    """A child whose own child holds its pipe has ended when it has exited."""
    outcome = run(command("sh", "-c", "sleep 60 & echo done", cwd=tmp_path))
    assert (outcome.end, outcome.text, outcome.swept) == (End.EXITED, "done\n", 1)
    assert outcome.duration_s < 10


def test_late_output_of_a_helper_is_still_read(tmp_path: Path) -> None:
    """What a grandchild prints right after the exit of the child is not lost."""
    outcome = run(command("sh", "-c", "(sleep 0.05; echo late) & echo early", cwd=tmp_path))
    assert outcome.text == "early\nlate\n"


def test_a_wish_to_stop_ends_politely(tmp_path: Path) -> None:
    """Asked once, a child gets the polite request and its grace."""
    stop = Stop()
    threading.Timer(0.5, stop.ask).start()
    outcome = run(misbehaving("end_on_term", cwd=tmp_path, grace_s=20), stop)
    assert (outcome.end, outcome.exit_code) == (End.INTERRUPTED, 5)


def test_a_second_wish_to_stop_kills_at_once(tmp_path: Path) -> None:
    """Asked twice, even a child that ignores TERM is gone long before its grace is over."""
    stop = Stop()
    for delay in (0.5, 0.8):
        threading.Timer(delay, stop.ask).start()
    outcome = run(misbehaving("ignore_term", cwd=tmp_path, grace_s=60), stop)
    assert (outcome.end, outcome.exit_code) == (End.INTERRUPTED, -9)
    assert outcome.duration_s < 20


def test_both_wishes_before_a_look_kill_at_once(tmp_path: Path) -> None:
    """Asked twice within a moment, the child is killed without a request."""
    stop = Stop()

    def twice(_: bytes) -> None:
        stop.ask()
        stop.ask()

    outcome = run(misbehaving("end_on_term", cwd=tmp_path, on_stdout=twice), stop)
    assert (outcome.end, outcome.exit_code) == (End.INTERRUPTED, -9)


def test_a_stop_before_the_start_starts_nothing(tmp_path: Path) -> None:
    """When a stop was asked for already, the command is not started at all."""
    stop = Stop()
    stop.ask()
    outcome = run(command("touch", "made", cwd=tmp_path), stop)
    assert (outcome.end, outcome.exit_code) == (End.INTERRUPTED, None)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_callback_that_has_read_enough_stops_the_child(tmp_path: Path, stream: str) -> None:
    """A callback sees the raw pieces and stops the child by returning True."""
    seen: list[bytes] = []

    def enough(piece: bytes) -> bool:
        seen.append(piece)
        return b"".join(seen).endswith(b"x\n")

    code = f"import sys, time; print('x', file=sys.{stream}, flush=True); time.sleep(60)"
    outcome = run(python(code, cwd=tmp_path, **{f"on_{stream}": enough}))
    assert (outcome.end, outcome.exit_code, b"".join(seen)) == (End.STOPPED, -15, b"x\n")


def test_a_child_may_end_itself_while_it_settles(tmp_path: Path) -> None:
    """Within `settle_s` of the callback's True the child may end itself; that is no stop."""
    code = "import time; print(flush=True); time.sleep(0.3); raise SystemExit(4)"
    outcome = run(python(code, cwd=tmp_path, on_stdout=lambda _: True, settle_s=30, idle_s=0.1))
    assert (outcome.end, outcome.exit_code) == (End.EXITED, 4)


def test_a_child_that_does_not_end_itself_is_stopped_when_settled(tmp_path: Path) -> None:
    """After `settle_s` the child is stopped, and later output does not put that off."""
    settled = {"on_stdout": lambda _: True, "settle_s": 0.5}
    outcome = run(misbehaving("chatty", "0.1", "300", cwd=tmp_path, **settled))
    assert outcome.end is End.STOPPED
    assert 0.5 <= outcome.duration_s < 10


def test_what_a_callback_raises_is_passed_on_and_nothing_is_left(tmp_path: Path) -> None:
    """A mistake in a callback ends the child and its children and then comes through."""
    pid_file = tmp_path / "pid"

    def broken(_: bytes) -> bool:
        raise LookupError("broken")

    with killed_afterwards(pid_file):
        code = f"sleep 60 & echo $! > {pid_file}; echo x; wait"
        with pytest.raises(LookupError, match="broken"):
            run(command("sh", "-c", code, cwd=tmp_path, on_stdout=broken))
        assert not is_running(int(pid_file.read_text()))


def test_a_wish_to_stop_is_seen_soon(tmp_path: Path) -> None:
    """A silent child ends within moments of the wish, not at the next limit."""
    stop = Stop()
    threading.Timer(0.5, stop.ask).start()
    outcome = run(misbehaving("silent", cwd=tmp_path, grace_s=20), stop)
    assert outcome.end is End.INTERRUPTED
    assert 0.5 <= outcome.duration_s < 5
