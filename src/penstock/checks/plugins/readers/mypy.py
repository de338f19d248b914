"""Reads mypy's `--output json`: one object per line, and in words what keeps it from checking."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from penstock.checks.plugins.port import Parsed, RawOutput
from penstock.checks.plugins.readers.fields import category_of, one_line, position, severity_of
from penstock.checks.reading import clean
from penstock.model.finding import Finding, Severity
from penstock.model.manifest import OutputSpec

BLOCKED = "blocked"
"""The code of what keeps mypy from checking anything, where it gives none."""
BLOCKING_EXIT = 2
_SYNTAX = "syntax"
_STOPPED = re.compile(r"(?P<path>[^:\n]+): error: (?P<message>.+)")
_OWN_NAME = "mypy"
_UNREAD_CONFIGURATION = re.compile(
    r"^(?:.*/)?(?:\.?mypy\.ini|pyproject\.toml|setup\.cfg): (?!\[|error: |No \[mypy\] section).+",
    re.MULTILINE,
)
"""What mypy says of a configuration file that it cannot parse, before it goes on with defaults."""


class _Message(msgspec.Struct):
    """One message. Columns count from 0, but for syntax errors, where they count from 1."""

    file: str
    line: int
    message: str
    severity: str
    column: int = -1
    code: str | None = None
    hint: str | None = None
    end_line: int | None = None
    end_column: int | None = None


def read_mypy(raw: RawOutput, spec: OutputSpec) -> Parsed:
    """Read mypy's messages. On standard error it tells of its configuration, and in words of files
    that it cannot read."""
    unread = _UNREAD_CONFIGURATION.search(clean(raw.stderr))
    if unread is not None:
        return Parsed((), ok=False, why=f"it does without its configuration, {one_line(unread[0])}")
    printed = [line for line in raw.stdout.splitlines() if line.strip()]
    messages = _messages([*printed, *raw.stderr.splitlines()])
    findings = tuple(_finding(message, raw, spec) for message in messages)
    findings += tuple(_stopped(raw, spec))
    if not findings and (printed or raw.exit_code):
        return Parsed((), ok=False, why="it printed no message in JSON")
    return Parsed(findings)


def _messages(lines: list[bytes]) -> Iterator[_Message]:
    decode = msgspec.json.Decoder(_Message).decode
    for line in lines:
        try:
            yield decode(line.decode("utf-8", "replace"))
        except msgspec.DecodeError:
            continue  # plugins of mypy may print


def _finding(message: _Message, raw: RawOutput, spec: OutputSpec) -> Finding:
    from_zero = message.code != _SYNTAX
    code = message.code or (BLOCKED if raw.exit_code == BLOCKING_EXIT else None)
    line = position(message.line)
    words = f"{message.message} ({message.hint})" if message.hint else message.message
    return Finding(
        tool=raw.tool,
        message=one_line(words),
        path=message.file,
        line=line,
        column=position(message.column, zero_based=from_zero) if line else None,
        end_line=position(message.end_line) if line else None,
        end_column=position(message.end_column, zero_based=from_zero) if line else None,
        code=code,
        category=category_of(spec, code),
        severity=severity_of(spec, message.severity, code),
    )


def _stopped(raw: RawOutput, spec: OutputSpec) -> Iterator[Finding]:
    """Yield the files that mypy could not read."""
    for line in clean(raw.stderr).splitlines():
        match = _STOPPED.fullmatch(line.strip())
        if match is not None and match["path"] != _OWN_NAME:
            yield Finding(
                tool=raw.tool,
                message=one_line(match["message"]),
                path=match["path"],
                code=BLOCKED,
                category=category_of(spec, BLOCKED),
                severity=Severity.ERROR,
            )
