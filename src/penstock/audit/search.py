"""Searching a trail: bytes are looked through first, and only lines that may match are decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from operator import attrgetter
from pathlib import Path

import msgspec

from penstock.audit import layout
from penstock.audit.api import Query
from penstock.audit.blocks import blocks_between


class BriefContent(msgspec.Struct, frozen=True, gc=False):
    """What is read of an invocation's content; None where it is not what the trail writes."""

    outcome: str | None = None
    duration_sec: float | None = None
    fallback: bool | None = None
    cost_usd: float | None = None


class BriefResult(msgspec.Struct, frozen=True):
    """What is read of an invocation's result."""

    success: bool = False
    content: BriefContent | None = None


class Brief(msgspec.Struct, frozen=True):
    """What searching and counting need to know of a line."""

    timestamp: str
    kind: str
    run_id: str | None = None
    ws_id: str | None = None
    tool_id: str | None = None
    capability: str | None = None
    result: BriefResult | None = None
    event_type: str | None = None
    severity: str | None = None


_DECODER = msgspec.json.Decoder(Brief)


def search(folder: Path, query: Query, *, newest_first: bool = True) -> Iterator[bytes]:
    """Yield the matching lines without their ends; `limit` keeps the first in that order."""
    found = (
        line
        for block in blocks_of(folder, query, newest_first=newest_first)
        for line in matching(block, query, newest_first=newest_first)
    )
    return islice(found, query.limit)


def blocks_of(folder: Path, query: Query, *, newest_first: bool) -> Iterator[bytes]:
    """Yield the lines of the span of time that a query asks for, a block at a time."""
    days = layout.days_of(folder)
    for day in reversed(days) if newest_first else days:
        path = layout.lines_file(folder, day)
        if not _touches(day, query) or not path.exists():
            continue
        yield from blocks_between(path, query.since, query.until, backwards=newest_first)


def matching(block: bytes, query: Query, *, newest_first: bool) -> list[bytes]:
    """Return the lines of a block that match all but the times."""
    needles = _needles(query)
    if not needles:
        found = [line for line in block.split(b"\n") if line]
    else:
        lines = list(_candidates(block, needles))
        conditions = _conditions(query)
        pairs = zip(lines, briefs_of(lines), strict=True)
        found = [line for line, brief in pairs if _meets(brief, conditions)]
    return found[::-1] if newest_first else found


def briefs_of(lines: list[bytes]) -> list[Brief] | list[Brief | None]:
    """Read what counts of each line, all at once where nothing is wrong with any."""
    try:
        return _DECODER.decode_lines(b"\n".join(lines))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return [brief_of(line) for line in lines]


def brief_of(line: bytes) -> Brief | None:
    """Read what counts of a line; None for one that is damaged."""
    try:
        return _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _touches(day: str, query: Query) -> bool:
    """Tell whether a day has a part in the span of a query."""
    start = layout.day_start(day) / 1_000_000
    end = start + layout.DAY_US / 1_000_000
    after = query.since is None or query.since < end
    return after and (query.until is None or query.until > start)


def _needles(query: Query) -> list[bytes]:
    """Return the bytes that a matching line holds, what is likely rare first."""
    members = (
        ("run_id", query.run_id),
        ("ws_id", query.ws_id),
        ("outcome", query.outcome),
        ("event_type", query.event_type),
        ("tool_id", query.tool_id),
        ("capability", query.capability),
        ("severity", query.severity),
        ("success", query.success),
        ("kind", query.kind),
    )
    return [
        b'"%s":%s' % (name.encode(), msgspec.json.encode(value))
        for name, value in members
        if value is not None
    ]


def _candidates(block: bytes, needles: list[bytes]) -> Iterator[bytes]:
    """Yield the lines that hold all the needles, looking for the first one only."""
    first, *others = needles
    at = block.find(first)
    while at >= 0:
        start, end = block.rfind(b"\n", 0, at) + 1, block.find(b"\n", at)
        line = block[start : end if end >= 0 else len(block)]
        if all(needle in line for needle in others):
            yield line
        if end < 0:
            return
        at = block.find(first, end)


_MEMBERS: tuple[tuple[str, Callable[[Brief], object]], ...] = (
    ("kind", attrgetter("kind")),
    ("capability", attrgetter("capability")),
    ("tool_id", attrgetter("tool_id")),
    ("run_id", attrgetter("run_id")),
    ("ws_id", attrgetter("ws_id")),
    ("event_type", attrgetter("event_type")),
    ("severity", attrgetter("severity")),
    ("success", lambda brief: brief.result and brief.result.success),
    (
        "outcome",
        lambda brief: brief.result and brief.result.content and brief.result.content.outcome,
    ),
)


def _conditions(query: Query) -> list[tuple[Callable[[Brief], object], object]]:
    """Return how to read what a query asks for, and what is wanted there.

    A line may hold the bytes that were looked for in its payload only.
    """
    return [
        (read, wanted) for name, read in _MEMBERS if (wanted := getattr(query, name)) is not None
    ]


def _meets(brief: Brief | None, conditions: list[tuple[Callable[[Brief], object], object]]) -> bool:
    if brief is None:
        return False
    for read, wanted in conditions:  # noqa: SIM110 - a generator costs more than it saves
        if read(brief) != wanted:
            return False
    return True
