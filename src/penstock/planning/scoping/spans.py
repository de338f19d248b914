"""Code spans of Markdown within one line."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_TICKS: Final = re.compile("`+")


class Span(NamedTuple):
    """A code span: where it begins and ends with its backticks, and where its text begins."""

    start: int
    end: int
    inside: int
    text: str


def code_spans(line: str) -> list[Span]:
    """Return the code spans of a line: a run of backticks up to the next run of as many.

    After CommonMark, section 6.1; in time proportional to the line.
    """
    if "`" not in line:
        return []
    runs = [(found.start(), found.end()) for found in _TICKS.finditer(line)]
    closing = _closing([end - start for start, end in runs])
    spans: list[Span] = []
    at = 0
    while at < len(runs):
        until = closing[at]
        if until is None:
            at += 1
            continue
        inside, outside = runs[at][1], runs[until][0]
        spans.append(Span(runs[at][0], runs[until][1], inside, line[inside:outside]))
        at = until + 1
    return spans


def _closing(lengths: list[int]) -> list[int | None]:
    """Return for every run the number of the next that is as long."""
    following: dict[int, int] = {}
    closing: list[int | None] = [None] * len(lengths)
    for at in range(len(lengths) - 1, -1, -1):
        closing[at] = following.get(lengths[at])
        following[lengths[at]] = at
    return closing


def blanked(line: str, spans: list[Span]) -> str:
    """Return a line with spaces in place of its code spans."""
    pieces, at = [], 0
    for span in spans:
        pieces += [line[at : span.start], " " * (span.end - span.start)]
        at = span.end
    return "".join([*pieces, line[at:]])
