"""When a child must end, as a function of the time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.process.api import Command, End, Stop
from penstock.process.watch import Limits

START = 100.0


def limits(stop: Stop | None = None, **options: Any) -> Limits:
    """The limits of a command that was started at START."""
    return Limits(Command(argv=("x",), cwd=Path("/"), env={}, **options), stop, START)


def test_without_limits_a_child_may_go_on_for_ever() -> None:
    """No limit is no reason, at any time."""
    assert limits().reason(START + 1e9) is None
    assert limits().next_at() is None


@pytest.mark.parametrize(
    ("options", "end"),
    [({"wall_s": 5.0}, End.WALL_LIMIT), ({"idle_s": 5.0}, End.IDLE_LIMIT)],
)
def test_a_limit_holds_from_its_moment_on(options: dict[str, Any], end: End) -> None:
    """Before the moment there is no reason, at it there is."""
    of_command = limits(**options)
    assert of_command.next_at() == START + 5
    assert of_command.reason(START + 4.999) is None
    assert of_command.reason(START + 5) is end


def test_output_puts_off_the_limit_of_silence_only() -> None:
    """After output the silence counts anew; the wall stays where it is."""
    of_command = limits(wall_s=8.0, idle_s=5.0)
    of_command.last_output = START + 4
    assert of_command.next_at() == START + 8
    assert of_command.reason(START + 7.9) is None
    assert of_command.reason(START + 9) is End.WALL_LIMIT


def test_who_settles_is_left_alone_until_then() -> None:
    """While a child settles no other limit counts; a second True does not put it off."""
    of_command = limits(wall_s=1.0, idle_s=1.0, settle_s=5.0)
    of_command.settle(START)
    of_command.settle(START + 3)
    assert of_command.next_at() == START + 5
    assert of_command.reason(START + 4.9) is None
    assert of_command.reason(START + 5) is End.STOPPED


def test_the_wish_of_the_user_goes_first() -> None:
    """A wish to stop is the reason whatever else has run out."""
    stop = Stop()
    of_command = limits(stop, wall_s=0.0, idle_s=0.0)
    assert of_command.reason(START) is End.WALL_LIMIT
    stop.ask()
    assert of_command.reason(START) is End.INTERRUPTED


def test_a_stop_is_asked_in_two_steps() -> None:
    """The first ask is polite, the second at once; waiting ends with the first."""
    stop = Stop()
    assert not stop.wait(0.0)
    stop.ask()
    assert (stop.asked, stop.now, stop.wait(10.0)) == (True, False, True)
    stop.ask()
    assert (stop.asked, stop.now) == (True, True)
