"""Readers of the output of ruff, mypy, and of everything that prints `file:line: message`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import msgspec

from penstock.checks.pytest_report import read_pytest
from penstock.checks.reading import Evidence, Reading, bounded, line_of, relative
from penstock.model.finding import Category, Finding, Severity

MAX_LINES = 20_000
"""How many lines of text are searched, the last ones."""
MAX_LINE = 4000
"""Characters of a line that are looked at."""
_SYNTAX_CODES = frozenset({None, "", "E999", "invalid-syntax", "syntax-error"})
_LAYOUT_CODES = ("E1", "E2", "E3", "E5", "W1", "W2", "W3", "I0", "D2")
_PLACED = re.compile(
    r"(?:vet: )?(?P<path>[^\s:()'\"][^:()\n]{0,400}?)"
    r"(?::(?P<line>\d{1,7})(?::(?P<col>\d{1,6}))?|\((?P<line2>\d{1,7})(?:,(?P<col2>\d{1,6}))?\))"
    r":?\s+(?P<message>\S.*)"
)
_REFORMAT = re.compile(r"[Ww]ould reformat:? (?P<path>.+)")
_MYPY = re.compile(
    r"(?P<path>.+?):(?P<line>\d+)(?::(?P<col>\d+))?: (?P<kind>error|warning): "
    r"(?P<message>.*?)(?:  \[(?P<code>[\w-]+)\])?"
)


def read(parser: str, evidence: Evidence) -> Reading:
    """Read a command's output with the named reader."""
    return _READERS.get(parser, read_lines)(evidence)


# -- ruff ----------------------------------------------------------------------------------------
class _Position(msgspec.Struct):
    row: int
    column: int


class _RuffItem(msgspec.Struct):
    """One line of `--output-format=json-lines`; the other members are not needed."""

    filename: str
    message: str
    location: _Position | None = None
    code: str | None = None


def read_ruff(evidence: Evidence) -> Reading:
    """Read ruff's JSON lines, and render them for people."""
    findings = bounded(_ruff_findings(evidence))
    if not findings:
        return Reading()
    text = "\n".join(line_of(finding) for finding in findings)
    return Reading(findings, text=f"{text}\n{evidence.stderr}".rstrip())


def _ruff_findings(evidence: Evidence) -> Iterator[Finding]:
    decode = msgspec.json.Decoder(_RuffItem).decode
    for line in evidence.stdout.splitlines():
        try:
            item = decode(line)
        except msgspec.DecodeError:
            continue  # a line cut off at the start of the kept tail, or a warning
        yield _ruff_finding(item, evidence)


def _ruff_finding(item: _RuffItem, evidence: Evidence) -> Finding:
    category, severity = _ruff_category(item.code)
    path = relative(item.filename, evidence)
    return Finding(
        tool=evidence.tool,
        message=item.message if path else f"{item.filename}: {item.message}",
        path=path,
        line=item.location.row if item.location else None,
        column=item.location.column if item.location else None,
        code=item.code,
        category=category,
        severity=severity,
    )


def _ruff_category(code: str | None) -> tuple[Category, Severity]:
    if code in _SYNTAX_CODES or code is None:
        return Category.SYNTAX, Severity.ERROR
    if re.fullmatch(r"S\d+", code):
        return Category.SECURITY, Severity.WARNING
    layout = code.startswith(_LAYOUT_CODES)
    return (Category.FORMATTING if layout else Category.STYLE), Severity.WARNING


# -- mypy ----------------------------------------------------------------------------------------
def read_mypy(evidence: Evidence) -> Reading:
    """Read mypy's messages; its notes only explain them and are left to the log."""
    return Reading(bounded(_mypy_findings(evidence)))


def _mypy_findings(evidence: Evidence) -> Iterator[Finding]:
    for line in _lines(evidence):
        match = _MYPY.fullmatch(line)
        if match is not None:
            yield Finding(
                tool=evidence.tool,
                message=match["message"],
                path=relative(match["path"], evidence),
                line=int(match["line"]),
                column=int(match["col"]) if match["col"] else None,
                code=match["code"],
                category=Category.SYNTAX if match["code"] == "syntax" else Category.TYPE,
                severity=Severity.ERROR if match["kind"] == "error" else Severity.WARNING,
            )


# -- anything else -------------------------------------------------------------------------------
def read_lines(evidence: Evidence) -> Reading:
    """Read `file:line:column: message` where that file is in the tree, and formatters' words."""
    return Reading(bounded(_placed_findings(evidence)))


def _placed_findings(evidence: Evidence) -> Iterator[Finding]:
    known: dict[str, str | None] = {}
    make = partial(_placed, evidence=evidence, known=known)
    for line in _lines(evidence):
        match = _PLACED.fullmatch(line.strip())
        finding = make(match) if match is not None else _reformat(line.strip(), evidence, known)
        if finding is not None:
            yield finding


def _placed(
    match: re.Match[str], *, evidence: Evidence, known: dict[str, str | None]
) -> Finding | None:
    path = _existing(match["path"], evidence, known)
    if path is None:
        return None
    line, column = match["line"] or match["line2"], match["col"] or match["col2"]
    return Finding(
        tool=evidence.tool,
        message=match["message"],
        path=path,
        line=int(line) or None,
        column=(int(column) or None) if column else None,
    )


def _reformat(line: str, evidence: Evidence, known: dict[str, str | None]) -> Finding | None:
    match = _REFORMAT.fullmatch(line)
    path = _existing(match["path"], evidence, known) if match is not None else None
    if path is None:
        return None
    return Finding(
        tool=evidence.tool,
        message="would be reformatted",
        path=path,
        category=Category.FORMATTING,
        severity=Severity.WARNING,
    )


def _existing(path: str, evidence: Evidence, known: dict[str, str | None]) -> str | None:
    """Return the tree's file of that name: times and addresses look like places as well."""
    if path not in known:
        place = relative(path, evidence)
        known[path] = place if place and (evidence.tree / place).is_file() else None
    return known[path]


def _lines(evidence: Evidence) -> list[str]:
    both = f"{evidence.stdout}\n{evidence.stderr}"
    return [line[:MAX_LINE] for line in both.splitlines()[-MAX_LINES:]]


_READERS: Mapping[str, Callable[[Evidence], Reading]] = {
    "ruff": read_ruff,
    "mypy": read_mypy,
    "pytest": read_pytest,
    "lines": read_lines,
}
