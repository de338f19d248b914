"""Finding secrets in bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from penstock.leaks.anchors import Anchors, anchors
from penstock.leaks.assignments import assigned, plausible, worded
from penstock.leaks.judge import entropy, stands_in
from penstock.leaks.rule import LEVELS, Level, Rule
from penstock.leaks.rules import NAMED, RULES

_Span = tuple[int, int, Rule]


@dataclass(frozen=True, slots=True)
class Leak:
    """A secret that was found.

    `start` and `end` are byte offsets of the value; `line` and `column` count from 1, the column
    in bytes. Show the value only through `penstock.leaks.marks.mask`.
    """

    rule_id: str
    start: int
    end: int
    line: int
    column: int
    value: bytes
    title: str


class LeakFinder:
    """Finds secrets by rules. It has no state and may be shared by threads."""

    def __init__(self, rules: Sequence[Rule] = RULES, level: Level = "default") -> None:
        """Take the rules, and how much is to be reported (see `Level`)."""
        rank = LEVELS.index(level)
        taken = [rule for rule in rules if LEVELS.index(rule.level) <= rank]
        self._everything = level == "all"
        self._named = {rule.id: rule for rule in taken if rule in NAMED}
        owners: dict[bytes, list[Rule]] = {}
        for rule in taken:
            for keyword in () if rule in NAMED else rule.keywords:
                owners.setdefault(keyword, []).append(rule)
        inner = frozenset(word for word, who in owners.items() if any(r.lead for r in who))
        self._owners = list(owners.values())
        self._anchors: Anchors = anchors(tuple(owners), inner)

    def find(self, data: bytes) -> list[Leak]:
        """Return what looks like a secret, in order of place, without overlaps.

        Where two rules know the same bytes the one with a shape counts, then the one that begins
        first and is longest. Lines that allow theirs are not left out: see
        `penstock.leaks.marks.allowed_lines`.
        """
        taken: list[_Span] = []
        for spans in (self._by_shape(data), self._by_name(data)):
            taken = _woven(taken, sorted(set(spans), key=lambda s: (s[0], -s[1], s[2].id)))
        return list(_leaks(data, taken))

    def _by_shape(self, data: bytes) -> Iterator[_Span]:
        for keyword, at in self._anchors.find(data):
            for rule in self._owners[keyword]:
                match = _match_at(rule, data, at)
                if match and self._counts(rule, match[rule.group]):
                    yield (*match.span(rule.group), rule)

    def _counts(self, rule: Rule, value: bytes) -> bool:
        if self._everything:
            return True
        if entropy(value) < rule.entropy:
            return False
        return not (stands_in(value) if rule.level == "certain" else worded(value))

    def _by_name(self, data: bytes) -> Iterator[_Span]:
        if not self._named:
            return
        for found in assigned(data.lower()):
            rule = self._named.get("assigned-password" if found.password else "assigned-secret")
            value = data[found.start : found.end]
            if rule and (self._everything or plausible(value, found)):
                yield found.start, found.end, rule


@cache  # most are never needed, and all of them take a while
def _compiled(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern)


def _match_at(rule: Rule, data: bytes, at: int) -> re.Match[bytes] | None:
    pattern = _compiled(rule.pattern)
    for start in range(max(0, at - rule.lead), at + 1):
        match = pattern.match(data, start)
        if match is not None:
            return match
    return None


def _woven(taken: Sequence[_Span], spans: Iterable[_Span]) -> list[_Span]:
    """Add those of the spans, which are in order, that overlap none taken before."""
    kept: list[_Span] = []
    others = iter(taken)
    other = next(others, None)
    for span in spans:
        while other and other[1] <= span[0]:
            other = next(others, None)
        free = other is None or span[1] <= other[0]
        if free and not (kept and span[0] < kept[-1][1]):
            kept.append(span)
    return sorted([*taken, *kept], key=lambda s: s[0])


def _leaks(data: bytes, spans: Iterable[_Span]) -> Iterator[Leak]:
    line, counted = 1, 0
    for start, end, rule in spans:
        line += data.count(b"\n", counted, start)
        counted = start
        column = start - data.rfind(b"\n", 0, start)
        yield Leak(rule.id, start, end, line, column, data[start:end], rule.title)
