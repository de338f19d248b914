"""What a scan for secrets found, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import msgspec

from penstock.cli import output
from penstock.cli.words import bytes_in_words, duration, plural
from penstock.leaks.found import FoundSecret, SecretReport, Source
from penstock.model.finding import Category, Finding
from penstock.model.inspection import CheckReport, FileResult, FileStatus

TOOL = "aim"
ADVICE = (
    "Revoke what is a real key and make a new one: deleting it from a file is not enough, for git",
    "keeps every version. What may stay: a comment `penstock: allow-secret` in its line, or",
    "aim scan secrets --update-baseline",
)
SKIPPED_SHOWN = 5


def show(report: SecretReport, form: str, top: str, *, kept: int | None) -> None:
    """Print a report; `kept` is how many entries the baseline has now, None when it was not
    written."""
    if form == "json":
        output.emit_json(document(report, kept))
    elif form == "sarif":
        from penstock.cli.findings.sarif import render

        output.emit(render(as_checks(report), top))
    else:
        for line in lines(report, kept):
            output.emit(output.displayed(line))


def document(report: SecretReport, kept: int | None = None) -> dict[str, Any]:
    """Return a report for machines."""
    told: dict[str, Any] = msgspec.to_builtins(report)
    told["summary"] = {
        "findings": len(report.findings),
        "known": len(report.known),
        "allowed": report.allowed,
        "by_rule": _counts([one.rule for one in report.findings]),
    }
    return told if kept is None else {**told, "baseline_entries": kept}


def _counts(names: Sequence[str]) -> dict[str, int]:
    return {name: len(list(same)) for name, same in groupby(sorted(names))}


def lines(report: SecretReport, kept: int | None = None) -> Iterator[str]:
    """Yield a report for people."""
    for found in report.findings:
        yield f"{_place(found)}: {found.title} {found.masked} [{found.rule}]{_commit(found)}"
    if report.findings:
        yield ""
    yield _summary(report)
    for skipped in report.skipped[:SKIPPED_SHOWN]:
        yield f"Not looked at: {skipped.path}: {skipped.why}"
    if len(report.skipped) > SKIPPED_SHOWN:
        yield f"Not looked at: {len(report.skipped) - SKIPPED_SHOWN} more"
    if kept is not None:
        yield f"The baseline holds {plural(kept, 'secret')} now."
    elif report.findings:
        yield from ADVICE


def _place(found: FoundSecret) -> str:
    return f"{found.path}:{found.line}:{found.column}"


def _commit(found: FoundSecret) -> str:
    if found.commit is None:
        return ""
    times = f", in {found.times} versions" if found.times > 1 else ""
    return f" (commit {found.commit[:10]}{times})"


def _summary(report: SecretReport) -> str:
    places = ", ".join(source.value for source in report.sources)
    size = bytes_in_words(report.size_bytes)
    aside = [f"{len(report.known)} in the baseline"] if report.known else []
    aside += [f"{report.allowed} allowed in place"] if report.allowed else []
    found = plural(len(report.findings), "secret")
    return (
        f"{found} in {plural(report.files, 'text')} ({places}; {size}, "
        f"{duration(report.duration_s)}){''.join(f', {part}' for part in aside)}"
    )


def as_checks(report: SecretReport) -> CheckReport:
    """Return a report in the shape of the error engine's, whose formats then serve both."""
    every = sorted((*report.findings, *report.known), key=lambda one: one.path)
    known = set(report.known)
    files = [
        _file(path, list(same), known) for path, same in groupby(every, key=lambda one: one.path)
    ]
    unusable = tuple((one.path, one.why) for one in report.skipped)
    return CheckReport(
        started_at=0.0, duration_s=report.duration_s, files=tuple(files), unusable=unusable
    )


def _file(path: str, found: Sequence[FoundSecret], known: set[FoundSecret]) -> FileResult:
    findings = tuple(_finding(one) for one in found if one not in known)
    return FileResult(
        path=path,
        status=FileStatus.FAILED if findings else FileStatus.PASSED,
        findings=findings,
        known=tuple(_finding(one) for one in found if one in known),
    )


def _finding(found: FoundSecret) -> Finding:
    return Finding(
        tool=TOOL,
        message=f"{found.title} {found.masked}{_commit(found)}",
        path=found.path,
        line=found.line if found.source is not Source.HISTORY else None,
        column=found.column if found.source is not Source.HISTORY else None,
        code=found.rule,
        category=Category.SECURITY,
        fingerprint=found.fingerprint,
    )
