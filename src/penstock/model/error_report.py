"""What one attempt of the escalation pipeline found: the documented report, and how it is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from penstock.model.finding import Finding, Severity
from penstock.model.fingerprint import compare
from penstock.model.inspection import HARD, STYLE, CheckReport, PluginState

ISSUES_KEPT = 2000
"""How many issues a report lists; its summary counts all."""


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was checked: its path as it was given, and where it lies now."""

    input: str
    output: str


class UnavailablePlugin(msgspec.Struct, frozen=True, kw_only=True):
    """A plugin that could not take part, and why."""

    plugin_id: str
    reason: str


class ReportSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a report. `has_hard_fail`: a syntax or type error or a failed test is among
    the issues; `style_only`: there are issues, and all are of style or formatting."""

    plugins_run: int = 0
    total_errors: int = 0
    total_warnings: int = 0
    auto_fixed: int = 0
    issues_by_tool: dict[str, int] = msgspec.field(default_factory=dict)
    issues_by_category: dict[str, int] = msgspec.field(default_factory=dict)
    has_hard_fail: bool = False
    style_only: bool = False


class ReportChanges(msgspec.Struct, frozen=True, kw_only=True):
    """How many issues are new, fixed and unchanged since the report before."""

    new: int = 0
    fixed: int = 0
    unchanged: int = 0


class AttemptReport(msgspec.Struct, frozen=True, kw_only=True):
    """The report of one attempt. `attempt_number` and `ai_agent` are those of the attempt that it
    judges, `attempt` its label (0, 0b, 1, 2, 3, ...); `infra` says why a check could not work."""

    report_id: str
    run_id: str
    workstream_id: str
    attempt_number: int
    attempt: str
    ai_agent: str
    timestamp_utc: str
    passed: bool = False
    toolchain: dict[str, str] = msgspec.field(default_factory=dict)
    summary: ReportSummary = ReportSummary()
    issues: tuple[Finding, ...] = ()
    outputs: tuple[Output, ...] = ()
    unavailable: tuple[UnavailablePlugin, ...] = ()
    changes: ReportChanges = ReportChanges()
    infra: tuple[str, ...] = ()


def issues_of(report: CheckReport) -> tuple[Finding, ...]:
    """Return what a check found in all its files, what is suppressed or known left out."""
    return tuple(found for file in report.files for found in file.findings)


def summarise(report: CheckReport, auto_fixed: int) -> ReportSummary:
    """Return the figures of a check; `auto_fixed` files were changed by mechanical fixes."""
    issues = issues_of(report)
    took_part = (PluginState.RAN, PluginState.CACHED)
    return ReportSummary(
        plugins_run=sum(use.state in took_part for use in report.plugins),
        total_errors=_count(issues, Severity.ERROR),
        total_warnings=_count(issues, Severity.WARNING),
        auto_fixed=auto_fixed,
        issues_by_tool=dict(sorted(Counter(i.tool for i in issues).items())),
        issues_by_category=dict(sorted(Counter(i.category.value for i in issues).items())),
        has_hard_fail=any(i.category in HARD for i in issues),
        style_only=bool(issues) and all(i.category in STYLE for i in issues),
    )


def _count(issues: Iterable[Finding], severity: Severity) -> int:
    return sum(issue.severity is severity for issue in issues)


def changes_since(before: AttemptReport | None, issues: Iterable[Finding]) -> ReportChanges:
    """Return how many of the issues are new, and how many of those before are gone."""
    found = compare(before.issues if before is not None else (), issues)
    return ReportChanges(new=len(found.new), fixed=len(found.fixed), unchanged=len(found.unchanged))
