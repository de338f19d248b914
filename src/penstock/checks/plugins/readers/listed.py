"""The reader of formatters that print the path of each file they would rewrite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from penstock.checks.plugins.port import Parsed, RawOutput
from penstock.checks.plugins.readers.fields import (
    FORMAT_CODE,
    WOULD_REFORMAT,
    UnreadableError,
    crash_in,
    one_line,
    path_text,
)
from penstock.checks.plugins.readers.lines import compiled, is_file, text_lines
from penstock.model.finding import Finding
from penstock.model.manifest import OutputSpec


def read_listed(raw: RawOutput, spec: OutputSpec) -> Parsed:
    """Read one path per line. With a `pattern`, its group `path` is the path and other lines are
    chatter; without, a line that names no file cannot be read."""
    crash = crash_in(raw.stderr)
    try:
        paths = list(dict.fromkeys(_paths(raw, spec)))
    except UnreadableError as error:
        return Parsed((), ok=False, why=crash or str(error))
    found = tuple(unformatted(path, raw.tool, spec) for path in paths)
    return Parsed(found, ok=crash is None, why=crash or "")


def unformatted(path: str, tool: str, spec: OutputSpec) -> Finding:
    """Return the finding on a file that a formatter would rewrite."""
    return Finding(
        tool=tool,
        message=WOULD_REFORMAT,
        path=path,
        code=FORMAT_CODE,
        category=spec.category,
        severity=spec.severity,
        fixable=True,
    )


def _paths(raw: RawOutput, spec: OutputSpec) -> Iterator[str]:
    pattern = compiled(spec.pattern) if spec.pattern is not None else None
    for line in text_lines(raw.of(spec)):
        if pattern is not None:
            match = pattern.search(line)
            path = path_text(match.groupdict().get("path")) if match is not None else None
        else:
            path = _named(raw.tree, line)
        if path is not None:
            yield path


def _named(tree: Path, line: str) -> str | None:
    """Return the file that a line names, None for an empty line. Raises UnreadableError."""
    if not line.strip():
        return None
    if not is_file(tree, line):
        raise UnreadableError(f"its output names no file: {one_line(line, 200)}")
    return line
