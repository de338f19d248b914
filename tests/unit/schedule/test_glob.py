"""The glob language: matching and intersection, proved against brute force."""

from __future__ import annotations

import re
import time
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.schedule.glob import (
    STAR,
    Star,
    charsets_meet,
    intersects,
    matches,
    parse_segment,
    segment_matches,
    segments_meet,
    tokens_of,
)
from penstock.schedule.scope import Claim, ScopeMatcher, overlap

# Three tokens against three share a word of six letters at most, if any: the word that the
# shortest way through the product automaton spells takes a fixed token of one of them each time.
# "c" stands for all letters that no pattern names, so the brute force below misses nothing.
TOKENS = st.sampled_from(["a", "b", "*", "?", "[ab]", "[!a]", "[^b]"])
SEGMENT = st.lists(TOKENS, min_size=1, max_size=3).map("".join)
ITEMS = st.lists(st.sampled_from(["a", "b", "*", "**"]), min_size=1, max_size=2)
CLAIM = st.tuples(ITEMS, st.sampled_from(["", "/"])).map(lambda c: "/".join(c[0]) + c[1])
WORDS = tuple("".join(word) for size in range(1, 7) for word in product("abc", repeat=size))


def reference(segment: str) -> re.Pattern[str]:
    """A segment's regular expression, written the simple way (brackets as classes only)."""
    source = ""
    for token in re.findall(r"\[[^\]]*\]|.", segment):
        if len(token) > 1:
            source += token.replace("[!", "[^")
        else:
            source += {"*": ".*", "?": "."}.get(token, re.escape(token))
    return re.compile(source)


@settings(deadline=None)
@given(SEGMENT, st.sampled_from(WORDS))
def test_a_segment_matches_what_its_regular_expression_says(segment: str, word: str) -> None:
    """Wildcards and classes mean what people who know fnmatch expect."""
    expected = reference(segment).fullmatch(word) is not None
    assert segment_matches(parse_segment(segment), word) is expected


@settings(max_examples=300, deadline=None)
@given(SEGMENT, SEGMENT)
def test_segments_meet_just_when_a_word_matches_both(left: str, right: str) -> None:
    """The product automaton over characters agrees with trying all words."""
    a, b = reference(left), reference(right)
    shared = any(a.fullmatch(word) and b.fullmatch(word) for word in WORDS)
    one, other = (tuple(tokens_of(text, classes=True)) for text in (left, right))
    assert intersects(one, other, charsets_meet) is shared
    assert intersects(other, one, charsets_meet) is shared
    if shared:
        assert segments_meet(parse_segment(left), parse_segment(right))


@settings(max_examples=300, deadline=None)
@given(CLAIM, CLAIM)
def test_claims_overlap_just_when_a_path_is_in_both(left: str, right: str) -> None:
    """Intersection over segments agrees with trying all paths."""
    one, other = ScopeMatcher([left]), ScopeMatcher([right])
    shared = any(one.allows(path) and other.allows(path) for path in map("/".join, WORDS))
    assert overlap(left, right) is shared
    assert overlap(right, left) is shared


@pytest.mark.parametrize(
    ("segment", "matching", "other"),
    [
        ("[slug].tsx", ["s.tsx", "g.tsx", "[slug].tsx"], ["slug.tsx", "x.tsx"]),
        ("[[a]", ["[", "a", "[[a]"], ["b"]),
        ("[]]x", ["]x", "[]]x"], ["x"]),
        ("[!]]", ["a", "[!]]"], ["]"]),
        ("[z-a]", ["[z-a]"], ["z", "m"]),
        ("[a-]", ["a", "-", "[a-]"], ["b"]),
        ("[.-0]", [".", "0", "[.-0]"], ["1"]),
        ("[]", ["[]"], ["x"]),
        ("a[b", ["a[b"], ["ab"]),
        ("***", ["a", "abc"], []),
        ("?", ["\n", "\udcff", "é"], ["ab"]),
        ("*a*b", ["ab", "xaxb", "aab"], ["ba", "a", "abx"]),
        ("[^^]", ["a", "[^^]"], ["^"]),
    ],
)
def test_corners_of_the_language(segment: str, matching: list[str], other: list[str]) -> None:
    """Brackets match as classes and as they are spelt; what is no bracket is plain."""
    parsed = parse_segment(segment)
    assert [name for name in matching if not segment_matches(parsed, name)] == []
    assert [name for name in other if segment_matches(parsed, name)] == []


def test_a_class_never_holds_the_slash() -> None:
    """A class that spans the slash matches within its segment only."""
    assert not segment_matches(parse_segment("a[.-0]b"), "a/b")
    assert not Claim("a[!x]b").pattern.matches(["a", "b"])


def test_disjoint_classes_do_not_meet() -> None:
    """Character sets are compared range by range."""
    assert not segments_meet(parse_segment("x[a-c]*"), parse_segment("x[d-f]*"))
    assert segments_meet(parse_segment("x[a-d]*"), parse_segment("x[d-f]*"))
    assert not charsets_meet(((1, 2), (5, 6)), ((3, 4), (7, 9)))


def test_both_algorithms_serve_any_items() -> None:
    """Matching and intersection know nothing of characters."""
    word: list[int | Star] = [1, STAR, 3]
    assert matches(word, ["1", "2", "3"], lambda item, text: str(item) == text)
    assert not matches(word, ["1", "2"], lambda item, text: str(item) == text)
    assert intersects(word, [STAR, 2, 3], lambda a, b: a == b)
    assert not intersects(word, [STAR, 2], lambda a, b: a == b)


def test_nothing_makes_matching_slow() -> None:
    """Patterns that take a backtracking matcher for ever are done in a moment."""
    start = time.perf_counter()
    assert not segment_matches(parse_segment("*a" * 100 + "b"), "a" * 4000)
    assert not Claim("**/a/" * 60 + "b").pattern.matches(["a"] * 2000)
    assert not Claim("*a" * 200 + "b").overlaps(Claim("*a" * 200 + "c"))
    assert time.perf_counter() - start < 5
