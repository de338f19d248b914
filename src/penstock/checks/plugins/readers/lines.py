"""The reader of any tool that prints `file:line:column: message`, or lines of a pattern."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from penstock.checks.plugins.port import Parsed, RawOutput
from penstock.checks.plugins.readers.fields import (
    FORMAT_CODE,
    WOULD_REFORMAT,
    UnreadableError,
    category_of,
    crash_in,
    one_line,
    path_text,
    position,
    severity_of,
)
from penstock.checks.reading import clean
from penstock.model.finding import Category, Finding
from penstock.model.manifest import OutputSpec

MAX_LINE = 4000
"""Characters of a line that are looked at."""
_DEFAULT = re.compile(
    r"(?P<path>(?:[A-Za-z]:[\\/])?[^\s:()][^:()\n]{0,1000}?)"
    r"(?::(?P<line>\d{1,9})(?:[:.](?P<column>\d{1,9}))?|\((?P<line2>\d{1,9})(?:,(?P<column2>\d{1,9}))?\))"
    r"\s*:?\s+(?P<message>\S.*)"
)
_SEVERITY = re.compile(
    r"\[?(?P<severity>fatal error|fatal|error|warning|warn|note|info|hint)\]?\s*:?\s+(?P<rest>\S.*)",
    re.IGNORECASE,
)
_CODE_FIRST = re.compile(r"(?P<code>[A-Z]{1,8}-?[0-9]{1,6})\b\s*:?\s+(?P<rest>\S.*)")
_CODE_LAST = re.compile(r"(?P<rest>\S.*?)\s+\[(?P<code>-?[A-Za-z][\w./+=-]*)\]")


def read_lines(raw: RawOutput, spec: OutputSpec) -> Parsed:
    """Read lines. Without a pattern, only those count that name a file of the tree: times and
    addresses look like places as well. Severity and code are taken out of the message then."""
    crash = crash_in(raw.stderr)
    try:
        found = tuple(_findings(raw, spec))
    except UnreadableError as error:
        return Parsed((), ok=False, why=str(error))
    return Parsed(found, ok=crash is None, why=crash or "")


def text_lines(data: bytes) -> list[str]:
    """Return the lines of output without colours and control characters, each cut short."""
    return [line[:MAX_LINE] for line in clean(data).split("\n")]


def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a manifest's pattern. Raises UnreadableError."""
    try:
        return re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise UnreadableError(f"the manifest's pattern cannot be used: {error}") from None


def is_file(tree: Path, path: str) -> bool:
    """Tell whether a path names a file, seen from the tree; never raises."""
    try:
        return (tree / path).is_file()
    except (OSError, ValueError):
        return False


def _findings(raw: RawOutput, spec: OutputSpec) -> Iterator[Finding]:
    lines = text_lines(raw.of(spec))
    if spec.pattern is None:
        yield from _by_default(lines, raw, spec)
        return
    pattern = compiled(spec.pattern)
    for line in lines:
        match = pattern.search(line)
        if match is not None:
            yield _finding(match.groupdict(), raw.tool, spec)


def _by_default(lines: list[str], raw: RawOutput, spec: OutputSpec) -> Iterator[Finding]:
    known: dict[str, bool] = {}
    for line in lines:
        match = _DEFAULT.fullmatch(line.strip())
        if match is None:
            continue
        path = match["path"]
        if path not in known:
            known[path] = is_file(raw.tree, path)
        if known[path]:
            yield _finding(_told(match), raw.tool, spec)


def _told(match: re.Match[str]) -> dict[str, str | None]:
    """Take severity and code out of a message such as `error: E12 text` or `warning: text [code]`."""
    fields = match.groupdict()
    fields["line"] = fields["line"] or fields["line2"]
    fields["column"] = fields["column"] or fields["column2"]
    for pattern in (_SEVERITY, _CODE_FIRST, _CODE_LAST):
        found = pattern.fullmatch(fields["message"] or "")
        if found is not None:
            fields |= {"message": found["rest"], **found.groupdict()}
            if pattern is _CODE_FIRST:
                break
    return fields


def _finding(fields: dict[str, str | None], tool: str, spec: OutputSpec) -> Finding:
    code = one_line(fields.get("code"), 200) or None
    line = position(fields.get("line"), zero_based="line" in spec.zero_based)
    column = position(fields.get("column"), zero_based="column" in spec.zero_based)
    category = category_of(spec, code)
    formatting = category is Category.FORMATTING and not fields.get("message")
    return Finding(
        tool=tool,
        message=_message(fields, code, formatting),
        path=path_text(fields.get("path")),
        line=line,
        column=column if line is not None else None,
        code=FORMAT_CODE if formatting and code is None else code,
        category=category,
        severity=severity_of(spec, fields.get("severity"), code),
        fixable=formatting,
    )


def _message(fields: dict[str, str | None], code: str | None, formatting: bool) -> str:
    if formatting:
        return WOULD_REFORMAT
    return one_line(fields.get("message")) or code or "no message"
