"""The headings of a document of which only a few lines matter: found by offset, not line by line.

An index reads thousands of files for a tag or two; splitting each into lines takes most of its time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_MARKS: Final = re.compile(
    r"\n(?=[ \t#~`=<-])(?: {0,3}(?P<level>#{1,6})(?P<title>(?:[ \t].*)?)"
    r"|[ \t]*(?P<fence>`{3,}(?=[^`\n]*$)|~{3,})(?P<info>.*)"
    r"|[ \t]*(?P<comment><!--).*"
    r"|(?P<under> {0,3}(?:=+|-+))[ \t]*)$",
    re.MULTILINE,
)
"""A line that may matter with the end of the line before it, which is found much faster than `^`: a match
begins in "\\n" + text where the line begins in the text."""
_NO_TITLE: Final = re.compile(r"[ \t]*(?:[-*+>|#]|[0-9]{1,9}[.)][ \t]|```|~~~|<!--|$)")


class Heading(NamedTuple):
    """A heading and the offset of its first character."""

    offset: int
    text: str


def headings(text: str) -> list[Heading]:
    """Return the headings outside of fences, comments and frontmatter, of either form.

    Lines end at LF. A fence or comment that never ends is none.
    """
    return list(_headings(text, list(_MARKS.finditer(f"\n{text}"))))


def _headings(text: str, marks: list[re.Match[str]]) -> Iterator[Heading]:
    skipped = _frontmatter_end(text)
    endless: dict[str, int] = {}
    last_comment = text.rfind("-->")
    for number, mark in enumerate(marks):
        if mark.start() < skipped:
            continue
        if mark["level"]:
            yield Heading(mark.start(), _title(mark["title"]))
        elif mark["under"]:
            yield from _underlined(text, mark.start(), skipped)
        elif mark["comment"]:
            if mark.start() < last_comment:
                skipped = text.find("-->", mark.start())
        else:
            skipped = max(skipped, _fence_end(marks, number, endless))


def _title(text: str) -> str:
    """Return the words of a heading without the signs that may close it."""
    words = text.strip()
    bare = words.rstrip("#")
    return bare.rstrip() if not bare or bare[-1] in " \t" else words


def _frontmatter_end(text: str) -> int:
    """Return the offset behind the settings at the top, 0 where there are none."""
    if not text.startswith("---\n"):
        return 0
    end = text.find("\n---\n", 3)
    return 0 if end < 0 else end + len("\n---\n")


def _fence_end(marks: list[re.Match[str]], number: int, endless: dict[str, int]) -> int:
    """Return the end of the fence that a mark begins, -1 where it never ends.

    `endless` remembers by sign the shortest fence of which that is known: what ends a longer one
    would have ended it.
    """
    fence = marks[number]["fence"]
    sign, length = fence[0], len(fence)
    if length >= endless.get(sign, length + 1):
        return -1
    for at in range(number + 1, len(marks)):  # a copy of the rest for each fence would be too much
        end = marks[at]["fence"]
        if end and end[0] == sign and len(end) >= length and not marks[at]["info"].strip():
            return marks[at].end() - 1
    endless[sign] = length
    return -1


def _underlined(text: str, start: int, skipped: int) -> Iterator[Heading]:
    """Give the line above an underline, where it may be a title."""
    begin = text.rfind("\n", 0, max(start - 1, 0)) + 1
    title = text[begin : max(start - 1, 0)]
    if begin >= skipped and not _NO_TITLE.match(title):
        yield Heading(begin, title.strip())
