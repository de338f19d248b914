"""A report as JSON: the documented report of each file, and the totals of the run."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.cli.findings.wording import indented, using
from penstock.model.error_report import summarise
from penstock.model.inspection import CheckReport, FileResult, FileStatus, PluginState
from penstock.model.times import iso


def render(report: CheckReport, root: str) -> str:
    """Return the report as indented JSON (docs/reference/checks.md) without a last line end."""
    return indented(document(report, root))


def document(report: CheckReport, root: str) -> dict[str, Any]:
    """Return the report as plain values."""
    shared = _shared(report)
    failed = sum(file.status is FileStatus.FAILED for file in report.files)
    return {
        "run_id": shared["run_id"],
        "root": root,
        "timestamp_utc": shared["timestamp_utc"],
        "duration_sec": round(report.duration_s, 4),
        "status": (FileStatus.PASSED if report.passed else FileStatus.FAILED).value,
        "interrupted": report.interrupted,
        "unfinished": report.unfinished,
        "totals": {
            "files": len(report.files),
            "passed": len(report.files) - failed,
            "failed": failed,
            "cached": sum(file.cached for file in report.files),
            "suppressed": sum(len(file.suppressed) for file in report.files),
            "known": sum(len(file.known) for file in report.files),
            "fixed_known": report.fixed_known,
            **_summary(report, report.files),
        },
        "files": [_file(report, file, shared) for file in report.files],
        "plugins": report.plugins,
        "problems": report.problems,
        "unusable": [{"path": path, "reason": reason} for path, reason in report.unusable],
        "explanations": report.explanations,
    }


def _shared(report: CheckReport) -> dict[str, Any]:
    """Return what is the same in the report of every file."""
    moment = iso(report.started_at)
    return {
        "run_id": f"check-{moment[:19].replace('-', '').replace(':', '')}Z",
        "timestamp_utc": moment,
        "toolchain": {use.plugin_id: use.version for use in report.plugins if use.version},
        "unavailable": [
            {"plugin_id": use.plugin_id, "reason": use.reason or "", "hint": use.hint}
            for use in using(report, PluginState.UNAVAILABLE, PluginState.FAILED)
        ],
    }


def _file(report: CheckReport, file: FileResult, shared: dict[str, Any]) -> dict[str, Any]:
    return {
        **shared,
        "file_in": file.path,
        "file_out": file.path,
        "summary": _summary(report, (file,)),
        "issues": file.findings,
        "suppressed": file.suppressed,
        "known": file.known,
        "fixed_by": file.fixed_by,
        "cached": file.cached,
        "status": file.status.value,
    }


def _summary(report: CheckReport, files: tuple[FileResult, ...]) -> dict[str, Any]:
    fixed = sum(bool(file.fixed_by) for file in files)
    part = msgspec.structs.replace(report, files=files)
    summary: dict[str, Any] = msgspec.to_builtins(summarise(part, fixed))
    return summary
