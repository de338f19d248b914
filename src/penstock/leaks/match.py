"""Finding secrets in bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from penstock.leaks.anchors import Anchors, anchors
from penstock.leaks.assignments import Assigned, assigned
from penstock.leaks.judge import entropy, stands_in
from penstock.leaks.rule import LEVELS, Level, Rule
from penstock.leaks.rules import PASSWORD, RULES, SECRET
from penstock.leaks.values import may_be_key, one_word, plausible, worded

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
        self._names = {rule.id: rule for rule in taken if rule.named}
        self._providers = Providers(self._names.values())
        shaped = [rule for rule in taken if not rule.named]
        owners = _by_keyword(shaped)
        inner = frozenset(word for rule in shaped if rule.lead for word in rule.keywords)
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
        if rule.level == "certain" or rule.named:
            return not stands_in(value)
        return not (worded(value) or one_word(value))

    def _by_name(self, data: bytes) -> Iterator[_Span]:
        if not self._names:
            return
        lowered = data.lower()
        for found in assigned(lowered, words=self._everything):
            rule = self._rule_of(data[found.start : found.end], found, lowered)
            if rule:
                yield found.start, found.end, rule

    def _rule_of(self, value: bytes, found: Assigned, lowered: bytes) -> Rule | None:
        if may_be_key(value):
            rule = self._providers.rule_of(value, found.context(lowered))
            if rule and self._counts(rule, value):
                return rule
        likely = len(value) >= found.shortest and plausible(
            value, password=found.password, quoted=found.quoted
        )
        if likely or self._everything:
            return self._names.get((PASSWORD if found.password else SECRET).id)
        return None


class Providers:
    """Tells by the names before a value, and by its shape, whose key it is."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._shapes = _by_keyword(rules)
        words = sorted(self._shapes, key=len, reverse=True)
        self._words = re.compile(b"|".join(map(re.escape, words)) or b"(?!)")

    def rule_of(self, value: bytes, context: bytes) -> Rule | None:
        """Return the rule of the provider that is named last before the value, if it is one's."""
        for word in reversed(self._words.findall(context)):
            for rule in self._shapes[word]:
                if _compiled(rule.pattern).fullmatch(value):
                    return rule
        return None


def _by_keyword(rules: Iterable[Rule]) -> dict[bytes, list[Rule]]:
    owners: dict[bytes, list[Rule]] = {}
    for rule in rules:
        for keyword in rule.keywords:
            owners.setdefault(keyword, []).append(rule)
    return owners


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
