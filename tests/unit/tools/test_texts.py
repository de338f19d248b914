"""The words of tools and vendors become typed outcomes and reset times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.outcome import OutcomeKind as Kind
from penstock.tools.texts import by_status, classify, local_zone, reset_time

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC).timestamp()
WEST = timezone(timedelta(hours=-5))


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Invalid API key · Please run /login", Kind.AUTH),
        ("Not logged in · Please run /login", Kind.AUTH),
        ("Missing environment variable: `OPENAI_API_KEY`.", Kind.AUTH),
        ("unexpected status 401 Unauthorized: no, url: http://h/v1/responses", Kind.AUTH),
        ("API Error: 403 {...}", Kind.AUTH),
        ("No LLM model was specified and no API keys were provided.", Kind.AUTH),
        ("exceeded retry limit, last status: 429 Too Many Requests", Kind.RATE_LIMITED),
        ("You've hit your usage limit. try again at 3:05 PM", Kind.RATE_LIMITED),
        ("You've hit your limit · resets 3pm (Europe/Berlin)", Kind.RATE_LIMITED),
        ("Claude AI usage limit reached|1769871600", Kind.RATE_LIMITED),
        ("Error code: 429 - insufficient_quota: check your plan", Kind.QUOTA),
        ("Your credit balance is too low to access the API", Kind.QUOTA),
        ("Error code: 400 - maximum context length is 8192 tokens", Kind.CONTEXT_OVERFLOW),
        ("Prompt is too long", Kind.CONTEXT_OVERFLOW),
        ("We are currently experiencing high demand", Kind.OVERLOADED),
        ("API Error: 529 {...overloaded_error...}", Kind.OVERLOADED),
        ("litellm.Timeout: APITimeoutError", Kind.OVERLOADED),
        ("violates our usage policy", Kind.REFUSED),
        ("API Error: JSON Parse error: Unrecognized token '<'", Kind.BAD_OUTPUT),
    ],
)
def test_known_words(words: str, kind: Kind) -> None:
    """Each text that a real client prints gets its outcome, with the text as evidence."""
    found = classify(words, now=NOW, zone=UTC)
    assert found is not None
    assert (found.kind, found.evidence) == (kind, words)


@pytest.mark.parametrize("words", ["", "Segmentation fault", "port 4290 is in use", "exit 1"])
def test_unknown_words(words: str) -> None:
    """A text that says nothing known is not guessed at."""
    assert classify(words, now=NOW, zone=UTC) is None


def test_a_reset_time_belongs_to_limits_only() -> None:
    """A limit carries its reset time; another outcome with a time in its text does not."""
    limited = classify("429 too many requests, try again in 30s", now=NOW, zone=UTC)
    denied = classify("invalid api key, try again in 30s", now=NOW, zone=UTC)
    assert limited is not None
    assert denied is not None
    assert (limited.reset_at, denied.reset_at) == (NOW + 30, None)


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Retry-After: 20", 20),
        ('"retry-after": "7"', 7),
        ("retry_after_ms=1500", 1.5),
        ("Please try again in 1.5s.", 1.5),
        ("try again in 250ms", 0.25),
        ("resets in 1h 5m", 3900),
        ("available in about 2 days, 3 hours and 4 minutes", 2 * 86400 + 3 * 3600 + 240),
        ("limit reached|1769871600", 1769871600 - NOW),
        ("reset_at=1769871600000", 1769871600 - NOW),
        ("try again at 2026-01-31T13:00:00Z", 3600),
        ("resets 2026-01-31 13:00", 3600 + 5 * 3600),
        ("resets 3pm (UTC)", 3 * 3600),
        ("resets 3:30pm (Europe/Berlin)", 2.5 * 3600),
        ("resets at 11am (UTC)", 23 * 3600),
        ("try again at 8:05 AM", 3600 + 300),
        ("try again at Feb 1st, 2026 7:00 AM", 24 * 3600),
        ("resets Feb 1 at 7am", 24 * 3600),
        ("resets Jan 2 at 7am", (365 - 29) * 86400.0),
        ("resets 12am (UTC)", 12 * 3600),
        ("resets 3pm (Nowhere/Atall)", 8 * 3600),
    ],
)
def test_reset_times(words: str, seconds: float) -> None:
    """Waits, clock times (the next such moment) and dates are understood, in the zone they name."""
    assert reset_time(words, now=NOW, zone=WEST) == pytest.approx(NOW + seconds)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "try again later",
        "resets 25pm",
        "resets 0am",
        "resets 3:99pm",
        "resets Feb 31 at 3pm",
        "try again at 2026-13-45T99:99",
        "resets soon",
    ],
)
def test_no_reset_time(words: str) -> None:
    """A time that is not stated, or cannot be, is unknown."""
    assert reset_time(words, now=NOW, zone=UTC) is None


@given(st.text(max_size=200))
def test_any_text_is_survived(words: str) -> None:
    """No text breaks the reading of outcomes and times."""
    classify(words, now=NOW, zone=UTC)
    reset_time(f"try again at {words} resets in {words} retry-after {words}", now=NOW, zone=UTC)


def test_statuses() -> None:
    """HTTP statuses have their outcomes, the others say nothing."""
    known = {s: by_status(s) for s in (401, 403, 402, 413, 429, 500, 529, 200, 400, 404, 600)}
    assert known == {
        401: Kind.AUTH, 403: Kind.AUTH, 402: Kind.QUOTA, 413: Kind.CONTEXT_OVERFLOW,
        429: Kind.RATE_LIMITED, 500: Kind.OVERLOADED, 529: Kind.OVERLOADED,
        200: None, 400: None, 404: None, 600: None,
    }  # fmt: skip


def test_the_zone_of_this_machine() -> None:
    """The local zone has an offset."""
    assert datetime.fromtimestamp(NOW, local_zone()).utcoffset() is not None
