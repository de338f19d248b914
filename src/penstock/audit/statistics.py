"""Counting over a trail: how often calls succeed, how long they take, what they cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from penstock.audit import layout
from penstock.audit.api import TARGETS, GroupBy, GroupStats, Kind, Query, Target, TrailStats
from penstock.audit.search import Brief, BriefContent, blocks_of, briefs_of, matching
from penstock.model.outcome import OutcomeKind

_NO_CONTENT = BriefContent()
_INVOCATION = Kind.INVOCATION.value
_AUTH = OutcomeKind.AUTH.value
_NAMES: Mapping[GroupBy | None, Callable[[Brief, BriefContent], str]] = {
    None: lambda _brief, _content: "all",
    GroupBy.TOOL: lambda brief, _content: brief.tool_id or "unknown",
    GroupBy.CAPABILITY: lambda brief, _content: brief.capability or "unknown",
    GroupBy.OUTCOME: lambda _brief, content: content.outcome or "unknown",
    GroupBy.DAY: lambda brief, _content: brief.timestamp[:10],
}


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
        self.auth_errors += content.outcome == _AUTH
        if content.duration_sec is not None:
            self.times.append(content.duration_sec)
        if content.cost_usd is not None:
            self.costs.append(content.cost_usd)

    def merge(self, other: _Tally) -> None:
        """Add what another one counted."""
        self.number += other.number
        self.successes += other.successes
        self.fallbacks += other.fallbacks
        self.auth_errors += other.auth_errors
        self.times += other.times
        self.costs += other.costs

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
        self._name = _NAMES[by]
        self._by = by
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
        if brief.kind != _INVOCATION or brief.result is None:
            self.types[brief.event_type or brief.kind] += 1
            self.severities[brief.severity or "none"] += 1
            return
        self.types[_INVOCATION] += 1
        content = brief.result.content or _NO_CONTENT
        name = self._name(brief, content)
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = _Tally(name)
        group.add(brief.result.success, content)

    def result(self, size: int) -> TrailStats:
        """Return what was counted; groups with most invocations first, days in order."""
        overall = _Tally("all")
        for tally in self._groups.values():
            overall.merge(tally)
        groups = [tally.figures() for tally in self._groups.values()]
        if self._by is not GroupBy.DAY:
            groups.sort(key=lambda group: (-group.invocations, group.name))
        return TrailStats(
            total_events=self.types.total(),
            by_type=dict(sorted(self.types.items())),
            by_severity=dict(sorted(self.severities.items())),
            log_size_bytes=size,
            oldest_event=self.oldest,
            newest_event=self.newest,
            overall=overall.figures(),
            groups=tuple(groups) if self._by is not None else (),
            unreadable=self.unreadable,
        )


def statistics(folder: Path, query: Query, by: GroupBy | None) -> TrailStats:
    """Return figures over the matching entries; the size is that of the whole trail."""
    counts = _Counts(by)
    for block in blocks_of(folder, query, newest_first=False):
        for brief in briefs_of(matching(block, query, newest_first=False)):
            if brief is None:
                counts.unreadable += 1
            else:
                counts.add(brief)
    return counts.result(_size(folder))


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
