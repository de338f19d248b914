"""Versions and ranges as npm means them.

The grammar and its meaning are those of node-semver (github.com/npm/node-semver, "Ranges" of its
README and range.bnf): hyphen ranges, x-ranges, tilde, caret, comparators, `||`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

MAX_LENGTH = 256
"""A longer text (characters) is neither a version nor a range, as in node-semver."""

_NUMBER = r"0|[1-9]\d{0,15}"
_PART = rf"(?:{_NUMBER}|[xX*])"
_WORD = r"(?:0|[1-9]\d{0,15}|\d*[A-Za-z-][A-Za-z0-9-]*)"
_PRE = rf"(?:-({_WORD}(?:\.{_WORD})*))?"
_BUILD = r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
_VERSION = re.compile(rf"v?({_NUMBER})\.({_NUMBER})\.({_NUMBER}){_PRE}{_BUILD}")
_PARTIAL = rf"v?({_PART})(?:\.({_PART})(?:\.({_PART}){_PRE}{_BUILD})?)?"
_HYPHEN = re.compile(rf"\s*{_PARTIAL}\s+-\s+{_PARTIAL}\s*")
_SIMPLE = re.compile(rf"\s*(\^|~>?|[<>]=?|=|)\s*{_PARTIAL}(?=\s|$)")

Word = tuple[int, int, str]


class Semver(NamedTuple):
    """A version in the order of its precedence; `pre` is empty for a release.

    A release sorts after its prereleases: `rank` is 1 for it and 0 for those. Build metadata does
    not count.
    """

    major: int
    minor: int
    patch: int
    rank: int = 1
    pre: tuple[Word, ...] = ()

    @property
    def triple(self) -> tuple[int, int, int]:
        """The three numbers."""
        return self[:3]


class Comparator(NamedTuple):
    """One condition on a version; `operator` is one of `<`, `<=`, `>`, `>=`, `=`."""

    operator: str
    version: Semver

    def holds(self, version: Semver) -> bool:
        """Tell whether a version meets it."""
        if self.operator == "=":
            return version == self.version
        if version == self.version:
            return self.operator in ("<=", ">=")
        return (version < self.version) == (self.operator[0] == "<")


NOTHING = Comparator("<", Semver(0, 0, 0, 0, ((0, 0, ""),)))
"""What no version meets."""


class Partial(NamedTuple):
    """A version of which the last parts may be left open (None)."""

    major: int | None
    minor: int | None
    patch: int | None
    pre: tuple[Word, ...] = ()

    @property
    def low(self) -> Semver:
        """The lowest version that it can mean."""
        return Semver(
            self.major or 0, self.minor or 0, self.patch or 0, 0 if self.pre else 1, self.pre
        )

    @property
    def beyond(self) -> Semver:
        """The first version after all that it leaves open."""
        if self.minor is None:
            return _floor((self.major or 0) + 1, 0)
        return _floor(self.major or 0, self.minor + 1)


class Range(NamedTuple):
    """Alternatives, each a set of conditions that must all hold; one without any means every release."""

    alternatives: tuple[tuple[Comparator, ...], ...]

    def holds(self, version: Semver) -> bool:
        """Tell whether a version is in the range.

        A prerelease is in it only where a condition names a prerelease of the same three numbers.
        """
        return any(_meets(version, conditions) for conditions in self.alternatives)


def parse_version(text: str) -> Semver | None:
    """Return the version that a text is, None when it is none."""
    match = _VERSION.fullmatch(text.strip()) if len(text) <= MAX_LENGTH else None
    if match is None:
        return None
    major, minor, patch, pre = match.groups()
    words = _words(pre)
    return Semver(int(major), int(minor), int(patch), 0 if words else 1, words)


def parse_range(text: str) -> Range | None:
    """Return the range that a text is, None when it is none."""
    if len(text) > MAX_LENGTH:
        return None
    found = [_alternative(part) for part in text.split("||")]
    kept = [conditions for conditions in found if conditions is not None]
    return Range(tuple(kept)) if len(kept) == len(found) else None


# -- parsing -------------------------------------------------------------------------------------
def _alternative(text: str) -> tuple[Comparator, ...] | None:
    hyphen = _HYPHEN.fullmatch(text)
    if hyphen is not None:
        groups = hyphen.groups()
        return (*_from(_partial(groups[:4])), *_to(_partial(groups[4:])))
    made: list[Comparator] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _SIMPLE.match(text, position)
        if match is None:
            return None
        made += _conditions(match[1], _partial(match.groups()[1:]))
        position = match.end()
    return tuple(made)


def _partial(groups: tuple[str | None, ...]) -> Partial:
    """Return a partial version; what follows an open part is open too."""
    numbers: list[int | None] = []
    for text in groups[:3]:
        is_open = text is None or text in "xX*" or (numbers and numbers[-1] is None)
        numbers.append(None if is_open else int(text or 0))
    major, minor, patch = numbers
    return Partial(major, minor, patch, _words(groups[3]) if patch is not None else ())


def _words(text: str | None) -> tuple[Word, ...]:
    """Return the words of a prerelease in a form that sorts: numbers before texts."""
    if not text:
        return ()
    return tuple((0, int(word), "") if word.isdigit() else (1, 0, word) for word in text.split("."))


# -- meaning -------------------------------------------------------------------------------------
def _conditions(operator: str, partial: Partial) -> Iterator[Comparator]:
    if operator == "^":
        yield from _caret(partial)
    elif operator in ("~", "~>"):
        yield from _between(partial, partial.beyond)
    elif operator in ("", "="):
        yield from _equal(partial)
    else:
        yield from _ordered(operator, partial)


def _between(partial: Partial, end: Semver) -> Iterator[Comparator]:
    if partial.major is not None:
        yield Comparator(">=", partial.low)
        yield Comparator("<", end)


def _caret(partial: Partial) -> Iterator[Comparator]:
    """Allow what leaves the first number that is not 0 as it is."""
    major, minor, patch, _ = partial
    end = partial.beyond
    if minor is not None and major:
        end = _floor(major + 1, 0)
    elif minor == 0 and patch is not None:
        end = _floor(0, 0, patch + 1)
    yield from _between(partial, end)


def _equal(partial: Partial) -> Iterator[Comparator]:
    if partial.patch is not None:
        yield Comparator("=", partial.low)
    else:
        yield from _between(partial, partial.beyond)


def _ordered(operator: str, partial: Partial) -> Iterator[Comparator]:
    """Meet `<`, `<=`, `>` and `>=`; an open part means all that it could be."""
    if partial.major is None:
        if operator in ("<", ">"):
            yield NOTHING
    elif partial.patch is not None or operator == ">=":
        yield Comparator(operator, partial.low)
    elif operator == ">":
        yield Comparator(">=", Semver(*partial.beyond.triple))
    elif operator == "<=":
        yield Comparator("<", partial.beyond)
    else:
        yield Comparator("<", _floor(*partial.low.triple))


def _from(partial: Partial) -> Iterator[Comparator]:
    if partial.major is not None:
        yield Comparator(">=", partial.low)


def _to(partial: Partial) -> Iterator[Comparator]:
    if partial.major is None:
        return
    if partial.patch is None:
        yield Comparator("<", partial.beyond)
    else:
        yield Comparator("<=", partial.low)


def _floor(major: int, minor: int, patch: int = 0) -> Semver:
    """Return the very first prerelease, `X.Y.Z-0`: an upper bound that lets none in."""
    return Semver(major, minor, patch, 0, ((0, 0, ""),))


def _meets(version: Semver, conditions: tuple[Comparator, ...]) -> bool:
    if not all(condition.holds(version) for condition in conditions):
        return False
    if version.rank:
        return True
    return any(
        not condition.version.rank and condition.version.triple == version.triple
        for condition in conditions
        if condition is not NOTHING
    )
