"""The pipeline's checks and mechanical fixes, through the error engine."""

from __future__ import annotations

import msgspec

from penstock.checks.api import InspectionRequest
from penstock.engine.escalation.cabinet import Cabinet
from penstock.engine.escalation.ports import Edges
from penstock.engine.escalation.record import AUTOFIX, BASELINE, RECHECK, begin, finish
from penstock.engine.escalation.workplace import Workplace
from penstock.errors import Interrupted
from penstock.model.error_report import (
    ISSUES_KEPT,
    AttemptReport,
    Output,
    UnavailablePlugin,
    changes_since,
    issues_of,
    summarise,
)
from penstock.model.escalation import (
    EscalationContext,
    EscalationState,
    Verdict,
    report_label,
    succeeds,
)
from penstock.model.finding import Finding
from penstock.model.inspection import NO_CHECKER, NOT_CHECKED, CheckReport, PluginState
from penstock.model.records import Attempt
from penstock.model.states import AttemptState
from penstock.model.times import iso

_SHOWN = 5
_KEPT = 50


def run_check(
    edges: Edges, cabinet: Cabinet, workplace: Workplace, context: EscalationContext
) -> tuple[EscalationContext, Verdict]:
    """Check the files as they are, keep the report, and judge it. Raises Interrupted."""
    is_baseline = context.current_state is EscalationState.BASELINE_CHECK
    row = begin(edges, workplace, BASELINE if is_baseline else RECHECK)
    found = _inspected(edges, workplace, context, row, fix=False)
    report = _report(edges, context, found)
    cabinet.write_report(report)
    verdict = _verdict(report)
    status = AttemptState.SUCCEEDED if verdict is Verdict.PASSED else AttemptState.FAILED
    finish(edges, row.id if row else None, status, _result(report, verdict))
    return (
        msgspec.structs.replace(
            context,
            last_error_report=report,
            previous_error_report=context.last_error_report,
            infra_reason="; ".join(report.infra[:_SHOWN]) or None,
        ),
        verdict,
    )


def run_autofix(
    edges: Edges, workplace: Workplace, context: EscalationContext
) -> tuple[EscalationContext, Verdict]:
    """Let the fixers rewrite the files; each is replaced whole, so that it may be done again after
    a death. Raises Interrupted."""
    row = begin(edges, workplace, AUTOFIX)
    found = _inspected(edges, workplace, context, row, fix=True)
    fixed = tuple(file.path for file in found.files if file.fixed_by)
    infra = found.infra
    status = AttemptState.FAILED if infra else AttemptState.SUCCEEDED
    told = {"outcome": "failed" if infra else "passed", "fixed": list(fixed)}
    finish(
        edges,
        row.id if row else None,
        status,
        told | ({"error": "; ".join(infra)} if infra else {}),
    )
    changed = tuple(dict.fromkeys((*context.auto_fixed, *fixed)))
    done = msgspec.structs.replace(
        context,
        mechanical_fix_applied=True,
        auto_fixed=changed,
        infra_reason=edges.masks.text("; ".join(infra[:_SHOWN])) or None,
    )
    return done, Verdict.INFRA if infra else Verdict.DONE


def _inspected(
    edges: Edges,
    workplace: Workplace,
    context: EscalationContext,
    row: Attempt | None,
    *,
    fix: bool,
) -> CheckReport:
    request = InspectionRequest(
        place=workplace.place, files=context.files, fix=fix, strict=context.strict_mode
    )
    found = edges.inspector.inspect(request, stop=edges.stop)
    if found.interrupted or edges.stop.asked:
        finish(edges, row.id if row else None, AttemptState.CANCELED, {"outcome": "canceled"})
        raise Interrupted(f"{context.run_id}/{context.workstream_id}: the check was interrupted")
    return found


def _report(edges: Edges, context: EscalationContext, found: CheckReport) -> AttemptReport:
    label, text = report_label(context), edges.masks.text
    issues = tuple(msgspec.structs.replace(i, message=text(i.message)) for i in issues_of(found))
    infra = tuple(text(why) for why in (*found.infra, *_unchecked(found, issues)))
    report = AttemptReport(
        report_id=f"error_report_attempt_{label}",
        run_id=context.run_id,
        workstream_id=context.workstream_id,
        attempt_number=context.attempt_number,
        attempt=label,
        ai_agent=context.current_agent.value,
        timestamp_utc=iso(edges.clock()),
        toolchain={p.plugin_id: p.version for p in found.plugins if p.version is not None},
        summary=summarise(found, len(context.auto_fixed)),
        issues=issues[:ISSUES_KEPT],
        outputs=tuple(Output(input=path, output=path) for path in context.files),
        unavailable=tuple(
            UnavailablePlugin(plugin_id=p.plugin_id, reason=text(p.reason or "unavailable"))
            for p in found.plugins
            if p.state is PluginState.UNAVAILABLE
        ),
        changes=changes_since(context.last_error_report, issues),
        infra=infra,
    )
    passed = not infra and succeeds(report, strict=context.strict_mode)
    return msgspec.structs.replace(report, passed=passed)


def _unchecked(found: CheckReport, issues: tuple[Finding, ...]) -> list[str]:
    """Return which files nobody could look at, a reason each: they have not passed, and no agent
    could mend that."""
    codes = {NO_CHECKER, NOT_CHECKED}
    lines = [f"{issue.path}: {issue.message}" for issue in issues if issue.code in codes]
    lines += [f"{path}: {why}" for path, why in found.unusable]
    seen = {file.path for file in found.files}
    return lines if seen or lines else ["no file was checked"]


def _verdict(report: AttemptReport) -> Verdict:
    if report.infra:
        return Verdict.INFRA
    return Verdict.PASSED if report.passed else Verdict.FAILED


def _result(report: AttemptReport, verdict: Verdict) -> dict[str, object]:
    summary = report.summary
    told: dict[str, object] = {
        "outcome": verdict.value,
        "label": report.attempt,
        "findings": [msgspec.to_builtins(issue) for issue in report.issues[:_KEPT]],
        "findings_count": sum(summary.issues_by_tool.values()),
        "changes": msgspec.to_builtins(report.changes),
    }
    if report.infra:
        told["problem"] = told["error"] = "; ".join(report.infra[:_SHOWN])
    elif not report.passed:
        told["error"] = f"{summary.total_errors} errors, {summary.total_warnings} warnings"
    return told
