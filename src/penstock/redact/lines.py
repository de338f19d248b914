"""Taking what looks like a secret out of a stream, line by line."""

from __future__ import annotations

import re

from penstock.redact.literals import MARK, replace
from penstock.redact.patterns import (
    KEY_BEGIN,
    KEY_BODY,
    KEY_END,
    KEY_HINT,
    cut_outside_secrets,
    key_spans,
    secret_spans,
)

LONGEST_LINE = 1 << 16
"""Bytes after which a line without an end is worked on in parts."""
OVERLAP = 1 << 13
"""Bytes of such a part that are looked at again with the next, for secrets across the cut."""

_LINES = re.compile(rb"[^\n]*\n|[^\n]+")
_WORD = re.compile(rb"[^\s\"'&]*")


def without_orphan(data: bytes) -> bytes:
    """Take out the lines of a private key whose beginning was cut off, in data that is all there is."""
    end = KEY_END.search(data) if KEY_HINT in data else None
    if end is None or KEY_BEGIN.search(data, 0, end.start()):
        return data
    lines = data[: end.start()].splitlines(keepends=True)
    while lines and KEY_BODY.match(lines[-1].rstrip(b"\r\n")):
        lines.pop()
    return b"".join(lines) + MARK + data[end.end() :]


class LineStage:
    """Applies the patterns line by line; keys of several lines by remembering being inside one."""

    def __init__(self, *, named: bool = True) -> None:
        """Without `named`, what only a name gives away (`token: x`) is no secret."""
        self._named = named
        self._held = b""
        self._in_key = False
        self._in_word = False

    def feed(self, data: bytes) -> bytes:
        """Take the next piece, return all lines that are complete."""
        data = self._held + data
        done: list[bytes] = []
        at = 0
        while (unit := self._next_unit(data, at)) is not None:
            until, part = unit
            done.append(part)
            at = until
        self._held = data[at:]
        return b"".join(done)

    def flush(self) -> bytes:
        """Return the last line, which has no end."""
        data, self._held = self._held, b""
        return self._redact(self._skip_word(data))

    def _next_unit(self, data: bytes, at: int) -> tuple[int, bytes] | None:
        window_end = at + LONGEST_LINE
        newline = data.rfind(b"\n", at, window_end)
        if newline >= 0:
            return newline + 1, self._redact(self._skip_word(data[at : newline + 1]))
        if len(data) < window_end:
            return None
        window = data[at:window_end]
        cut = cut_outside_secrets(window, OVERLAP, named=self._named)
        part = self._redact(self._skip_word(window[:cut]))
        # a secret longer than the window goes on in the next
        self._in_word = self._in_word or cut == len(window)
        return at + cut, part

    def _skip_word(self, data: bytes) -> bytes:
        if not self._in_word or not data:
            return data
        match = _WORD.match(data)
        end = 0 if match is None else match.end()
        self._in_word = end == len(data)
        return data[end:]

    def _redact(self, data: bytes) -> bytes:
        if not self._in_key and KEY_HINT not in data:
            return self._redact_lines(data)
        return b"".join(self._redact_near_key(line) for line in _LINES.findall(data))

    def _redact_near_key(self, line: bytes) -> bytes:
        if self._in_key:
            end = KEY_END.search(line)
            if end is None and KEY_BODY.match(line):
                return b""
            self._in_key = False
            if end is not None:
                line = line[end.end() :].lstrip(b"\r\n")
        spans, opened = key_spans(line)
        clean = self._redact_lines(replace(line if opened < 0 else line[:opened], spans))
        if opened < 0:
            return clean
        self._in_key = True
        return clean + MARK + (b"\n" if line[-1:] == b"\n" else b"")

    def _redact_lines(self, data: bytes) -> bytes:
        return replace(data, secret_spans(data, named=self._named))
