"""A report as SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format).

One run of one driver: a rule's id is `tool/code`, the tools are its extensions. Suppressed
findings and those of the baseline are results with a suppression, which viewers do not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from penstock.cli.findings.wording import indented
from penstock.model.finding import Finding, Severity
from penstock.model.inspection import CheckReport, FileResult, PluginState, PluginUse
from penstock.model.times import iso

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
BASE = "%SRCROOT%"
FINGERPRINT = "penstockRuleLine/v1"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
IN_SOURCE = {"kind": "inSource"}
IN_BASELINE = {"kind": "external", "justification": "known to the baseline"}
_WEB = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/?#-]*)?\Z")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})|#.*#")

Json = dict[str, Any]


def render(report: CheckReport, root: str) -> str:
    """Return the report as indented SARIF without a last line end."""
    return indented(document(report, root))


def document(report: CheckReport, root: str) -> Json:
    """Return the report as the values of a SARIF log."""
    rules = _Rules()
    results = [result for file in report.files for result in _results(file, rules)]
    run = {
        "tool": {
            "driver": {"name": "penstock", "rules": rules.descriptors},
            "extensions": _extensions(report.plugins),
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {BASE: {"uri": f"file://{_uri(root.rstrip('/'))}/"}},
        "invocations": [_invocation(report)],
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


class _Rules:
    """The rules that results speak of, each once, in the order of their first result."""

    def __init__(self) -> None:
        self.descriptors: list[Json] = []
        self._index: dict[str, int] = {}

    def index(self, found: Finding) -> int:
        """Return the place of a finding's rule in the list, which it is added to."""
        name = rule_id(found)
        if name not in self._index:
            self._index[name] = len(self.descriptors)
            self.descriptors.append(_descriptor(name, found))
        return self._index[name]


def rule_id(found: Finding) -> str:
    """Return `tool/code`, or the tool alone for one without rules."""
    return f"{found.tool}/{found.code}" if found.code else found.tool


def _descriptor(name: str, found: Finding) -> Json:
    about: Json = {
        "id": name,
        "shortDescription": {"text": f"{found.code or 'finding'} of {found.tool}"},
        "properties": {"tags": [found.category.value]},
    }
    if found.url and _WEB.match(found.url) and not _BAD_ESCAPE.search(found.url):
        about["helpUri"] = found.url
    return about


def _results(file: FileResult, rules: _Rules) -> Iterator[Json]:
    yield from (_result(file.path, found, rules) for found in file.findings)
    for aside, why in ((file.suppressed, IN_SOURCE), (file.known, IN_BASELINE)):
        for found in aside:
            yield {**_result(file.path, found, rules), "suppressions": [why]}


def _result(path: str, found: Finding, rules: _Rules) -> Json:
    location: Json = {"artifactLocation": {"uri": _uri(path), "uriBaseId": BASE}}
    if (region := _region(found)) is not None:
        location["region"] = region
    result: Json = {
        "ruleId": rule_id(found),
        "ruleIndex": rules.index(found),
        "level": LEVELS[found.severity],
        "message": {"text": found.message or rule_id(found)},
        "locations": [{"physicalLocation": location}],
    }
    if found.fingerprint:
        result["partialFingerprints"] = {FINGERPRINT: found.fingerprint}
    if found.fixable:
        result["properties"] = {"fixable": True}
    return result


def _region(found: Finding) -> Json | None:
    """Return where a finding is; an end that lies before its beginning is left out."""
    if found.line is None or found.line < 1:
        return None
    region = {"startLine": found.line}
    if found.column is not None and found.column >= 1:
        region["startColumn"] = found.column
    last = found.end_line if found.end_line is not None else found.line
    if last < found.line:
        return region
    region["endLine"] = last
    start = region.get("startColumn", 1) if last == found.line else 1
    if found.end_column is not None and found.end_column >= start:
        region["endColumn"] = found.end_column
    return region


def _uri(path: str) -> str:
    """Return a path as a relative reference; bytes that are no UTF-8 keep their value."""
    try:
        data = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = path.encode("utf-8", "surrogatepass")
    return quote(data)


def _took_part(use: PluginUse) -> bool:
    return use.state in (PluginState.RAN, PluginState.CACHED, PluginState.FAILED)


def _extensions(uses: Iterable[PluginUse]) -> list[Json]:
    """Return the tools that took part, each once."""
    versions = {use.plugin_id: use.version for use in uses if _took_part(use)}
    return [
        {"name": name, "version": version} if version else {"name": name}
        for name, version in versions.items()
    ]


def _invocation(report: CheckReport) -> Json:
    """Return how the run itself went: what failed, and what took no part."""
    failed = [use for use in report.plugins if use.state is PluginState.FAILED]
    missing = [use for use in report.plugins if use.state is PluginState.UNAVAILABLE]
    trouble = [_notice("error", f"{u.plugin_id}: {u.reason}", "plugin-failed") for u in failed]
    trouble += [_notice("error", f"{p}: {why}", "not-checked") for p, why in report.unusable]
    return {
        "executionSuccessful": not (trouble or report.interrupted),
        "startTimeUtc": _moment(report.started_at),
        "endTimeUtc": _moment(report.started_at + report.duration_s),
        "toolExecutionNotifications": trouble,
        "toolConfigurationNotifications": [
            *(_notice("note", _skipped(use), "tool-missing") for use in missing),
            *_plain("warning", report.problems),
        ],
    }


def _plain(level: str, texts: Iterable[str]) -> Iterator[Json]:
    return (_notice(level, text, "problem") for text in texts)


def _skipped(use: PluginUse) -> str:
    return " - ".join(part for part in (use.plugin_id, use.reason, use.hint) if part)


def _notice(level: str, text: str, kind: str) -> Json:
    return {"level": level, "message": {"text": text}, "descriptor": {"id": kind}}


def _moment(seconds: float) -> str:
    return f"{iso(seconds)[:23]}Z"
