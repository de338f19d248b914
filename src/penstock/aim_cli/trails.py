"""Entries, figures and findings of an audit trail, for people and for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from penstock.audit.api import (
    TARGETS,
    AuditEntry,
    AuditTrail,
    GroupStats,
    PruneReport,
    Query,
    TrailStats,
    VerifyReport,
)
from penstock.cli.words import bytes_in_words, duration, money, one_line, plural
from penstock.cli.words import moment as time_in_words
from penstock.model.csvtext import csv_row

COLUMNS = ("TIME", "WHAT", "BY", "RESULT", "MESSAGE")
CSV_COLUMNS = ("timestamp", "tool_id", "capability", "success", "message")
WORDS = {
    "success_rate": "success",
    "mean_s": "mean time",
    "fallback_rate": "fallback",
    "auth_error_rate": "login errors",
}


# -- entries ---------------------------------------------------------------------------------
def document(entry: AuditEntry) -> dict[str, Any]:
    """Return an entry for machines, without the members of the other kind."""
    other = _EVENT_ONLY if entry.result is not None else _INVOCATION_ONLY
    plain: dict[str, Any] = msgspec.to_builtins(entry)
    return {name: value for name, value in plain.items() if name not in other}


_INVOCATION_ONLY = frozenset({"tool_id", "capability", "payload", "result"})
_EVENT_ONLY = frozenset({"event_type", "severity", "message", "details", "user", "session_id"})


def row(entry: AuditEntry) -> tuple[str, ...]:
    """Return an entry as a row of COLUMNS."""
    when = time_in_words(entry.timestamp)
    if entry.result is None:
        return (when, entry.event_type or "", entry.actor, entry.severity or "", entry.text)
    result = "ok" if entry.result.success else "failed"
    return (when, entry.capability or "", entry.tool_id or "", result, entry.text)


def printed(trail: AuditTrail, query: Query, form: str) -> Iterator[str]:
    """Yield what to print for the matching entries: text, csv, or json as it is on file."""
    if form == "json":
        yield from (_json_text(line) for line in trail.lines(query))
    elif form == "csv":
        yield csv_row(CSV_COLUMNS)
        yield from (csv_row(_csv_values(entry)) for entry in trail.query(query))
    else:
        yield from (_text(entry) for entry in trail.query(query))


def _csv_values(entry: AuditEntry) -> tuple[str | None, ...]:
    success = None if entry.result is None else str(entry.result.success).lower()
    return (entry.timestamp, entry.tool_id, entry.capability, success, entry.text)


def _text(entry: AuditEntry) -> str:
    """Return an entry as one line: `success=true|false` tells how a call went."""
    words: tuple[str | None, ...]
    if entry.result is None:
        words = (entry.event_type, f"severity={entry.severity}")
    else:
        success = str(entry.result.success).lower()
        words = (entry.tool_id, entry.capability, f"success={success}")
    return one_line("  ".join(word or "-" for word in (entry.timestamp, *words, entry.text)))


def _json_text(line: bytes) -> str:
    """Return a line as it is, or in ASCII where stdout knows nothing else."""
    text = line.decode("utf-8", "replace")
    encoding = (sys.stdout.encoding or "utf-8").lower().replace("-", "")
    return text if text.isascii() or encoding == "utf8" else json.dumps(json.loads(text))


def entries(count: int) -> str:
    """Return `1 entry`, `2 entries`."""
    return f"{count} entry" if count == 1 else f"{count} entries"


# -- figures ---------------------------------------------------------------------------------
def stats_document(stats: TrailStats) -> dict[str, Any]:
    """Return figures for machines, with the targets that they are held against."""
    targets = {
        target.field: {"least": target.least} if target.most is None else {"most": target.most}
        for target in TARGETS
    }
    return {**msgspec.to_builtins(stats), "targets": targets}


def stats_lines(stats: TrailStats) -> Iterator[str]:
    """Yield the figures over all entries."""
    yield f"Entries: {stats.total_events}, {bytes_in_words(stats.log_size_bytes)}"
    if stats.total_events:
        first, last = time_in_words(stats.oldest_event), time_in_words(stats.newest_event)
        yield f"From {first} to {last}"
        yield "Types: " + ", ".join(f"{name} {n}" for name, n in stats.by_type.items())
    if stats.by_severity:
        yield "Severities: " + ", ".join(f"{name} {n}" for name, n in stats.by_severity.items())
    if stats.unreadable:
        yield f"Not readable: {stats.unreadable}; see `aim audit verify`"
    if stats.overall.invocations:
        yield f"Calls: {stats.overall.invocations}, cost {money(stats.overall.cost_usd)}"
        yield from _target_lines(stats.overall)


def _target_lines(group: GroupStats) -> Iterator[str]:
    for target in TARGETS:
        value = getattr(group, target.field)
        show = duration if target.field == "mean_s" else percent
        bound = target.least if target.least is not None else target.most
        sign = ">" if target.least is not None else "<"
        verdict = "MISSED" if target.field in group.misses else "met"
        verdict = "not known" if value is None else verdict
        label = WORDS[target.field]
        yield f"  {label:<13}{show(value):>8}   target {sign} {show(bound):<8}{verdict}"


def percent(value: float | None) -> str:
    """Return a rate as `75 %`."""
    return "-" if value is None else f"{value * 100:.0f} %"


def group_columns(by: str) -> tuple[str, ...]:
    """Return the columns of a table of groups."""
    return (
        by.upper(),
        "CALLS",
        "SUCCESS",
        "MEAN",
        "P95",
        "FALLBACK",
        "LOGIN ERR",
        "COST",
        "MISSED",
    )


def group_rows(groups: Sequence[GroupStats]) -> list[tuple[str, ...]]:
    """Return groups as rows of `group_columns`."""
    return [
        (
            group.name,
            str(group.invocations),
            percent(group.success_rate),
            duration(group.mean_s),
            duration(group.p95_s),
            percent(group.fallback_rate),
            percent(group.auth_error_rate),
            money(group.cost_usd),
            ", ".join(WORDS[name] for name in group.misses),
        )
        for group in groups
    ]


# -- findings --------------------------------------------------------------------------------
def report_document(report: VerifyReport) -> dict[str, Any]:
    """Return what verifying found for machines."""
    return {"ok": report.ok, **msgspec.to_builtins(report)}


def report_lines(report: VerifyReport) -> Iterator[str]:
    """Yield what verifying found: each damage with its place, then what is proven."""
    for damage in report.damage:
        place = damage.file if damage.line is None else f"{damage.file}:{damage.line}"
        kind = damage.kind.value.replace("_", "-")
        yield f"{place}: {kind}: {one_line(damage.message)}"
    for note in report.notes:
        yield f"Note: {note}."
    amount = f"{entries(report.entries)} in {plural(report.days, 'day')}"
    pruned = f", {plural(report.pruned_days, 'day')} dropped" if report.pruned_days else ""
    verdict = "whole" if report.ok else f"DAMAGED: {plural(len(report.damage), 'finding')}"
    yield f"The trail is {verdict} ({amount}{pruned})."
    if report.proven_until is not None:
        until = time_in_words(report.proven_until)
        yield f"Proven up to {until}: {entries(report.proven_entries)}, the last anchor it matches."
    elif report.entries:
        yield "Nothing of it is proven by an anchor."


# -- dropping --------------------------------------------------------------------------------
def prune_line(plan: PruneReport, keep: int) -> str:
    """Say what pruning comes to."""
    if not plan.days:
        return f"Nothing to drop: no closed day is older than {plural(keep, 'day')}."
    return (
        f"{plural(len(plan.days), 'day')} up to {plan.days[-1]}, {entries(plan.entries)},"
        f" {bytes_in_words(plan.size_bytes)}, are older than {plural(keep, 'day')}."
    )


def prune_document(plan: PruneReport, keep: int, done: PruneReport | None) -> dict[str, Any]:
    """Return what pruning found and did for machines."""
    return {
        "keep_days": keep,
        "found": msgspec.to_builtins(plan),
        "dropped": list(done.days) if done is not None else [],
    }
