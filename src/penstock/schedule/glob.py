"""The glob language of scopes as sequences of items, and the two questions asked of it.

A pattern is a sequence of items, one per path segment, where `**` stands for any number of
segments. A segment is itself a sequence of tokens, one per character, where `*` stands for any
number of characters. Both levels are the same language (fixed items and one "any number of
anything" item), so one matching and one intersection algorithm serve both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final, TypeVar

import msgspec

Item = TypeVar("Item")
Interval = tuple[int, int]
# Sorted, disjoint, inclusive ranges of code points.
CharSet = tuple[Interval, ...]

LAST_CODE_POINT: Final = 0x10FFFF
ANY_CHAR: Final[CharSet] = ((0, ord("/") - 1), (ord("/") + 1, LAST_CODE_POINT))
# A bracket expression within one segment; `[]` and `[` without an end are plain characters.
BRACKETS: Final = r"\[(?P<not>[!^]?)(?P<body>\][^\]/]*|[^\]/]+)\]"
WILDCARD: Final = re.compile(rf"[*?]|{BRACKETS}", re.DOTALL)
_CLASS: Final = re.compile(BRACKETS, re.DOTALL)


class Star:
    """Any number of items: `*` among characters, `**` among segments."""


STAR: Final = Star()


class Segment(msgspec.Struct, frozen=True, eq=False):
    """What one path segment may be.

    `literal` is its only spelling, or None for a wildcard; `readings` are its token sequences
    (two when it holds a bracket expression: as a class, and as the plain text it is in file names
    such as `[slug].tsx`); `regex` matches the same texts in linear time.
    """

    literal: str | None
    readings: tuple[tuple[CharSet | Star, ...], ...]
    regex: re.Pattern[str]


ANY_SEGMENT: Final = Segment(None, ((STAR,),), re.compile(r"[^/]+", re.DOTALL))


class Pattern(msgspec.Struct, frozen=True, eq=False):
    """A claim as items: segments and `**` (STAR)."""

    items: tuple[Segment | Star, ...]

    def matches(self, segments: Sequence[str]) -> bool:
        """Tell whether the pattern matches the path made of these segments."""
        return matches(self.items, segments, segment_matches)

    def meets(self, other: Pattern) -> bool:
        """Tell whether some path matches both patterns."""
        return intersects(self.items, other.items, segments_meet)


def matches(
    items: Sequence[Item | Star], word: Sequence[str], fits: Callable[[Item, str], bool]
) -> bool:
    """Tell whether a word is in the language of `items`, in at most len(items) * len(word) steps.

    Each item takes exactly one element, so going back to the latest star alone is enough
    (the greedy wildcard match; any earlier star could only have taken less).
    """
    at = here = 0
    star, resume = -1, 0
    while here < len(word):
        item = items[at] if at < len(items) else None
        if isinstance(item, Star):
            star, resume, at = at, here, at + 1
        elif item is not None and fits(item, word[here]):
            at, here = at + 1, here + 1
        elif star >= 0:
            resume += 1
            at, here = star + 1, resume
        else:
            return False
    return all(isinstance(item, Star) for item in items[at:])


def intersects(
    left: Sequence[Item | Star], right: Sequence[Item | Star], meets: Callable[[Item, Item], bool]
) -> bool:
    """Tell whether two languages share a word: a walk through the product automaton.

    A state is a pair of positions; a star may be left behind, or stay while the other side takes
    one element. There are len(left) * len(right) states at most.
    """
    goal = (len(left), len(right))
    seen = {(0, 0)}
    stack = [(0, 0)]
    while stack:
        state = stack.pop()
        if state == goal:
            return True
        for following in _product_steps(left, right, state, meets):
            if following not in seen:
                seen.add(following)
                stack.append(following)
    return False


def _product_steps(
    left: Sequence[Item | Star],
    right: Sequence[Item | Star],
    state: tuple[int, int],
    meets: Callable[[Item, Item], bool],
) -> Iterable[tuple[int, int]]:
    """Yield the states that follow one state of the product automaton."""
    i, j = state
    a = left[i] if i < len(left) else None
    b = right[j] if j < len(right) else None
    if isinstance(a, Star):
        yield i + 1, j
        if b is not None:
            yield i, j + 1
    elif isinstance(b, Star):
        yield i, j + 1
        if a is not None:
            yield i + 1, j
    elif a is not None and b is not None and meets(a, b):
        yield i + 1, j + 1


def segment_matches(segment: Segment, text: str) -> bool:
    """Tell whether a segment matches the text between two slashes."""
    if segment.literal is not None:
        return segment.literal == text
    return segment.regex.fullmatch(text) is not None


def segments_meet(left: Segment, right: Segment) -> bool:
    """Tell whether some text matches both segments."""
    if left.literal is not None:
        return segment_matches(right, left.literal)
    if right.literal is not None:
        return segment_matches(left, right.literal)
    return any(intersects(a, b, charsets_meet) for a in left.readings for b in right.readings)


def charsets_meet(left: CharSet, right: CharSet) -> bool:
    """Tell whether two sets of characters share one."""
    return any(low <= b and a <= high for low, high in left for a, b in right)


@lru_cache(maxsize=16384)
def parse_segment(text: str) -> Segment:
    """Parse the text between two slashes (`**` is the caller's)."""
    if WILDCARD.search(text) is None:
        return Segment(text, (), ANY_SEGMENT.regex)
    if not text.strip("*"):
        return ANY_SEGMENT
    as_class = tuple(tokens_of(text, classes=True))
    as_text = tuple(tokens_of(text, classes=False))
    readings = (as_class,) if as_class == as_text else (as_class, as_text)
    source = "|".join(_regex(reading) for reading in readings)
    return Segment(None, readings, re.compile(source, re.DOTALL))


def tokens_of(text: str, *, classes: bool) -> Iterable[CharSet | Star]:
    """Yield the tokens of a segment; without `classes`, brackets are plain characters."""
    at = 0
    previous: CharSet | Star | None = None
    while at < len(text):
        found = _CLASS.match(text, at) if classes and text[at] == "[" else None
        token, at = (
            (_charset(found), found.end()) if found is not None else (_token(text[at]), at + 1)
        )
        if not (token is STAR and previous is STAR):
            yield token
        previous = token


def _token(char: str) -> CharSet | Star:
    """The token of one character outside brackets."""
    if char == "*":
        return STAR
    return ANY_CHAR if char == "?" else ((ord(char), ord(char)),)


def _charset(found: re.Match[str]) -> CharSet:
    """The set that a bracket expression names; `/` is never in it."""
    body, at = found["body"], 0
    ranges: list[Interval] = []
    while at < len(body):
        if at + 2 < len(body) and body[at + 1] == "-":
            if body[at] <= body[at + 2]:
                ranges.append((ord(body[at]), ord(body[at + 2])))
            at += 3
        else:
            ranges.append((ord(body[at]), ord(body[at])))
            at += 1
    others = _complement(ranges)
    chosen = others if found["not"] else _complement(others)
    return _complement([*_complement(chosen), (ord("/"), ord("/"))])


def _complement(ranges: Iterable[Interval]) -> CharSet:
    """All code points that are in none of the ranges."""
    gaps: list[Interval] = []
    following = 0
    for low, high in sorted(ranges):
        if low > following:
            gaps.append((following, low - 1))
        following = max(following, high + 1)
    if following <= LAST_CODE_POINT:
        gaps.append((following, LAST_CODE_POINT))
    return tuple(gaps)


def _regex(tokens: Sequence[CharSet | Star]) -> str:
    """The regular expression of one reading; each star but the last tries its shortest length once.

    What stands between two stars has a fixed length, so taking its leftmost place is never wrong,
    and an atomic group `(?>...)` may forget the others: no input makes the match slow.
    """
    pieces = [""]
    for token in tokens:
        if isinstance(token, Star):
            pieces.append("")
        else:
            pieces[-1] += _class_source(token)
    head, *rest = pieces
    if not rest:
        return head
    middle = "".join(f"(?>.*?{piece})" for piece in rest[:-1])
    return f"{head}{middle}.*{rest[-1]}"


def _class_source(token: CharSet) -> str:
    """The regular expression of one character of the set; the empty set matches nothing."""
    if not token:
        return "(?!)"
    parts = (
        re.escape(chr(low)) if low == high else f"{re.escape(chr(low))}-{re.escape(chr(high))}"
        for low, high in token
    )
    return f"[{''.join(parts)}]"
