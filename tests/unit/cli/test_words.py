"""Durations, moments and amounts in words."""

from __future__ import annotations

import pytest

from penstock.cli import words
from penstock.model.times import seconds


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (-1.0, "0.0s"),
        (0.44, "0.4s"),
        (9.96, "10.0s"),
        (12.4, "12s"),
        (59.7, "1m00s"),
        (185.0, "3m05s"),
        (7620.0, "2h07m"),
    ],
)
def test_durations_are_short(value: float | None, text: str) -> None:
    """A duration takes six characters at most up to a hundred hours."""
    assert words.duration(value) == text


def test_what_has_not_started_took_no_time() -> None:
    """Without a start there is no duration; without an end it lasts until now."""
    start, end = "2026-01-31T10:00:00Z", "2026-01-31T10:00:05Z"
    assert words.between(None, None, 0.0) is None
    assert words.between(start, end, 0.0) == 5.0
    assert words.between(start, None, seconds(end)) == 5.0


@pytest.mark.parametrize(
    ("number", "text"),
    [(None, "-"), (0, "0"), (999, "999"), (12_345, "12.3k"), (4_100_000, "4.1M")],
)
def test_amounts_are_short(number: int | None, text: str) -> None:
    """An unknown amount is a dash and never a zero."""
    assert words.count(number) == text


def test_money_keeps_unknown_apart_from_nothing() -> None:
    """An unknown cost is a dash, a known zero is a zero."""
    assert words.money(None) == "-"
    assert words.money(0.0) == "$0.0000"


def test_moments_and_plurals() -> None:
    """Times lose their fraction; one thing is singular."""
    assert words.moment("2026-01-31T10:20:30.123456Z") == "2026-01-31 10:20:30Z"
    assert words.moment(None) == "-"
    assert words.clock("2026-01-31T10:20:30.123456Z") == "10:20:30"
    assert (words.plural(1, "run"), words.plural(2, "run")) == ("1 run", "2 runs")
