"""Where the keywords of the rules stand in a text, by an automaton where there is one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Protocol

try:
    from ahocorasick_rs import BytesAhoCorasick, Implementation

    AUTOMATON = True
except ImportError:  # an extra that makes it faster and changes nothing
    AUTOMATON = False

SHORTEST_WORD = 16
"""What has a shape is at least so many bytes of `IN_WORDS` with no others between."""
IN_WORDS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+/.:~$@%="
_TO_WORDS = bytes(byte if byte in IN_WORDS else 32 for byte in range(256))


_Numbered = tuple[int, bytes, re.Pattern[bytes]]


class Anchors(Protocol):
    """Finds the places of a set of keywords, each known by its number."""

    def find(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Yield the numbers of keywords and where these begin, in any order.

        No place is left out at which a rule may match.
        """
        ...


def anchors(keywords: Sequence[bytes], inner: frozenset[bytes]) -> Anchors:
    """Return the fastest finder there is; of the `inner` keywords a match may begin before."""
    return AutomatonAnchors(keywords) if AUTOMATON else PlainAnchors(keywords, inner)


class AutomatonAnchors:
    """By an Aho-Corasick automaton: one pass, whatever the number of keywords."""

    def __init__(self, keywords: Sequence[bytes]) -> None:
        self._automaton = BytesAhoCorasick(list(keywords), implementation=Implementation.DFA)

    def find(self, data: bytes) -> Iterator[tuple[int, int]]:
        """See `Anchors`."""
        for number, start, _ in self._automaton.find_matches_as_indexes(data, overlapping=True):
            yield number, start


class PlainAnchors:
    """By the standard library alone, which has no fast search for many words at once.

    So it takes the long words out of the text, a tenth of most, each once, asks one regular
    expression which keywords begin something in them, and looks for those in the text.
    """

    def __init__(self, keywords: Sequence[bytes], inner: frozenset[bytes]) -> None:
        numbered = [
            (number, keyword, re.compile(re.escape(keyword)))
            for number, keyword in enumerate(keywords)
        ]
        self._anywhere = [k for k in numbered if not _in_words(k[1]) or k[1] == b"://"]
        self._inside = [k for k in numbered if k[1] in inner and k not in self._anywhere]
        leading = [k for k in numbered if k not in self._anywhere and k not in self._inside]
        self._leading = _beginnings({keyword for _, keyword, _ in leading})
        self._by_head = _by_head(leading)

    def find(self, data: bytes) -> Iterator[tuple[int, int]]:
        """See `Anchors`."""
        words = {w for w in data.translate(_TO_WORDS).split() if len(w) >= SHORTEST_WORD}
        long_words = b"\n".join((b"", *words))
        heads = set(self._leading.findall(long_words))
        present = [k for k in self._inside if k[1] in long_words]
        present += [k for head in heads for k in self._by_head[head]]
        for number, _, pattern in (*self._anywhere, *present):
            for match in pattern.finditer(data):
                yield number, match.start()


def _in_words(keyword: bytes) -> bool:
    return not keyword.strip(IN_WORDS)


def _beginnings(keywords: set[bytes]) -> re.Pattern[bytes]:
    # as `BEFORE` has it: no word goes on, but for what is left of an escape sequence
    return re.compile(
        b"[^A-Za-z0-9](?:(?<=\n)(?:[nrtbf]|u00[0-9a-fA-F]{2}|[0-9]{1,2}m)|(?<=%)[0-9A-Fa-f]{2})?("
        + (_tree(keywords) if keywords else b"(?!)")
        + b")"
    )


def _by_head(entries: Sequence[_Numbered]) -> dict[bytes, list[_Numbered]]:
    """Return the keywords by the shortest keyword that they begin with."""
    shortest = sorted((keyword for _, keyword, _ in entries), key=len)
    heads: dict[bytes, list[_Numbered]] = {}
    for entry in entries:
        head = next(keyword for keyword in shortest if entry[1].startswith(keyword))
        heads.setdefault(head, []).append(entry)
    return heads


def _tree(words: set[bytes]) -> bytes:
    """Return a pattern of all the words that tries each first letter once, and so on."""
    if b"" in words:  # what goes on from here begins with this one
        return b""
    heads: dict[bytes, set[bytes]] = {}
    for word in words:
        heads.setdefault(word[:1], set()).add(word[1:])
    branches = [re.escape(head) + _tree(rest) for head, rest in sorted(heads.items())]
    return b"(?:" + b"|".join(branches) + b")"
