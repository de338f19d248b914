"""A report as workflow commands, which GitHub shows beside the lines of a change.

The form and its escapes are those of "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

from collections.abc import Iterator

from penstock.cli.findings.wording import summary, using
from penstock.model.finding import Finding, Severity
from penstock.model.inspection import CheckReport, PluginState

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_ORDER = {severity: rank for rank, severity in enumerate(LEVELS)}
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def render(
    report: CheckReport,
    root: str,  # noqa: ARG001 - all formats are called alike
) -> str:
    """Return a command for each finding that counts, and the totals, without a last line end.

    Errors come first: GitHub shows only so many of each kind.
    """
    found = [(file.path, one) for file in report.files for one in file.findings]
    found.sort(key=lambda item: _ORDER[item[1].severity])
    lines = [_finding(path, one) for path, one in found]
    lines += [
        command("error", why, title="not checked", file=path) for path, why in report.unusable
    ]
    lines += _remarks(report)
    return "\n".join([*lines, summary(report)])


def command(level: str, message: str, **properties: str | int | None) -> str:
    """Return one workflow command; properties that are None are left out."""
    told = ",".join(
        f"{name}={str(value).translate(_PROPERTY)}"
        for name, value in properties.items()
        if value is not None
    )
    return (
        f"::{level} {told}::{message.translate(_DATA)}"
        if told
        else f"::{level}::{message.translate(_DATA)}"
    )


def _finding(path: str, found: Finding) -> str:
    last = found.end_line if found.line is not None else None
    # columns mean something only within one line
    inside = found.line is not None and last in (None, found.line)
    name = f"{found.tool} {found.code}" if found.code else found.tool
    return command(
        LEVELS[found.severity],
        found.message,
        file=path,
        line=found.line,
        endLine=last,
        col=found.column if inside else None,
        endColumn=found.end_column if inside and found.column is not None else None,
        title=name,
    )


def _remarks(report: CheckReport) -> Iterator[str]:
    """Yield what concerns no file."""
    for use in using(report, PluginState.FAILED):
        yield command("error", use.reason or "failed", title=use.plugin_id)
    for use in using(report, PluginState.UNAVAILABLE):
        text = " - ".join(part for part in (use.reason, use.hint) if part)
        yield command("notice", text or "its tool is missing", title=f"{use.plugin_id} skipped")
    for problem in report.problems:
        yield command("warning", problem, title="penstock check")
