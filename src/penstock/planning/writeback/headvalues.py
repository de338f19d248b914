"""Changing single values in the YAML at the head of a Markdown file, all other bytes kept."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from penstock.planning.sources.text import Line, SourceFile

_CLOSERS: Final = frozenset({"---", "..."})
_VALUE: Final = re.compile(
    rb"""(?P<head>(?P<key>[^\s:#'"]+|"[^"]*"|'[^']*')[ \t]*:)(?P<gap>[ \t]*)"""
    rb"""(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|(?:[^\s#]|(?<![ \t])\#|[ \t]++(?=[^\s#]))*)"""
    rb"""(?P<tail>[ \t]*(?:(?<=[ \t])\#.*)?)$"""
)


class HeadValue(NamedTuple):
    """A value as it is written: its line, where it begins and ends in the file, and its quotes."""

    line: Line
    start: int
    end: int
    text: str
    quote: bytes
    gap: bool


def head_lines(file: SourceFile) -> tuple[Line, ...]:
    """Return the lines between the signs of a file's frontmatter, none where it has none."""
    if not file.lines or file.lines[0].text.rstrip() != "---":
        return ()
    for line in file.lines[1:]:
        if line.text.rstrip() in _CLOSERS:
            return file.lines[1 : line.number - 1]
    return ()


def head_value(file: SourceFile, key: str) -> HeadValue | None:
    """Return a value of the outermost mapping; of one that is given twice the last, None for none.

    Values that go over several lines are not found: nothing that is written here does.
    """
    found = None
    for line in head_lines(file):
        raw = file.raw[line.offset : line.offset + _size(file, line)]
        match = _VALUE.match(raw)
        if match is None or match["key"].strip(b"\"'").decode(errors="replace") != key:
            continue
        value = match["value"]
        quote = value[:1] if value[:1] in (b'"', b"'") else b""
        text = value.removeprefix(quote).removesuffix(quote) if quote else value
        found = HeadValue(
            line=line,
            start=line.offset + match.start("value"),
            end=line.offset + match.end("value"),
            text=text.decode(errors="replace"),
            quote=quote,
            gap=bool(match["gap"]),
        )
    return found


def set_values(file: SourceFile, values: dict[str, str]) -> bytes:
    """Return the file's bytes with these values; keys that it does not have are left out.

    A value keeps its quotes and the comment behind it.
    """
    places = [(found, text) for key, text in values.items() if (found := head_value(file, key))]
    raw = file.raw
    for found, text in sorted(places, key=lambda place: -place[0].start):
        before = b"" if found.gap else b" "
        after = b" " if raw[found.end : found.end + 1] == b"#" else b""
        written = before + found.quote + text.encode() + found.quote + after
        raw = raw[: found.start] + written + raw[found.end :]
    return raw


def _size(file: SourceFile, line: Line) -> int:
    """Return the bytes of a line without its end."""
    following = file.lines[line.number].offset if line.number < len(file.lines) else len(file.raw)
    return following - line.offset - len(line.end)
