"""Reads what `mdformat --check` says of files that it would rewrite."""

from __future__ import annotations

import re

from penstock.checks.plugins.port import Parsed, RawOutput
from penstock.checks.plugins.readers.fields import crash_in, one_line, path_text
from penstock.checks.plugins.readers.listed import unformatted
from penstock.checks.reading import clean
from penstock.model.manifest import OutputSpec

# it breaks lines at 80 columns, also within a path that has spaces
_UNFORMATTED = re.compile(
    r'^Error:\s+File\s+"(?P<path>.+?)"\s+is\s+not\s+formatted\.$', re.MULTILINE | re.DOTALL
)
_WARNING = re.compile(r"^Warning: .*?(?=^(?:Error|Warning): |\Z)", re.MULTILINE | re.DOTALL)


def read_mdformat(raw: RawOutput, spec: OutputSpec) -> Parsed:
    """Read the files that would be rewritten; anything else that it calls an error is one."""
    text = clean(raw.of(spec))
    found = [path_text(match["path"].replace("\n", " ")) for match in _UNFORMATTED.finditer(text)]
    findings = tuple(unformatted(path, raw.tool, spec) for path in found if path)
    rest = _WARNING.sub("", _UNFORMATTED.sub("", text)).strip()
    why = crash_in(raw.stderr) or one_line(rest, 300)
    return Parsed(findings, ok=not why, why=why)
