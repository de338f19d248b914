"""Known values in a stream: replaced wherever they stand, also where a line break cuts them."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from penstock.redact.forms import REPLACEMENT
from penstock.redact.search import Span, make_finder

MARK = REPLACEMENT.encode()
SHORTEST_WRAPPED = 8
"""A form in bytes that is as long as this is also looked for across the ends of lines."""
_HEAD = 4
_FILL = b" \t\"'\\|>#*\r"
# where a program wraps a line, perhaps in a box, a comment or a string in quotes
_END = re.compile(rb"\n|\\{1,8}(?:r\\{1,8})?n")
_ORNAMENT = rb"\xe2\x94[\x82\x83]|\x1b\[[0-9;]{0,10}m"
_ORNAMENT_LAST = re.compile(rb"(?:" + _ORNAMENT + rb")\Z")
_ORNAMENT_FIRST = re.compile(_ORNAMENT)
_ORNAMENT_BEGUN = re.compile(rb"(?:\x1b(?:\[[0-9;]{0,10})?|\xe2\x94?|\\{1,8}r)\Z")
_LONGEST_ORNAMENT = 16
WIDEST_BREAK = 256
"""Bytes around the end of a line beyond which it is no wrapped line."""
_TAIL = 4096


class Literals:
    """A set of byte strings, replaced leftmost first and longest first."""

    def __init__(self, forms: Iterable[bytes]) -> None:
        self.forms = sorted(set(forms))
        self._finder = make_finder(self.forms)
        self._heads = make_finder(sorted({form[:_HEAD] for form in self.forms}))
        self.longest = max(map(len, self.forms), default=0)

    def __bool__(self) -> bool:
        return bool(self.forms)

    def stand_in(self, data: bytes) -> bool:
        """Tell whether any of them stands in the data."""
        return bool(self.forms) and self._finder.holds(data)

    def spans(self, data: bytes) -> list[Span]:
        """Return where they stand."""
        return self._finder.spans(data) if self.forms else []

    def open_positions(self, data: bytes) -> list[int]:
        """Return where, near the end, a value begins that the data breaks off, in order."""
        start = max(0, len(data) - self.longest + 1)
        last = max(start, len(data) - _HEAD + 1)
        within = [start + at for _, at in self._heads.hits(data[start:])]
        candidates = sorted({*within, *range(last, len(data))})
        return [at for at in candidates if self._breaks_off(data[at:])]

    def _breaks_off(self, rest: bytes) -> bool:
        at = bisect_right(self.forms, rest)
        return at < len(self.forms) and self.forms[at].startswith(rest)


class Flat(NamedTuple):
    """Data without the breaks in it: `cuts` are where in `data` one was, `lengths` what had been taken
    out up to and with it."""

    data: bytes
    cuts: list[int]
    lengths: list[int]

    def raw(self, at: int) -> int:
        """Return where a byte of the flat data was before."""
        index = bisect_right(self.cuts, at)
        return at + (self.lengths[index - 1] if index else 0)

    def raw_end(self, at: int) -> int:
        """Return where what ends at a place of the flat data ended before."""
        index = bisect_left(self.cuts, at)
        return at + (self.lengths[index - 1] if index else 0)


def flatten(data: bytes) -> Flat:
    """Take the ends of lines out, with what programs put around them when they wrap text."""
    if not has_break(data):
        return Flat(data, [], [])
    cuts: list[int] = []
    lengths: list[int] = []
    pieces: list[bytes] = []
    begin = taken = 0
    for start, end in _breaks(data):
        pieces.append(data[begin:start])
        cuts.append(start - taken)
        taken += end - start
        lengths.append(taken)
        begin = end
    pieces.append(data[begin:])
    return Flat(b"".join(pieces), cuts, lengths)


def _breaks(data: bytes) -> Iterator[Span]:
    """Yield where a line ends and the next begins, with what stands between them as padding."""
    left = at = 0  # where the last line with anything in it ended, and where this one begins
    for match in _END.finditer(data):
        line = data[at : match.start()]
        text = _without_end(line)
        if at == 0:
            left = len(text)
        elif text.strip(_FILL):
            first = at + len(line) - len(_without_beginning(line))
            if left < first <= left + WIDEST_BREAK:
                yield left, first
            left = at + len(text)
        at = match.end()
    if at:
        first = len(data) - len(_without_beginning(data[at:]))
        if first <= left + WIDEST_BREAK:
            yield left, first


def _without_end(line: bytes) -> bytes:
    """Return a line without the padding at its end."""
    line = line.rstrip(_FILL)
    while line[-1:] in (b"m", b"\x82", b"\x83"):
        match = _ORNAMENT_LAST.search(line, max(0, len(line) - _LONGEST_ORNAMENT))
        if match is None:
            break
        line = line[: match.start()].rstrip(_FILL)
    return line


def _without_beginning(line: bytes) -> bytes:
    """Return a line without the padding at its beginning."""
    line = line.lstrip(_FILL)
    while line[:1] in (b"\x1b", b"\xe2"):
        match = _ORNAMENT_FIRST.match(line)
        if match is None:
            break
        line = line[match.end() :].lstrip(_FILL)
    return line


def has_break(data: bytes) -> bool:
    """Tell whether lines end in the data, be it in a text in JSON."""
    return b"\n" in data or b"\\n" in data


class Stage:
    """Replaces the values in one stream."""

    def __init__(self, literals: Literals) -> None:
        self._literals = literals
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Take the next piece, return what is certain."""
        literals, data = self._literals, self._held + data
        if not literals:
            return data
        open_at = self._open(data)
        spans, at = [], 0
        for start, end in self._spans(data):
            # a longer value may yet turn out to begin at or before this one
            if any(at <= position <= start for position in open_at):
                break
            spans.append((start, end))
            at = end
        cut = next((position for position in open_at if position >= at), len(data))
        self._held = data[cut:]
        return replace(data[:cut], spans)

    def flush(self) -> bytes:
        """Return the rest."""
        data, self._held = self._held, b""
        return self.whole(data)

    def whole(self, data: bytes) -> bytes:
        """Replace in data that is all there is."""
        return replace(data, self._spans(data)) if self._literals else data

    def _spans(self, data: bytes) -> list[Span]:
        return self._literals.spans(data)

    def _open(self, data: bytes) -> list[int]:
        return self._literals.open_positions(data)


class WrappedStage(Stage):
    """Replaces the values that are cut by the ends of lines, with the ends in them."""

    def _spans(self, data: bytes) -> list[Span]:
        flat = flatten(data)
        return [(flat.raw(s), flat.raw_end(e)) for s, e in self._literals.spans(flat.data)]

    def _open(self, data: bytes) -> list[int]:
        skipped = max(0, len(data) - self._literals.longest - _TAIL)
        tail = data[skipped:]
        begun = _without_end(_ORNAMENT_BEGUN.sub(b"", _without_end(tail)))
        found = set(self._open_in(tail))
        if len(begun) < len(tail) <= len(begun) + WIDEST_BREAK:
            found.update(self._open_in(begun))
        return sorted(skipped + at for at in found)

    def _open_in(self, data: bytes) -> list[int]:
        flat = flatten(data)
        return [flat.raw(at) for at in self._literals.open_positions(flat.data)]


def replace(data: bytes, spans: Iterable[Span]) -> bytes:
    """Replace the spans, which are in order; one that begins inside another adds to it."""
    done: list[bytes] = []
    at = 0
    for start, end in spans:
        if start >= at:
            done += (data[at:start], MARK)
        at = max(at, end)
    return b"".join((*done, data[at:])) if done else data


def wrapped_forms(forms: Iterable[bytes]) -> set[bytes]:
    """Return the forms to be looked for in flat data.

    What could be padding at their ends is left off: beside the end of a line it would not be seen.
    """
    flat = (flatten(form).data for form in forms)
    bare = (_without_beginning(_without_end(form)) for form in flat)
    return {form for form in bare if len(form) >= SHORTEST_WRAPPED}
