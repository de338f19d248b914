"""Reads what `prettier --list-different` says: paths that it would rewrite, and what it cannot parse."""

from __future__ import annotations

import re

from penstock.checks.plugins.port import Parsed, RawOutput
from penstock.checks.plugins.readers.fields import one_line, path_text, position
from penstock.checks.plugins.readers.listed import read_listed
from penstock.checks.reading import clean
from penstock.model.finding import Category, Finding, Severity
from penstock.model.manifest import OutputSpec

SYNTAX = "syntax"
_ERROR = re.compile(
    r"\[error\] (?P<path>.+?): SyntaxError: (?P<message>.+?)(?: \((?P<line>\d+):(?P<column>\d+)\))?"
)
# the code around an error, and how a message of several lines goes on
_FRAME = re.compile(r"\[error\](?: {1,}>?\s*\d* \||\s*$| {2,}).*")


def read_prettier(raw: RawOutput, spec: OutputSpec) -> Parsed:
    """Read paths on standard output and syntax errors on standard error; its other errors (a broken
    configuration, a plugin that is missing) are no findings."""
    listed = read_listed(raw, spec)
    syntax, why = [], listed.why
    for line in clean(raw.stderr).split("\n"):
        match = _ERROR.fullmatch(line)
        if match is not None:
            syntax.append(_syntax(match, raw.tool))
        elif line.startswith("[error]") and not _FRAME.fullmatch(line):
            why = why or one_line(line.removeprefix("[error]"), 300)
    return Parsed((*listed.findings, *syntax), ok=not why, why=why)


def _syntax(match: re.Match[str], tool: str) -> Finding:
    line = position(match["line"])
    return Finding(
        tool=tool,
        message=one_line(match["message"]),
        path=path_text(match["path"]),
        line=line,
        column=position(match["column"]) if line is not None else None,
        code=SYNTAX,
        category=Category.SYNTAX,
        severity=Severity.ERROR,
    )
