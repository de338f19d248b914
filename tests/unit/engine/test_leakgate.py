"""What is said of secrets in commits: in few words, without values, never more than fits."""

from __future__ import annotations

import pytest

from penstock.engine.leakgate import findings_of, refusal, words_of
from penstock.engine.narrate import narrate
from penstock.leaks.found import FoundSecret, LeakVerdict, Source
from penstock.model.events import EventType
from penstock.model.finding import Category, Severity
from penstock.model.records import Event


def found(number: int = 1, commit: str | None = None) -> FoundSecret:
    """Return a secret of a commit."""
    return FoundSecret(
        source=Source.COMMITS, path=f"f{number}.py", line=number, column=2, rule="r",
        title="A key", masked="ab… (40 characters)", fingerprint="0" * 32, commit=commit,
    )  # fmt: skip


def test_few_are_named_and_many_counted() -> None:
    """Three are told with place and commit, the rest as a number."""
    assert words_of([found(1, "c" * 40)]) == (
        "A key ab… (40 characters) in f1.py:1 (commit cccccccccc)"
    )
    assert words_of([found(n) for n in range(1, 6)]).endswith("f3.py:3; 2 more")


def test_a_refusal_tells_what_a_fix_turn_can_mend() -> None:
    """What is there still is a finding; what is only in the past is a problem."""
    assert refusal(LeakVerdict()) is None
    present = refusal(LeakVerdict(present=(found(),)))
    past = refusal(LeakVerdict(past=(found(),)))
    assert present is not None
    assert past is not None
    assert "findings" in present
    assert "problem" not in present
    assert past["problem"] == past["error"]
    assert "revoke" in past["error"]


def test_a_finding_says_what_to_do() -> None:
    """It is an error of security at its place, and tells to read the value from elsewhere."""
    (told,) = findings_of([found()])
    assert (told.path, told.line, told.column, told.code) == ("f1.py", 1, 2, "r")
    assert (told.category, told.severity) == (Category.SECURITY, Severity.ERROR)
    assert "read it from the environment" in told.message


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ({"policy": "stop", "secrets": [{"title": "A key", "path": "a.py", "line": 3}]},
         "secrets in its commits: A key in a.py:3"),
        ({"policy": "warn", "in_history": [{"path": "a.py", "line": 3}]},
         "secrets in its commits: one in a.py:3, which is only told"),
        ({"policy": "stop", "secrets": [{"path": "a", "line": 1}] * 5},
         "secrets in its commits: one in a:1, one in a:1, one in a:1 and 2 more"),
        ({"policy": "stop", "secrets": 5, "in_history": [None]}, "secrets in its commits:"),
    ],
)  # fmt: skip
def test_the_event_in_words(payload: dict[str, object], text: str) -> None:
    """Whatever is in it, something is said."""
    event = Event(id=1, timestamp="", event_type=EventType.SECRET_FOUND, payload=payload)
    assert narrate(event) == text
