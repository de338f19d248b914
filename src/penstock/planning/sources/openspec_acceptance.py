"""What the deltas of a change demand, put to the groups of tasks that they belong to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from penstock.planning.sources.api import Passage, Place, Unit
from penstock.planning.sources.openspec_deltas import Deltas, Requirement
from penstock.planning.sources.text import SourceFile

_WORD: Final = re.compile(r"[a-z0-9]+")
_BULLET: Final = re.compile(r"^[ \t]*(?:[-*+]|[0-9]{1,9}[.)])[ \t]+")
_BOLD: Final = re.compile(r"\*\*|__")
_COMMON: Final = frozenset(
    [
        "a",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "by",
        "can",
        "do",
        "for",
        "from",
        "has",
        "have",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "must",
        "no",
        "not",
        "of",
        "on",
        "or",
        "shall",
        "should",
        "so",
        "that",
        "the",
        "their",
        "then",
        "this",
        "to",
        "use",
        "user",
        "users",
        "via",
        "when",
        "which",
        "will",
        "with",
        "without",
        "add",
        "added",
        "create",
        "implement",
        "support",
        "system",
        "update",
        "write",
        "test",
        "tests",
    ]
)
_SHARE: Final = 0.6
_AT_LEAST: Final = 2
_STEM: Final = 6


class Accepted(NamedTuple):
    """Units with what they must fulfil; the names of demands that no unit names and all got, and the
    text of those."""

    units: tuple[Unit, ...]
    on_all: tuple[str, ...]
    passages: tuple[Passage, ...]


class Demand(NamedTuple):
    """What one delta asks for: `lines` as acceptance, and the text that it stands in."""

    capability: str
    name: str
    lines: tuple[str, ...]
    place: Place
    text: str


def with_acceptance(
    units: Sequence[Unit], files: Mapping[str, SourceFile], deltas: Mapping[str, Deltas]
) -> Accepted:
    """Return units with the demands that they name; a demand that none names is put to all.

    A unit names a demand when its text holds most words of the requirement's name; where no unit
    does, when it names the capability.
    """
    demands = [demand for name, each in deltas.items() for demand in _demands(name, each, files)]
    texts = [_Text(unit) for unit in units]
    chosen = [_belongs(demand, texts) for demand in demands]
    common = [demand for demand, whose in zip(demands, chosen, strict=True) if not whose]
    filled = []
    for at, unit in enumerate(units):
        pairs = zip(demands, chosen, strict=True)
        wanted = [(demand, bool(whose)) for demand, whose in pairs if not whose or at in whose]
        filled.append(_filled(unit, wanted))
    names = tuple(f"{demand.capability}: {demand.name}" for demand in common)
    return Accepted(tuple(filled), names, tuple(_passage(each) for each in common if each.text))


def _filled(unit: Unit, demands: Sequence[tuple[Demand, bool]]) -> Unit:
    """Return a unit with the lines of demands, and with the text of those that are its own."""
    lines = dict.fromkeys(line for demand, _ in demands for line in demand.lines)
    texts = (_passage(demand) for demand, own in demands if own and demand.text)
    return replace(
        unit,
        acceptance=(*unit.acceptance, *lines),
        passages=(*unit.passages, *texts),
    )


def _passage(demand: Demand) -> Passage:
    return Passage(role="spec", text=demand.text, place=demand.place)


# -- demands ---------------------------------------------------------------------------------------
def _demands(capability: str, deltas: Deltas, files: Mapping[str, SourceFile]) -> Iterator[Demand]:
    file = files[capability]
    for requirement in (*deltas.added, *deltas.modified):
        yield _demand(capability, requirement, file)
    for named in deltas.removed:
        line = f"{capability}: {named.name} is removed"
        yield Demand(capability, named.name, (line,), file.place(named.line), "")
    for rename in deltas.renamed:
        line = f"{capability}: {rename.old} is renamed to {rename.new}"
        yield Demand(capability, rename.new, (line,), file.place(rename.line), "")


def _demand(capability: str, requirement: Requirement, file: SourceFile) -> Demand:
    """Return what a requirement asks for: one line for each scenario; without any, its text."""
    head = f"{capability}: {requirement.name}"
    lines = [f"{head} / {each.name}: {_joined(each.body)}" for each in requirement.filled]
    if not lines:
        lines = [f"{head}: {_joined(requirement.text)}" if requirement.text else head]
    bodies = (each.body for each in requirement.scenarios)
    text = "\n".join([requirement.name, requirement.text, *bodies])
    return Demand(capability, requirement.name, tuple(lines), file.place(requirement.line), text)


def _joined(body: str) -> str:
    """Return the steps of a scenario in one line: WHEN this THEN that."""
    lines = (_BOLD.sub("", _BULLET.sub("", line)) for line in body.splitlines())
    return " ".join(" ".join(lines).split())


# -- whom a demand belongs to ----------------------------------------------------------------------
class _Text:
    """What a unit says, to look names up in."""

    def __init__(self, unit: Unit) -> None:
        said = [unit.title, *(f"{item.text}\n{item.details}" for item in unit.items)]
        self.text = "\n".join(said).lower()
        self.words = _stems(self.text)

    def names(self, name: str) -> bool:
        """Whether it holds a name, or most of the words of one that has several."""
        if name.lower() in self.text:
            return True
        wanted = _stems(name.lower())
        shared = wanted & self.words
        return len(shared) >= _AT_LEAST and len(shared) >= _SHARE * len(wanted)

    def names_capability(self, capability: str) -> bool:
        """Whether it holds the path of a capability, or all words of its last part."""
        last = capability.rsplit("/", maxsplit=1)[-1].lower()
        wanted = _stems(last)
        return capability.lower() in self.text or (bool(wanted) and wanted <= self.words)


def _stems(text: str) -> frozenset[str]:
    """Return the beginnings of the words that say something: validate and validation are one."""
    words = (word for word in _WORD.findall(text) if word not in _COMMON and len(word) > 1)
    return frozenset(word.removesuffix("s")[:_STEM] if len(word) > 3 else word for word in words)


def _belongs(demand: Demand, texts: Sequence[_Text]) -> list[int]:
    """Return the units that a demand belongs to; empty when none names it."""
    named = [at for at, text in enumerate(texts) if text.names(demand.name)]
    if named:
        return named
    return [at for at, text in enumerate(texts) if text.names_capability(demand.capability)]
