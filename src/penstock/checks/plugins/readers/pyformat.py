"""Reads what black and `ruff format` say when they only look: which files they would rewrite, and
which they cannot read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.checks.plugins.port import Parsed, RawOutput
from penstock.checks.plugins.readers.fields import (
    FORMAT_CODE,
    WOULD_REFORMAT,
    crash_in,
    one_line,
    position,
)
from penstock.checks.reading import clean
from penstock.model.finding import Category, Finding, Severity
from penstock.model.manifest import OutputSpec

UNREADABLE = "unreadable"
"""The code for a file that a formatter could not read."""
SYNTAX = "invalid-syntax"
_PLACE = r"(?::(?P<line>\d+):(?P<column>\d+))?"
_WOULD = re.compile(r"(?:would reformat|Would reformat:) (?P<path>.+)")
_CANNOT = (
    # black, today's and before
    re.compile(rf"error: cannot parse: (?P<path>.+?){_PLACE}(?P<message>)"),
    re.compile(r"error: cannot format (?P<path>.+?): (?P<message>.+)"),
    # ruff until 0.15
    re.compile(rf"error: Failed to \w+ (?P<path>.+?){_PLACE}: (?P<message>.+)"),
)
_PARSING = re.compile(r"Cannot parse.*?: (?P<line>\d+):(?P<column>\d+)")
# ruff since: a line with a rule, below it one with a place
_RULE = re.compile(r"(?P<code>[a-z]+(?:-[a-z]+)*): (?P<message>.+)")
_ARROW = re.compile(r"\s*--> (?P<path>.+?):(?P<line>\d+):(?P<column>\d+)")
_UNFORMATTED = "unformatted"


def read_black(raw: RawOutput, spec: OutputSpec) -> Parsed:
    """Read black's words, on standard error."""
    return _read(raw, spec, clean(raw.stderr))


def read_ruff_format(raw: RawOutput, spec: OutputSpec) -> Parsed:
    """Read the words of ruff's formatter: findings on standard output, failures on either stream."""
    return _read(raw, spec, f"{clean(raw.stdout)}\n{clean(raw.stderr)}")


def _read(raw: RawOutput, spec: OutputSpec, text: str) -> Parsed:
    crash = crash_in(raw.stderr)
    if crash is not None:
        return Parsed((), ok=False, why=crash)
    return Parsed(tuple(_findings(text.splitlines(), raw.tool, spec)))


def _findings(lines: list[str], tool: str, spec: OutputSpec) -> Iterator[Finding]:
    for line, below in zip(lines, [*lines[1:], ""], strict=False):
        would = _WOULD.fullmatch(line)
        if would is not None:
            yield _unformatted(would["path"], tool, spec)
            continue
        rule, arrow = _RULE.fullmatch(line), _ARROW.fullmatch(below)
        if rule is not None and arrow is not None:
            yield _ruled(rule, arrow, tool, spec)
            continue
        cannot = next(filter(None, (pattern.fullmatch(line) for pattern in _CANNOT)), None)
        if cannot is not None:
            yield _cannot(cannot, tool)


def _unformatted(path: str, tool: str, spec: OutputSpec) -> Finding:
    return Finding(
        tool=tool,
        message=WOULD_REFORMAT,
        path=path,
        code=FORMAT_CODE,
        category=spec.category,
        severity=spec.severity,
        fixable=True,
    )


def _ruled(rule: re.Match[str], arrow: re.Match[str], tool: str, spec: OutputSpec) -> Finding:
    if rule["code"] == _UNFORMATTED:
        return _unformatted(arrow["path"], tool, spec)
    is_syntax = rule["code"] == SYNTAX
    place = arrow if is_syntax else None
    return _unreadable(arrow["path"], rule["message"], place, tool, is_syntax=is_syntax)


def _cannot(match: re.Match[str], tool: str) -> Finding:
    """Return the finding for a file that could not be parsed, or not be read at all."""
    fields = match.groupdict()
    place = match if fields.get("line") else _PARSING.match(match["message"])
    message = match["message"] or "it cannot be parsed"
    return _unreadable(match["path"], message, place, tool, is_syntax=place is not None)


def _unreadable(
    path: str, message: str, place: re.Match[str] | None, tool: str, *, is_syntax: bool
) -> Finding:
    return Finding(
        tool=tool,
        message=one_line(message),
        path=path,
        line=position(place["line"]) if place else None,
        column=position(place["column"]) if place else None,
        code=SYNTAX if is_syntax else UNREADABLE,
        category=Category.SYNTAX if is_syntax else Category.OTHER,
        severity=Severity.ERROR,
    )
