"""Finding secrets in bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from penstock.leaks.assignments import NAMED, plausible, worded
from penstock.leaks.judge import entropy, stands_in
from penstock.leaks.rule import LEVELS, Level, Rule
from penstock.leaks.rules import RULES

_NAMED_IDS = frozenset(rule.id for rule in NAMED)


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
        self._level: Level = level
        rank = LEVELS.index(level)
        self._rules = [
            (rule, re.compile(rule.pattern)) for rule in rules if LEVELS.index(rule.level) <= rank
        ]

    def find(self, data: bytes) -> list[Leak]:
        """Return what looks like a secret, in order of place, without overlaps.

        Lines that allow theirs are not left out: see `penstock.leaks.marks.allowed_lines`.
        """
        lowered = data.lower()
        spans = sorted(
            (start, -end, number)
            for number, (rule, pattern) in enumerate(self._rules)
            for start, end in self._spans(rule, pattern, data, lowered)
        )
        return list(self._leaks(data, spans))

    def _spans(
        self, rule: Rule, pattern: re.Pattern[bytes], data: bytes, lowered: bytes
    ) -> Iterator[tuple[int, int]]:
        named = rule.id in _NAMED_IDS
        where = lowered if named else data
        for keyword in rule.keywords:
            at = where.find(keyword)
            while at >= 0:
                match = _match_at(pattern, data, at, rule.lead)
                if match and self._counts(rule, match, named):
                    yield match.span(_group(rule, match))
                at = where.find(keyword, at + 1)

    def _counts(self, rule: Rule, match: re.Match[bytes], named: bool) -> bool:
        value = match[_group(rule, match)]
        if self._level == "all":
            return True
        if named:
            return plausible(value, quoted=match["quoted"] is not None)
        if rule.level != "certain" and worded(value):
            return False
        return entropy(value) >= rule.entropy and not stands_in(value)

    def _leaks(self, data: bytes, spans: Sequence[tuple[int, int, int]]) -> Iterator[Leak]:
        covered = line_start = counted = 0
        line = 1
        for start, minus_end, number in spans:
            if start < covered:
                continue
            rule = self._rules[number][0]
            line += data.count(b"\n", counted, start)
            counted = start
            line_start = data.rfind(b"\n", 0, start) + 1
            covered = -minus_end
            yield Leak(
                rule.id,
                start,
                covered,
                line,
                start - line_start + 1,
                data[start:covered],
                rule.title,
            )


def _match_at(
    pattern: re.Pattern[bytes], data: bytes, at: int, lead: int
) -> re.Match[bytes] | None:
    if not lead:
        return pattern.match(data, at)
    match = pattern.search(data, max(0, at - lead), at + 8192)
    return match if match and match.start() <= at else None


def _group(rule: Rule, match: re.Match[bytes]) -> int | str:
    if "quoted" in match.re.groupindex:
        return "quoted" if match["quoted"] is not None else "bare"
    return rule.group
