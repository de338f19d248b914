"""What the formats say alike: totals, places, texts that fit a line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import msgspec

from penstock.cli.output import json_text
from penstock.cli.words import duration, one_line, plural
from penstock.model.finding import Finding
from penstock.model.inspection import NO_CHECKER, CheckReport, FileStatus, PluginState, PluginUse


def flat(text: str) -> str:
    """Return text in one line without control characters; the usual case costs nothing."""
    return text if text.isprintable() else one_line(text)


def indented(value: Any) -> str:
    """Return a value as indented JSON. What is no plain ASCII takes the slower way, which knows what
    stdout can encode; what is no text (a lone surrogate) is replaced, for strict readers refuse it."""
    try:
        data = msgspec.json.encode(value)
    except UnicodeEncodeError:
        return json_text(
            json.loads(whole(json.dumps(msgspec.to_builtins(value), ensure_ascii=False)))
        )
    return msgspec.json.format(data, indent=2).decode() if data.isascii() else json_text(value)


def whole(text: str) -> str:
    """Return text with lone surrogates replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def place(path: str, found: Finding) -> str:
    """Return `path:line:column`, as far as it is known."""
    if found.line is None:
        return path
    if found.column is None:
        return f"{path}:{found.line}"
    return f"{path}:{found.line}:{found.column}"


def finding_text(path: str, found: Finding) -> str:
    """Return `path:line:column: severity code message [tool]` as one line."""
    code = f"{found.code} " if found.code else ""
    text = f"{place(path, found)}: {found.severity.value} {code}{found.message} [{found.tool}]"
    return flat(text)


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings by line and column, those of the whole file first."""
    return sorted(findings, key=lambda found: (found.line or 0, found.column or 0))


def using(report: CheckReport, *states: PluginState) -> list[PluginUse]:
    """Return the plugins that ended in one of these states."""
    return [use for use in report.plugins if use.state in states]


def summary(report: CheckReport) -> str:
    """Return the totals: `3 files: 2 passed, 1 failed; 4 errors, 2 warnings; 0.4s`."""
    failed = sum(file.status is FileStatus.FAILED for file in report.files)
    files = plural(len(report.files), "file")
    parts = [
        f"{files}: {len(report.files) - failed} passed, {failed} failed",
        _found(report),
        _unchecked(report),
        _unfinished(report),
        _set_aside(report),
        _fixed(report),
        _cached(report),
        duration(report.duration_s),
    ]
    if report.interrupted:
        parts.insert(0, "interrupted")
    return "; ".join(part for part in parts if part)


def _found(report: CheckReport) -> str:
    errors = sum(file.errors for file in report.files)
    warnings = sum(file.warnings for file in report.files)
    return f"{plural(errors, 'error')}, {plural(warnings, 'warning')}"


def _unchecked(report: CheckReport) -> str:
    bare = sum(any(one.code == NO_CHECKER for one in file.findings) for file in report.files)
    return f"{plural(bare, 'file')} without a checker" if bare else ""


def _unfinished(report: CheckReport) -> str:
    count = len(report.unfinished)
    return f"{plural(count, 'file')} not checked to the end" if count else ""


def _set_aside(report: CheckReport) -> str:
    suppressed = sum(len(file.suppressed) for file in report.files)
    known = sum(len(file.known) for file in report.files)
    parts = [
        f"{suppressed} suppressed" if suppressed else "",
        f"{known} in the baseline" if known else "",
        f"{report.fixed_known} of the baseline gone" if report.fixed_known else "",
    ]
    return ", ".join(part for part in parts if part)


def _fixed(report: CheckReport) -> str:
    fixed = sum(bool(file.fixed_by) for file in report.files)
    return f"{plural(fixed, 'file')} fixed" if fixed else ""


def _cached(report: CheckReport) -> str:
    cached = sum(file.cached for file in report.files)
    return f"{cached} from the cache" if cached else ""
