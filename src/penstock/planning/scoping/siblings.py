"""Files that a spec's section, a design or the other items of a unit name."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from itertools import islice
from typing import Final

import msgspec

from penstock.planning.scoping import confidence as sure
from penstock.planning.scoping.api import Guess, Rung
from penstock.planning.scoping.evidence import Evidence
from penstock.planning.scoping.mentions import MAX_LINE
from penstock.planning.scoping.named import Namer, lines_of
from penstock.planning.scoping.names import words
from penstock.planning.sources.api import Dialect, Item, Passage, Unit, Use

ANALYSIS: Final = "analysis"
"""The role of a passage that is about one task alone."""
GROUPED: Final = frozenset({Dialect.OPENSPEC, Dialect.SPEC_KIT})
"""Where the items of a group or story belong to one piece of work, so that they share its files."""
LARGE_GROUP: Final = 12
MOST_SHARED: Final = 60
"""So many files of a unit are told to an item that knows of none."""
MOST_RELATED: Final = 40
"""So many lines of a design that share words with an item are told."""
MOST_OTHERS: Final = 12
"""So many lines of a design that are about something else are told as doubtful."""
_SHORT_PASSAGES: Final = 3
_HEADING: Final = re.compile(r"\s*#{1,6}\s+(.*)")
_WORDS: Final = re.compile(r"[a-z][a-z0-9]{3,}|[\u3040-\u9fff\uac00-\ud7af]{2,}")
_EVERYWHERE: Final = words(
    "with that this from into when then each have will should must does code file files test tests "
    "implement create update change changes support using make write task tasks"
)


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text that tell what it is about; of scripts without spaces, pairs of
    characters."""
    found: set[str] = set()
    for word in _WORDS.findall(text[:MAX_LINE].lower()):
        if word.isascii():
            found.add(word.removesuffix("s"))
        else:
            found.update(word[at : at + 2] for at in range(len(word) - 1))
    return frozenset(found - _EVERYWHERE)


@dataclass(slots=True)
class _Line:
    """What one line of a passage names, with the words around it."""

    guesses: list[Guess]
    words: frozenset[str]


@dataclass(slots=True)
class Section:
    """A passage as read."""

    role: str
    lines: list[_Line] = field(default_factory=list)
    odd: Evidence = field(default_factory=Evidence)

    def guesses(self) -> list[Guess]:
        """Return all that it names."""
        return [guess for line in self.lines for guess in line.guesses]


def read_section(passage: Passage, namer: Namer, *, numbered: bool) -> Section:
    """Read a passage once for all items that it concerns."""
    section = Section(passage.role)
    heading = ""
    for line, place, fenced in lines_of(passage.text, passage.place, numbered=numbered):
        if not fenced and (found := _HEADING.match(line)):
            heading = found[1]
        named = Evidence()
        namer.read_line(line, place, named, fenced=fenced)
        section.odd.take_odd(named)
        if named.guesses:
            section.lines.append(_Line(named.guesses, words_of(f"{heading} {line}")))
    return section


def of_analyses(sections: Iterable[Section]) -> list[Guess]:
    """Return what the analyses of a task name."""
    return [
        msgspec.structs.replace(
            guess,
            confidence=min(guess.confidence, sure.ANALYSIS),
            evidence=f"{guess.evidence}, in the analysis",
        )
        for section in sections
        if section.role == ANALYSIS
        for guess in section.guesses()
    ]


def odd_of_analyses(sections: Iterable[Section]) -> list[Evidence]:
    """Return what came to nothing of that which analyses name; what else is written about a plan
    names much that is no task's."""
    return [section.odd for section in sections if section.role == ANALYSIS]


def of_unit(sections: Iterable[Section]) -> list[Guess]:
    """Return what the other passages about a unit name."""
    return [
        _from_passage(guess, section.role, sure.PASSAGE_OF_UNIT)
        for section in sections
        if section.role != ANALYSIS
        for guess in section.guesses()
    ]


class Sections:
    """The passages about a whole plan, for those items that say nothing themselves."""

    def __init__(self, sections: Sequence[Section]) -> None:
        self._lines = [(section.role, line) for section in sections for line in section.lines]
        named = (g.path for _, line in self._lines for g in line.guesses if g.use is not Use.READ)
        self._is_short = len(set(islice(named, LARGE_GROUP * 10))) <= _SHORT_PASSAGES
        self._by_word: defaultdict[str, list[int]] = defaultdict(list)
        for number, (_, line) in enumerate(self._lines):
            for word in line.words:
                self._by_word[word].append(number)

    def guesses(self, item: Item, unit: Unit) -> list[Guess]:
        """Return what they name: surer in lines that share words with the item (with its unit's
        title, one more), or where they name little altogether. Of other lines the first few are
        told."""
        shared = Counter(n for w in words_of(item.text) for n in self._by_word.get(w, ()))
        title = {n for word in words_of(unit.title) for n in self._by_word.get(word, ())}
        shared.update(title & shared.keys())
        least = sure.PASSAGE_SHORT if self._is_short else sure.PASSAGE_OTHER
        related = nsmallest(MOST_RELATED, shared.items(), key=lambda each: (-each[1], each[0]))
        told = {**dict.fromkeys(range(min(len(self._lines), MOST_OTHERS)), 0), **dict(related)}
        return [
            _from_passage(guess, self._lines[number][0], max(_related(told[number]), least))
            for number in sorted(told)
            for guess in self._lines[number][1].guesses
        ]


def _related(shared: int) -> float:
    """Return how sure a line is that shares so many words with an item."""
    if shared > 1:
        return sure.PASSAGE_RELATED
    return sure.PASSAGE_TOUCHING if shared else 0.0


def _from_passage(guess: Guess, role: str, most: float) -> Guess:
    return msgspec.structs.replace(
        guess,
        rung=Rung.SIBLING,
        confidence=min(guess.confidence, most),
        evidence=f"{guess.evidence}, in the {role}",
    )


def beside_a_miss(guess: Guess) -> Guess:
    """Return a guess for an item that names a path which is not there: it can hardly be thought that
    it is about others that it does not name."""
    confidence = min(guess.confidence, sure.BESIDE_A_MISS)
    return msgspec.structs.replace(guess, confidence=confidence)


class Shared:
    """The files of a unit's items, for those of them that know of none."""

    def __init__(self, unit: Unit, known: Mapping[str, Sequence[Guess]], dialect: Dialect) -> None:
        self._unit = unit
        self._named: dict[str, tuple[Item, Guess]] = {}
        for other in unit.items:
            for guess in known.get(other.key, ()):
                if guess.use is not Use.READ:
                    self._named.setdefault(guess.path, (other, guess))
        self._confidence = sure.SIBLING_ELSEWHERE
        if dialect in GROUPED:
            large = len(self._named) > LARGE_GROUP
            self._confidence = sure.SIBLING_OF_LARGE_GROUP if large else sure.SIBLING_OF_GROUP

    def guesses(self) -> list[Guess]:
        """Return them as guesses for an item."""
        return [
            msgspec.structs.replace(
                guess,
                rung=Rung.SIBLING,
                confidence=min(guess.confidence, self._confidence),
                evidence=f"{other.label or other.place} of {self._unit.key} is about it",
            )
            for other, guess in islice(self._named.values(), MOST_SHARED)
        ]
