"""Points in time as people write them."""

from __future__ import annotations

import os

import pytest

from penstock.cli.moments import moment
from penstock.errors import UsageError
from tests.support.trails import DAY, NOON


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2h", NOON - 7200),
        ("3D", NOON - 3 * DAY),
        ("1w", NOON - 7 * DAY),
        ("2026-01-01T12:00:00Z", NOON),
        ("2026-01-01T14:00:00+02:00", NOON),
    ],
)
def test_moments(text: str, seconds: float) -> None:
    """How long ago, and ISO times with an offset."""
    assert moment(text, NOON) == seconds


def test_a_date_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    """A date without an offset means the day of this machine, as `date -I` prints it."""
    monkeypatch.setenv("TZ", "UTC-9")
    import time

    time.tzset()
    try:
        assert moment("2026-01-01", 0.0) == NOON - 21 * 3600
    finally:
        monkeypatch.undo()
        time.tzset()
    assert os.environ.get("TZ") != "UTC-9"


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "h", "-1d", "1y", "9999999w"])
def test_what_is_no_moment_is_a_mistake(text: str) -> None:
    """Anything else is refused with examples."""
    with pytest.raises(UsageError, match="no point in time"):
        moment(text, NOON)
