"""Code spans of a line."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.planning.scoping.spans import blanked, code_spans


@pytest.mark.parametrize(
    ("line", "texts"),
    [
        ("a `b` c `d`", ["b", "d"]),
        ("``a ` b`` c", ["a ` b"]),
        ("a `b c", []),
        ("`a`` b`", ["a`` b"]),
        ("``` a ` b `", [" b "]),
        ("no spans", []),
        ("", []),
    ],
)
def test_spans(line: str, texts: list[str]) -> None:
    """A span ends at the next run of as many backticks; without one there is none."""
    assert [span.text for span in code_spans(line)] == texts


@settings(deadline=None)
@given(st.text(alphabet="`a "))
def test_spans_lie_apart_in_their_line(line: str) -> None:
    """Spans follow each other, hold what the line does, and are blanked without moving the rest."""
    spans, at = code_spans(line), 0
    for span in spans:
        assert at <= span.start < span.inside < span.end <= len(line)
        assert line[span.inside :].startswith(span.text)
        at = span.end
    rest = blanked(line, spans)
    assert len(rest) == len(line)
    assert code_spans(rest) == []


def test_many_backticks_take_no_time() -> None:
    """Runs of ever other lengths are gone over once."""
    line = " ".join("`" * number for number in range(1, 2000))
    start = time.process_time()
    assert code_spans(line) == []
    assert time.process_time() - start < 60
