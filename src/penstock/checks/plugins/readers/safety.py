"""Reads the JSON of `safety scan`, version 3 of its schema."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from penstock.checks.plugins.port import Parsed, RawOutput
from penstock.checks.plugins.readers.fields import UnreadableError, one_line, path_text
from penstock.checks.plugins.readers.shapes import shaped
from penstock.model.finding import Finding
from penstock.model.manifest import OutputSpec

_PAGE = "https://data.safetycli.com/v"


class _Vulnerability(msgspec.Struct):
    """A known vulnerability; `ignored` is there when the user's policy sets it aside."""

    id: str
    vulnerable_spec: str = ""
    ignored: object = None


class _Remediation(msgspec.Struct):
    recommended: str | None = None


class _Vulnerabilities(msgspec.Struct):
    known_vulnerabilities: list[_Vulnerability]
    remediation: _Remediation | None = None


class _Specification(msgspec.Struct):
    raw: str
    vulnerabilities: _Vulnerabilities


class _Package(msgspec.Struct):
    name: str
    specifications: list[_Specification]


class _Results(msgspec.Struct):
    dependencies: list[_Package] = msgspec.field(default_factory=list)


class _File(msgspec.Struct):
    location: str
    results: _Results


class _Project(msgspec.Struct):
    files: list[_File]


class _ScanResults(msgspec.Struct):
    projects: list[_Project]


class _Report(msgspec.Struct):
    scan_results: _ScanResults


def read_safety(raw: RawOutput, spec: OutputSpec) -> Parsed:
    """Read the vulnerabilities of packages, those excepted that the user's policy ignores."""
    try:
        report = shaped(raw.stdout, _Report)
    except UnreadableError as error:
        return Parsed((), ok=False, why=str(error))
    files = (file for project in report.scan_results.projects for file in project.files)
    return Parsed(tuple(found for file in files for found in _findings(file, raw.tool, spec)))


def _findings(file: _File, tool: str, spec: OutputSpec) -> Iterator[Finding]:
    for package in file.results.dependencies:
        for pinned in package.specifications:
            remedy = pinned.vulnerabilities.remediation
            advice = f"; use {remedy.recommended}" if remedy and remedy.recommended else ""
            for known in pinned.vulnerabilities.known_vulnerabilities:
                if not known.ignored:
                    words = f"{pinned.raw}: {known.id} (in {known.vulnerable_spec}){advice}"
                    yield Finding(
                        tool=tool,
                        message=one_line(words, 500),
                        path=path_text(file.location),
                        code=known.id,
                        category=spec.category,
                        severity=spec.severity,
                        url=f"{_PAGE}/{known.id}/",
                    )
