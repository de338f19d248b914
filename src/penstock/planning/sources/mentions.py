"""Task ids in running text: "depends on T012, T014-T016 and T020" in the languages of plans."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

_ID: Final = r"T-?[0-9]+(?:\.[0-9]+)*[A-Za-z]?(?![A-Za-z0-9])"
_TO: Final = r"(?:-|\u2013|\u2014|~|\uFF5E|\.\.\.?|\bto\b|\bthrough\b|\u2192|至|到|から)"
_AND: Final = r"(?:,|;|/|&|\+|\u3001|\uFF0C|\uFF1B|和|及|與|与|と|\band\b|\bor\b)"
# Possessive throughout: blanks that could be shared out in two ways double the work for each id.
_GAP: Final = rf"\s*+(?:{_TO}|{_AND}\s*+(?:and\s++|&\s*+)?)\s*+(?:tasks?\s++)?"
_LIST: Final = rf"(?P<ids>{_ID}(?:{_GAP}{_ID})*+)"
# In front of a word a list is tried from each of its ids on: a long one would take for ever.
_SHORT_LIST: Final = rf"(?P<ids>{_ID}(?:{_GAP}{_ID}){{0,20}}+)"
_BEFORE: Final = (
    r"(?:\bdepends?\s+(?:up)?on|\bdependent\s+(?:up)?on|\bdependenc(?:y|ies)|\bdeps|\brequires?"
    r"|\bneeds|\bblocked\s+by|\bafter|依赖于?|依賴於?|依存先?|前提|前置(?:任务|任務)?)"
)
_SAID: Final = re.compile(
    rf"{_BEFORE}\s*(?:[:\uFF1A]\s*)?(?:(?:on|tasks?|任务|任務|タスク)\s*)?{_LIST}", re.IGNORECASE
)
_BEHIND: Final = re.compile(
    rf"{_SHORT_LIST}\s*(?:に依存|の完了後|完了後|完成[之以]?后|完成[之以]?後|之后|之後)"
)
_BLOCKS: Final = re.compile(rf"^(?P<own>{_ID})\s+(?:must\s+)?blocks?\s+{_LIST}", re.IGNORECASE)
_WAITS: Final = re.compile(rf"^(?P<own>{_ID})\s+(?={_BEFORE})", re.IGNORECASE)
_PART: Final = re.compile(rf"({_ID})|({_TO})", re.IGNORECASE)
_ANY: Final = re.compile(r"[Tt]-?[0-9]")
_MARKUP: Final = re.compile(r"[`*_]+")
_LEADING: Final = re.compile(rf"[`*_]*({_ID})[`*_]*(?:[:.)\uFF1A][`*_]*(?=\s|$))?\s*")


class Mention(NamedTuple):
    """An id, or all from one id to another."""

    first: str
    last: str | None = None


def leading_id(text: str) -> tuple[str | None, str]:
    """Return the id that a text begins with, and what follows it."""
    found = _LEADING.match(text)
    return (found[1], text[found.end() :]) if found else (None, text)


def waits_for(text: str) -> list[Mention]:
    """Return what a text says that it depends on, requires, comes after or is blocked by."""
    if not _ANY.search(text):
        return []
    plain = _MARKUP.sub("", text)
    found = [*_SAID.finditer(plain), *_BEHIND.finditer(plain)]
    return list(dict.fromkeys(each for match in found for each in _listed(match["ids"])))


def said_order(line: str) -> tuple[list[Mention], list[Mention]] | None:
    """Return who waits, and for what, of a line like `T003 blocks T005, T006`.

    None for a line that does not begin with an id and such a word.
    """
    plain = _MARKUP.sub("", line).strip()
    blocks = _BLOCKS.match(plain)
    if blocks:
        return list(_listed(blocks["ids"])), [Mention(blocks["own"])]
    waits = _WAITS.match(plain)
    return ([Mention(waits["own"])], waits_for(plain)) if waits else None


def _listed(ids: str) -> Iterator[Mention]:
    """Yield the ids and ranges of a list."""
    first: str | None = None
    ranged = False
    for part in _PART.finditer(ids):
        if part[2]:
            ranged = first is not None
        elif ranged:
            yield Mention(first or part[1], part[1])
            first, ranged = None, False
        else:
            if first is not None:
                yield Mention(first)
            first = part[1]
    if first is not None:
        yield Mention(first)


def between(order: Sequence[str], first: str, last: str) -> Sequence[str]:
    """Return the keys from `first` to `last` as they stand in the plan, either way round."""
    ends = sorted((order.index(first), order.index(last)))
    return order[ends[0] : ends[1] + 1]
