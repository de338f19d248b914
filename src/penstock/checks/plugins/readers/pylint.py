"""Reads pylint's `--output-format=json2`."""

from __future__ import annotations

import re

import msgspec

from penstock.checks.plugins.port import Parsed, RawOutput
from penstock.checks.plugins.readers.fields import (
    UnreadableError,
    category_of,
    one_line,
    position,
    severity_of,
)
from penstock.checks.plugins.readers.shapes import shaped
from penstock.checks.reading import clean
from penstock.model.finding import Finding
from penstock.model.manifest import OutputSpec

_START = re.compile(rb"^\{", re.MULTILINE)
_UNREAD_CONFIGURATION = re.compile(r"^(?:\S.*: F0011: |Failed to load ').+", re.MULTILINE)
"""What pylint says of a configuration file that it cannot parse, before it goes on with defaults."""
_PAGES = "https://pylint.readthedocs.io/en/stable/user_guide/messages"
_PAGE_OF = {"info": "information"}


class _Message(msgspec.Struct, rename="camel"):
    """One message; columns count from 0."""

    type: str
    symbol: str
    message: str
    message_id: str
    path: str
    line: int
    column: int = -1
    end_line: int | None = None
    end_column: int | None = None


class _Report(msgspec.Struct):
    messages: list[_Message]


def read_pylint(raw: RawOutput, spec: OutputSpec) -> Parsed:
    """Read pylint's messages; what it says before them is about its configuration."""
    start = _START.search(raw.stdout)
    before = raw.stdout[: start.start()] if start else raw.stdout
    unread = _UNREAD_CONFIGURATION.search(clean(before + raw.stderr))
    if unread is not None:
        return Parsed((), ok=False, why=f"it does without its configuration: {one_line(unread[0])}")
    try:
        report = shaped(raw.stdout[start.start() :] if start else raw.stdout, _Report)
    except UnreadableError as error:
        return Parsed((), ok=False, why=str(error))
    return Parsed(tuple(_finding(message, raw.tool, spec) for message in report.messages))


def _finding(message: _Message, tool: str, spec: OutputSpec) -> Finding:
    page = _PAGE_OF.get(message.type, message.type)
    return Finding(
        tool=tool,
        message=one_line(f"{message.message} ({message.symbol})"),
        path=message.path,
        line=position(message.line),
        column=position(message.column, zero_based=True),
        end_line=position(message.end_line),
        end_column=position(message.end_column, zero_based=True),
        code=message.message_id,
        category=category_of(spec, message.message_id),
        severity=severity_of(spec, message.type, message.message_id),
        url=f"{_PAGES}/{page}/{message.symbol}.html",
    )
