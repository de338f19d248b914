"""The tags of one document, each with its description, wherever Markdown lets them stand."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import groupby
from typing import Final, NamedTuple

from penstock.planning.sources.api import Notice, Place, Severity
from penstock.planning.specs.api import IndexRow, Tag
from penstock.planning.specs.outline import Heading, headings

TAG: Final = re.compile(r"\[(IDX-[A-Z0-9\-]+)\]")
MOST: Final = 1000
"""Characters of a description; a line may be megabytes."""
_NEAR: Final = re.compile(r"\[[ \t]*(?i:IDX)[-_.:/ ][^\]\[\n]{0,80}\]")
_LINK: Final = re.compile(r"\([^()\s]*\)")
_PAIRS: Final = {"`": "`", "*": "*", "_": "_", "(": ")", "~": "~"}
_SEPARATORS: Final = " \t|:;,\u2013\u2014&+/-"
_LEADING: Final = re.compile(r"(?:[\s|:;,>\u2013\u2014&+/-]|\.(?=\s|$))+")
_HEADING: Final = re.compile(r" {0,3}#{1,6}(?:\s|$)")


class _Line(NamedTuple):
    """A line that holds a tag: its number from 1, its offset, its text."""

    number: int
    offset: int
    text: str


def tags(text: str, name: str) -> tuple[Tag, ...]:
    """Return the tags of a document in the order in which they stand; its lines end at LF."""
    return tuple(_Scan(text, name).tags())


def near_misses(text: str, name: str) -> Iterator[Notice]:
    """Give what looks like a tag and is none: small letters, other signs, blanks."""
    line, counted = 1, 0
    for match in _NEAR.finditer(text):
        if not TAG.fullmatch(match[0]):
            line += text.count("\n", counted, match.start())
            counted = match.start()
            yield Notice(
                code="no-tag",
                severity=Severity.WARNING,
                text=f"{match[0]} looks like a tag and is none",
                place=Place(name, line),
                hint="a tag is [IDX- and then A-Z, 0-9 and - up to ]",
            )


def plain(text: str) -> str:
    """Return text on one line without tags and bearable in length."""
    return " ".join(TAG.sub(" ", text).split())[:MOST]


class _Scan:
    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._line = _Line(1, 0, "")

    def tags(self) -> Iterator[Tag]:
        for line, found in groupby(TAG.finditer(self._text), key=self._line_of):
            yield from self._of_line(line, list(found))

    def _line_of(self, match: re.Match[str]) -> _Line:
        """Return the line of a match; matches come in their order."""
        last, start = self._line, match.start()
        if not last.text or start >= last.offset + len(last.text):
            number = last.number + self._text.count("\n", last.offset, start)
            begin = self._text.rfind("\n", 0, start) + 1
            end = self._text.find("\n", start)
            text = self._text[begin : end if end >= 0 else len(self._text)]
            self._line = _Line(number, begin, text)
        return self._line

    def _of_line(self, line: _Line, found: Sequence[re.Match[str]]) -> Iterator[Tag]:
        spans = [(match.start() - line.offset, match.end() - line.offset) for match in found]
        texts = _descriptions(line.text, spans)
        above = None if all(texts) else self._context(line, spans[0][0])
        for match, (_, end), text in zip(found, spans, texts, strict=True):
            said = text or above or ""
            row = IndexRow(idx=match[1], file=self._name, line=line.number, description=said)
            yield Tag(row=row, linked=_LINK.match(line.text, end) is not None)

    def _context(self, line: _Line, first: int) -> str:
        """Return the heading that the line is or stands below, else what stands before its tags."""
        below = bisect_right(self._headings, line.offset + len(line.text), key=lambda h: h.offset)
        if below:
            return self._headings[below - 1].text
        return plain(line.text[:first].rstrip(_SEPARATORS).lstrip("#>-*+| \t"))

    @cached_property
    def _headings(self) -> list[Heading]:
        """The headings that say something."""
        found = (Heading(each.offset, plain(each.text)) for each in headings(self._text))
        return [each for each in found if each.text]


def _descriptions(text: str, spans: Sequence[tuple[int, int]]) -> list[str]:
    """Return what follows each tag on its line: up to the next tag, else what follows that one."""
    made: list[str] = []
    following, stop = "", len(text)
    for start, end in reversed(spans):
        following = _description(text, start, end, stop) or following
        made.append(following)
        stop = start
    return made[::-1]


def _description(text: str, start: int, end: int, stop: int) -> str:
    """Return the words between the end of a tag and `stop`, without the signs around them."""
    start, end = _unwrapped(text, start, end)
    link = _LINK.match(text, end)
    words = text[link.end() if link else end : stop][: 2 * MOST]
    leading = _LEADING.match(words)
    words = _uncommented(words[leading.end() :] if leading else words)
    if stop < len(text):
        words = words.rstrip(_SEPARATORS)
    elif _HEADING.match(text) and words.rstrip("#")[-1:] in ("", " "):
        words = words.rstrip("#")
    return plain(_balanced(words, text[max(start - 2, 0) : start]))


def _uncommented(words: str) -> str:
    """Drop the ends of cells and comments."""
    bare = words.rstrip(" \t|")
    for end in ("-->", "*/"):
        bare = bare.removesuffix(end).rstrip(" \t|")
    return bare


def _unwrapped(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span of a tag with the signs that wrap it alone: `[IDX-A-1]`, **[IDX-A-1]**."""
    while start and end < len(text) and _PAIRS.get(text[start - 1]) == text[end]:
        start, end = start - 1, end + 1
    return start, end


def _balanced(words: str, before: str) -> str:
    """Drop the end of an emphasis that began before the tag: **[IDX-A-1] words**."""
    for sign in ("**", "__", "*", "_", "`", ")"):
        opening = "(" if sign == ")" else sign
        if words.endswith(sign) and before.endswith(opening) and words.count(sign) % 2:
            return words.removesuffix(sign)
    return words
