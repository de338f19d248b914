"""A report for people: a line for each file, what failed it below, and the totals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import click

from penstock.cli.findings.wording import finding_text, flat, ordered, summary, using
from penstock.model.finding import Finding, Severity
from penstock.model.inspection import (
    NO_CHECKER,
    CheckReport,
    Explanation,
    FileResult,
    FileStatus,
    PluginState,
    PluginUse,
)

WIDTH = 80
LISTED = 3
"""Up to so many missing tools are told with their hints; of more only the names, unless asked."""
_COLOURS = {"error": "red", "warning": "yellow", "FAILED": "red", "PASSED": "green"}
_PAINTED = {word: f": {click.style(word, fg=colour)} " for word, colour in _COLOURS.items()}
_STATE = re.compile(rf": ({'|'.join(_COLOURS)}) ")
_INDENT = "  "
_HANGING = "      "


def render(
    report: CheckReport,
    root: str,  # noqa: ARG001 - all formats are called alike
    *,
    verbose: bool = False,
    colour: bool = False,
    width: int = WIDTH,
    passed: bool = True,
) -> str:
    """Return the report as text without a last line end.

    Below a file that failed stand its errors and warnings; `verbose` shows all findings of all
    files, those set aside too, and every plugin. `colour` marks words by terminal sequences. Lines
    but the documented ones are wrapped at `width` columns, 0 leaves them whole. Without `passed`,
    files that passed and have nothing else to tell have no line.
    """
    lines: list[str] = []
    told = _by_path(report.explanations)
    for file in report.files:
        below = list(_below(file, verbose=verbose))
        below += [_INDENT + _explained(told_one) for told_one in told.pop(file.path, ())]
        if passed or below or _tells(file):
            lines.append(file_line(file))
            lines += below
    lines += [_explained(one, with_path=True) for rest in told.values() for one in rest]
    lines += [f"{path}: NOT CHECKED | {why}" for path, why in report.unusable]
    lines += _plugins(report, verbose=verbose)
    lines += [f"Note: {problem}" for problem in report.problems]
    lines.append(_last_line(report))
    wrapped = [part for line in lines for part in wrap(flat(line), width)]
    return "\n".join(_painted(wrapped) if colour else wrapped)


def _tells(file: FileResult) -> bool:
    """Tell whether a file has something to say; that nothing checks it is for the totals."""
    bad = file.status is FileStatus.FAILED
    return bad or any(
        found.severity is Severity.WARNING and found.code != NO_CHECKER for found in file.findings
    )


def wrap(line: str, width: int) -> Iterable[str]:
    """Break a line at blanks so that its parts fit `width` columns, as far as its words do; the
    parts after the first hang. A width of 0 leaves it whole."""
    if not width or len(line) <= width or " | errors=" in line:
        return (line,)
    return _parts(line, width)


def _parts(line: str, width: int) -> Iterator[str]:
    start = len(line) - len(line.lstrip())
    hanging = " " * start + _HANGING[start:]
    while len(line) > width:
        cut = line.rfind(" ", start + 1, width + 1)
        if cut < 0:
            cut = line.find(" ", max(width, start + 1))
        if cut < 0:
            break
        yield line[:cut].rstrip()
        line = hanging + line[cut + 1 :]
        start = len(hanging)
    yield line


def file_line(file: FileResult) -> str:
    """Return the documented line of a file."""
    return flat(f"{file.path}: {file.status.value} | errors={file.errors} warnings={file.warnings}")


def _below(file: FileResult, *, verbose: bool) -> Iterator[str]:
    """Yield what is told of a file below its line."""
    if file.fixed_by:
        yield f"{_INDENT}fixed by {', '.join(file.fixed_by)}"
    if verbose or file.status is FileStatus.FAILED:
        for found in ordered(file.findings):
            if verbose or found.severity is not Severity.INFO:
                yield _INDENT + finding_text(file.path, found)
    if verbose:
        yield from _aside(file.path, file.suppressed, "suppressed")
        yield from _aside(file.path, file.known, "in the baseline")


def _aside(path: str, findings: Iterable[Finding], why: str) -> Iterator[str]:
    for found in ordered(findings):
        yield f"{_INDENT}{finding_text(path, found)} ({why})"


def _by_path(explanations: Iterable[Explanation]) -> dict[str, list[Explanation]]:
    by_path: dict[str, list[Explanation]] = {}
    for one in explanations:
        by_path.setdefault(one.path, []).append(one)
    return by_path


def _explained(one: Explanation, *, with_path: bool = False) -> str:
    what = "from the cache" if one.cached else "ran"
    where = f"{one.path}: " if with_path else ""
    return flat(f"{where}{one.plugin_id}: {what}, {one.because}")


def _plugins(report: CheckReport, *, verbose: bool) -> Iterator[str]:
    """Yield what became of the plugins: those that failed, those that are missing."""
    for use in using(report, PluginState.FAILED):
        yield f"{use.plugin_id}: FAILED | {use.reason or 'without a reason'}"
    missing = using(report, PluginState.UNAVAILABLE)
    if verbose or len(missing) <= LISTED:
        yield from (_missing(use) for use in missing)
    else:
        yield f"Skipped, missing or not set up: {_names(missing)}. See `penstock check --list`."
    if verbose:
        for use in using(report, PluginState.RAN, PluginState.CACHED):
            yield _used(use)


def _names(uses: Sequence[PluginUse]) -> str:
    return ", ".join(use.plugin_id for use in uses)


def _missing(use: PluginUse) -> str:
    hint = f" ({use.hint})" if use.hint else ""
    return f"{use.plugin_id}: skipped, {use.reason or 'its tool is missing'}{hint}"


def _used(use: PluginUse) -> str:
    version = f" {use.version}" if use.version else ""
    cached = f", {use.cached} from the cache" if use.cached else ""
    files = "1 file" if use.files == 1 else f"{use.files} files"
    return f"{use.plugin_id}{version}: {files}{cached}, {use.duration_s:.2f}s"


def _last_line(report: CheckReport) -> str:
    if not report.files and not report.unusable and not report.interrupted:
        return "No files to check."
    return summary(report)


def _painted(lines: Iterable[str]) -> list[str]:
    """Colour the first word of each line that tells a state or severity."""
    return [_STATE.sub(lambda match: _PAINTED[match[1]], line, count=1) for line in lines]
