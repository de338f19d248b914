"""Reads the JSON of pip-audit."""

from __future__ import annotations

import msgspec

from penstock.checks.plugins.port import Parsed, RawOutput
from penstock.checks.plugins.readers.fields import UnreadableError, one_line
from penstock.checks.plugins.readers.shapes import shaped
from penstock.model.finding import Finding, Severity
from penstock.model.manifest import OutputSpec

NOT_AUDITED = "not-audited"
"""The code for a package of which the service knows nothing, not even that it is safe."""
_PAGE = "https://osv.dev/vulnerability"


class _Vulnerability(msgspec.Struct):
    id: str
    description: str = ""
    fix_versions: list[str] = msgspec.field(default_factory=list)
    aliases: list[str] = msgspec.field(default_factory=list)


class _Dependency(msgspec.Struct):
    name: str
    version: str | None = None
    vulns: list[_Vulnerability] = msgspec.field(default_factory=list)
    skip_reason: str | None = None


class _Report(msgspec.Struct):
    dependencies: list[_Dependency]


def read_pip_audit(raw: RawOutput, spec: OutputSpec) -> Parsed:
    """Read the vulnerabilities of packages, and the packages that could not be audited, which
    pip-audit passes over. When that is true of all, nothing was audited.

    Paths are left to the plugin, which knows what file it asked about.
    """
    try:
        report = shaped(raw.stdout, _Report)
    except UnreadableError as error:
        return Parsed((), ok=False, why=str(error))
    skipped = [package for package in report.dependencies if package.skip_reason is not None]
    if skipped and len(skipped) == len(report.dependencies):
        why = f"no package could be audited: {one_line(skipped[0].skip_reason, 300)}"
        return Parsed((), ok=False, why=why)
    found = tuple(
        _finding(package, known, raw.tool, spec)
        for package in report.dependencies
        for known in package.vulns
    )
    return Parsed(found + tuple(_not_audited(package, raw.tool, spec) for package in skipped))


def _finding(package: _Dependency, known: _Vulnerability, tool: str, spec: OutputSpec) -> Finding:
    names = ", ".join([known.id, *known.aliases])
    fixed = ", ".join(known.fix_versions)
    remedy = f"fixed in {fixed}" if fixed else "no fixed version is known"
    words = f"{package.name} {package.version}: {names}; {remedy}. {known.description}"
    return Finding(
        tool=tool,
        message=one_line(words, 500),
        code=known.id,
        category=spec.category,
        severity=spec.severity,
        fixable=False,
        url=f"{_PAGE}/{known.id}",
    )


def _not_audited(package: _Dependency, tool: str, spec: OutputSpec) -> Finding:
    return Finding(
        tool=tool,
        message=one_line(f"{package.name} could not be audited: {package.skip_reason}"),
        code=NOT_AUDITED,
        category=spec.category,
        severity=Severity.WARNING,
    )
