"""Looking for many byte strings at once: with the Aho-Corasick automaton where its library is
installed, else with what Python has. Both find the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Protocol

Span = tuple[int, int]


class Finder(Protocol):
    """A set of byte strings, none of them empty."""

    def holds(self, data: bytes) -> bool:
        """Tell whether one of them stands in the data."""
        ...

    def spans(self, data: bytes) -> list[Span]:
        """Return where they stand, leftmost first and longest first, without overlaps."""
        ...

    def hits(self, data: bytes) -> list[tuple[int, int]]:
        """Return which of them stands where (its index, its beginning), overlaps included."""
        ...


def make_finder(words: Sequence[bytes]) -> Finder:
    """Return the fastest finder of these words that there is here."""
    try:
        import ahocorasick_rs  # noqa: F401 - an extra; what is there decides
    except ImportError:
        return PlainFinder(words)
    return AutomatonFinder(words) if words else PlainFinder(words)


class AutomatonFinder:
    """Looks for all words in one pass over the data."""

    def __init__(self, words: Sequence[bytes]) -> None:
        from ahocorasick_rs import BytesAhoCorasick, MatchKind

        self._longest = BytesAhoCorasick(words, matchkind=MatchKind.LeftmostLongest)
        self._all = BytesAhoCorasick(words)

    def holds(self, data: bytes) -> bool:
        """Tell whether one of them stands in the data."""
        return bool(self._longest.find_matches_as_indexes(data))

    def spans(self, data: bytes) -> list[Span]:
        """Return where they stand, leftmost first and longest first, without overlaps."""
        return [(start, end) for _, start, end in self._longest.find_matches_as_indexes(data)]

    def hits(self, data: bytes) -> list[tuple[int, int]]:
        """Return which of them stands where (its index, its beginning), overlaps included."""
        found = self._all.find_matches_as_indexes(data, overlapping=True)
        return [(index, start) for index, start, _ in found]


class PlainFinder:
    """Looks for the words one after the other, and then for all in one regular expression."""

    def __init__(self, words: Sequence[bytes]) -> None:
        by_length = sorted(words, key=lambda word: (-len(word), word))
        self._words = list(enumerate(words))
        self._pattern = re.compile(b"|".join(map(re.escape, by_length)) or b"(?!)")
        # a word that holds another one need not be looked for to know that there is something
        self._hints = _shortest(by_length)

    def holds(self, data: bytes) -> bool:
        """Tell whether one of them stands in the data."""
        return any(hint in data for hint in self._hints)

    def spans(self, data: bytes) -> list[Span]:
        """Return where they stand, leftmost first and longest first, without overlaps."""
        if not self.holds(data):
            return []
        return [match.span() for match in self._pattern.finditer(data)]

    def hits(self, data: bytes) -> list[tuple[int, int]]:
        """Return which of them stands where (its index, its beginning), overlaps included."""
        return [(index, at) for index, word in self._words for at in _places(word, data)]


def _shortest(words: Sequence[bytes]) -> list[bytes]:
    """Return the words that hold none of the others, given with the longest first."""
    kept: list[bytes] = []
    for word in reversed(words):
        if not any(other in word for other in kept):
            kept.append(word)
    return kept


def _places(word: bytes, data: bytes) -> Iterator[int]:
    at = data.find(word)
    while at >= 0:
        yield at
        at = data.find(word, at + 1)
