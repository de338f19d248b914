"""The report of an attempt: its figures, and what changed since the one before."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.error_report import (
    AttemptReport,
    ReportChanges,
    changes_since,
    issues_of,
    summarise,
)
from penstock.model.finding import Category, Finding, Severity
from penstock.model.inspection import CheckReport, FileResult, FileStatus, PluginState, PluginUse

FINDINGS = st.builds(
    Finding,
    tool=st.sampled_from(["ruff", "mypy"]),
    message=st.just("m"),
    category=st.sampled_from(Category),
    severity=st.sampled_from(Severity),
)


def checked(*findings: Finding, **fields: object) -> CheckReport:
    """Return a check of one file that found these."""
    file = FileResult(path="a.py", status=FileStatus.FAILED, findings=findings)
    report = CheckReport(started_at=0.0, duration_s=0.0, files=(file,))
    return msgspec.structs.replace(report, **fields)


@given(st.lists(FINDINGS, max_size=6))
def test_the_figures_are_those_of_the_issues(findings: list[Finding]) -> None:
    """Each issue is counted once in each of them."""
    summary = summarise(checked(*findings), auto_fixed=2)
    assert sum(summary.issues_by_tool.values()) == len(findings)
    assert sum(summary.issues_by_category.values()) == len(findings)
    errors = sum(f.severity is Severity.ERROR for f in findings)
    assert (summary.total_errors, summary.auto_fixed) == (errors, 2)
    kinds = {f.category.value for f in findings}
    assert summary.has_hard_fail == bool(kinds & {"syntax", "type", "test_failure"})
    assert summary.style_only == (bool(kinds) and kinds <= {"style", "formatting"})


def test_only_plugins_that_took_part_are_counted() -> None:
    """From the cache or not; one that is missing, idle or failed did not."""
    uses = tuple(PluginUse(plugin_id=state.value, state=state) for state in PluginState)
    assert summarise(checked(plugins=uses), 0).plugins_run == 2


def test_suppressed_and_known_findings_are_no_issues() -> None:
    """What a comment or the baseline sets apart is not to be mended."""
    found = Finding(tool="ruff", message="m")
    file = FileResult(path="a.py", status=FileStatus.PASSED, suppressed=(found,), known=(found,))
    assert issues_of(checked(files=(file,))) == ()


def test_what_is_new_fixed_and_unchanged_is_counted() -> None:
    """Told apart by fingerprint; without an earlier report all is new."""
    old, kept, new = (Finding(tool="t", path="a", message=m, fingerprint=m) for m in "okn")
    before = AttemptReport(
        report_id="x", run_id="r", workstream_id="w", attempt_number=0, attempt="0",
        ai_agent="none", timestamp_utc="now", issues=(old, kept),
    )  # fmt: skip
    assert changes_since(before, (kept, new)) == ReportChanges(new=1, fixed=1, unchanged=1)
    assert changes_since(None, (kept, new)) == ReportChanges(new=2)
