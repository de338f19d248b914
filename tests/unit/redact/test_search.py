"""Looking for many words finds the same with and without the library that does it fast."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.redact.redactor import Redactor
from penstock.redact.search import AutomatonFinder, PlainFinder, make_finder

WORDS = st.lists(st.binary(min_size=1, max_size=4).map(lambda b: bytes(c % 3 + 97 for c in b)),
                 min_size=1, max_size=6, unique=True)  # fmt: skip
TEXTS = st.lists(st.sampled_from([b"a", b"b", b"c", b"ab", b"\n"]), max_size=20).map(b"".join)


@given(WORDS, TEXTS)
def test_both_find_the_same(words: list[bytes], text: bytes) -> None:
    """Whether, where, and which."""
    fast, plain = AutomatonFinder(words), PlainFinder(words)
    assert fast.holds(text) == plain.holds(text)
    assert fast.spans(text) == plain.spans(text)
    assert sorted(fast.hits(text)) == sorted(plain.hits(text))


@given(WORDS, TEXTS)
def test_what_is_found_is_leftmost_and_longest(words: list[bytes], text: bytes) -> None:
    """No overlaps, and no word at the same place that is longer."""
    end = 0
    for start, after in make_finder(words).spans(text):
        assert start >= end
        assert text[start:after] in words
        assert not any(text.startswith(word, start) for word in words if len(word) > after - start)
        end = after


def test_no_words_find_nothing() -> None:
    """Neither way."""
    assert not make_finder(()).holds(b"text")
    assert PlainFinder(()).spans(b"text") == []
    assert make_finder(()).hits(b"text") == []


def test_without_the_library_the_same_is_redacted(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra; nothing but time depends on it."""
    text = "known-value known-\nvalue sk-abcdefgh12345678 password=x1y2z3"
    fast = Redactor(["known-value"]).text(text)
    monkeypatch.setitem(sys.modules, "ahocorasick_rs", None)
    assert isinstance(make_finder([b"x"]), PlainFinder)
    assert Redactor(["known-value"]).text(text) == fast
