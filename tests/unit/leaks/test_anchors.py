"""With the automaton and without: the same is found."""

from __future__ import annotations

import importlib.util
import random
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.leaks import anchors
from penstock.leaks.anchors import AutomatonAnchors, PlainAnchors
from penstock.leaks.match import LeakFinder
from tests.support.leak_corpus import statement
from tests.support.leak_kinds import KINDS, Kind

pytest.importorskip("ahocorasick_rs", reason="the extra `fast` is not installed")
FAST = LeakFinder()


def plain_finder() -> LeakFinder:
    """A finder as it is made where the automaton is not installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(anchors, "AUTOMATON", False)
        return LeakFinder()


PLAIN = plain_finder()
PARTS = st.sampled_from(
    (b"ghp" + b"_", b"sk" + b"-", b"AKIA", b"x", b"A1b2C3d4E5f6G7h8I9j0", b"_", b"\\n", b"%3D", b"\n", b" ", b"=",
     b"password", b"-us1", b":AA", b"0123456789abcdef"[::-1], b"://", b"@", b"\\u003d", b"\x1b[31m", b"\xff")
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_both_find_the_same_of_every_kind(kind: Kind) -> None:
    """In all forms in which secrets are planted."""
    draws = random.Random(23)
    for _ in range(40):
        data = b"a = 1\n" + statement(kind, draws)[1].encode() + b"\n"
        assert PLAIN.find(data) == FAST.find(data)


@settings(max_examples=300, deadline=None)
@given(st.lists(PARTS, max_size=30))
def test_both_find_the_same_in_any_text(parts: list[bytes]) -> None:
    """Keywords, escape sequences and drawn values in any order."""
    data = b"".join(parts)
    assert PLAIN.find(data) == FAST.find(data)


def test_all_places_are_found() -> None:
    """Also of keywords within others, and of those that overlap."""
    words = (b"sk-", b"sk-ant-", b"-us1", b"k-")
    data = b"sk-ant-sk-0123456789abc-us1 0123456789abcdef"
    expected = {(0, 0), (1, 0), (3, 1), (0, 7), (3, 8), (2, 23)}
    assert set(AutomatonAnchors(words).find(data)) == expected
    assert set(PlainAnchors(words, frozenset((b"-us1", b"k-"))).find(data)) == expected


def test_the_plain_search_passes_over_short_words() -> None:
    """Nothing with a shape is that short."""
    assert list(PlainAnchors((b"sk-",), frozenset()).find(b"sk-short sk-x\n")) == []


def test_no_keywords_are_nowhere() -> None:
    """Of either."""
    assert list(PlainAnchors((), frozenset()).find(b"sk-0123456789abcdef")) == []
    assert list(AutomatonAnchors(()).find(b"sk-0123456789abcdef")) == []


def test_without_the_library_the_plain_search_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra; where it cannot be imported everything works, at half the speed."""
    monkeypatch.setitem(sys.modules, "ahocorasick_rs", None)
    spec = importlib.util.spec_from_file_location("anchors_alone", anchors.__file__)
    assert spec is not None
    assert spec.loader is not None
    alone = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(alone)
    assert not alone.AUTOMATON
    assert isinstance(alone.anchors((b"sk-",), frozenset()), alone.PlainAnchors)
