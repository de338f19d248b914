"""Reads codespell's lines: `path:line: wrong ==> right`."""

from __future__ import annotations

import re

from penstock.checks.plugins.port import Parsed, RawOutput
from penstock.checks.plugins.readers.fields import crash_in, one_line, position
from penstock.checks.reading import clean
from penstock.model.finding import Finding
from penstock.model.manifest import OutputSpec

_HIT = re.compile(r"(?P<path>.+?)(?::(?P<line>\d{1,9}))?: (?P<wrong>[^\s:]+) ==> (?P<right>.+)")
_MISSPELLING = "misspelling"


def read_codespell(raw: RawOutput, spec: OutputSpec) -> Parsed:
    """Read the misspellings; those without a line are in the name of a file.

    The context and the summaries that a user's configuration may ask for are passed over.
    """
    crash = crash_in(raw.stderr)
    if crash is not None:
        return Parsed((), ok=False, why=crash)
    matches = map(_HIT.fullmatch, clean(raw.stdout).splitlines())
    return Parsed(tuple(_finding(match, raw.tool, spec) for match in matches if match is not None))


def _finding(match: re.Match[str], tool: str, spec: OutputSpec) -> Finding:
    line = position(match["line"])
    return Finding(
        tool=tool,
        message=one_line(f"{match['wrong']} ==> {match['right']}"),
        path=match["path"],
        line=line,
        code=_MISSPELLING,
        category=spec.category,
        severity=spec.severity,
        fixable=line is not None and "," not in match["right"],
    )
