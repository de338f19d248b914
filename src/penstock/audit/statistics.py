"""Counting over a trail: how often calls succeed, how long they take, what they cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec

from penstock.audit import layout
from penstock.audit.api import TARGETS, GroupBy, GroupStats, Kind, Query, Target, TrailStats
from penstock.audit.search import Brief, BriefContent, blocks_of, brief_of, matching
from penstock.model.outcome import OutcomeKind

_DECODER = msgspec.json.Decoder(Brief)
_NO_CONTENT = BriefContent()


class _Tally:
    """Sums over the invocations of one group."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.successes = self.fallbacks = self.auth_errors = self.number = 0
        self.times: list[float] = []
        self.costs: list[float] = []

    def add(self, success: bool, content: BriefContent) -> None:
        """Count one invocation."""
        self.number += 1
        self.successes += success
        self.fallbacks += bool(content.fallback)
        self.auth_errors += content.outcome == OutcomeKind.AUTH
        if content.duration_sec is not None:
            self.times.append(content.duration_sec)
        if content.cost_usd is not None:
            self.costs.append(content.cost_usd)

    def figures(self) -> GroupStats:
        """Return the figures, held against the targets."""
        number = max(self.number, 1)
        stats = GroupStats(
            name=self.name,
            invocations=self.number,
            successes=self.successes,
            success_rate=self.successes / number,
            mean_s=sum(self.times) / len(self.times) if self.times else None,
            p95_s=_p95(self.times),
            fallback_rate=self.fallbacks / number,
            auth_error_rate=self.auth_errors / number,
            cost_usd=sum(self.costs) if self.costs else None,
        )
        missed = tuple(t.field for t in TARGETS if self.number and _misses(stats, t))
        return msgspec.structs.replace(stats, misses=missed)


class _Counts:
    """What is counted over a trail."""

    def __init__(self, by: GroupBy | None) -> None:
        self._by = by
        self._overall = _Tally("all")
        self._groups: dict[str, _Tally] = {}
        self.types: Counter[str] = Counter()
        self.severities: Counter[str] = Counter()
        self.unreadable = 0
        self.oldest: str | None = None
        self.newest: str | None = None

    def add(self, brief: Brief) -> None:
        """Count one entry; they come oldest first."""
        self.oldest = self.oldest or brief.timestamp
        self.newest = brief.timestamp
        if brief.kind != Kind.INVOCATION or brief.result is None:
            self.types[brief.event_type or brief.kind] += 1
            self.severities[brief.severity or "none"] += 1
            return
        self.types[Kind.INVOCATION.value] += 1
        content = brief.result.content or _NO_CONTENT
        self._overall.add(brief.result.success, content)
        if self._by is not None:
            self._group(self._name(brief, content)).add(brief.result.success, content)

    def result(self, size: int) -> TrailStats:
        """Return what was counted; groups with most invocations first, days in order."""
        groups = [group.figures() for group in self._groups.values()]
        if self._by is not GroupBy.DAY:
            groups.sort(key=lambda group: (-group.invocations, group.name))
        return TrailStats(
            total_events=self.types.total(),
            by_type=dict(sorted(self.types.items())),
            by_severity=dict(sorted(self.severities.items())),
            log_size_bytes=size,
            oldest_event=self.oldest,
            newest_event=self.newest,
            overall=self._overall.figures(),
            groups=tuple(groups),
            unreadable=self.unreadable,
        )

    def _group(self, name: str) -> _Tally:
        if name not in self._groups:
            self._groups[name] = _Tally(name)
        return self._groups[name]

    def _name(self, brief: Brief, content: BriefContent) -> str:
        if self._by is GroupBy.TOOL:
            return brief.tool_id or "unknown"
        if self._by is GroupBy.CAPABILITY:
            return brief.capability or "unknown"
        if self._by is GroupBy.DAY:
            return brief.timestamp[:10]
        return content.outcome or "unknown"


def statistics(folder: Path, query: Query, by: GroupBy | None) -> TrailStats:
    """Return figures over the matching entries; the size is that of the whole trail."""
    counts = _Counts(by)
    for block in blocks_of(folder, query, newest_first=False):
        for brief in _briefs(block, query):
            if brief is None:
                counts.unreadable += 1
            else:
                counts.add(brief)
    return counts.result(_size(folder))


def _briefs(block: bytes, query: Query) -> Iterable[Brief | None]:
    """Read the matching lines of a block, all at once where nothing is wrong with any."""
    lines = matching(block, query, newest_first=False)
    try:
        return _DECODER.decode_lines(b"\n".join(lines))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return map(brief_of, lines)


def _size(folder: Path) -> int:
    files = (layout.lines_file(folder, day) for day in layout.days_of(folder))
    return sum(path.stat().st_size for path in files if path.exists())


def _p95(times: list[float]) -> float | None:
    """Return the 95th percentile by nearest rank, None without times."""
    if not times:
        return None
    return sorted(times)[-(-len(times) * 95 // 100) - 1]


def _misses(stats: GroupStats, target: Target) -> bool:
    """Tell whether a figure misses its target; one that is not known does not."""
    value = getattr(stats, target.field)
    if value is None:
        return False
    too_low = target.least is not None and value < target.least
    return too_low or (target.most is not None and value > target.most)
