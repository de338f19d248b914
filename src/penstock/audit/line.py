"""The form of one line: its time first, the chain last, hashed over its exact bytes.

    {"timestamp":"2026-01-31T10:20:30.123456Z","kind":...,"prev":"<64 hex>","hash":"<64 hex>"}

`hash` is SHA-256 over the bytes of the line before its last `,"hash":`; `prev` is the hash of the
line before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from penstock.model.times import iso

BEGIN = b'{"timestamp":"'
PREV = b',"prev":"'
HASH = b',"hash":"'
END = b'"}\n'
HASH_SIZE = 64
STAMP = slice(len(BEGIN), len(BEGIN) + 27)
"""Where the time stands in a line."""
HASHED = -(len(HASH) + HASH_SIZE + len(END))
"""Up to here (from the end, line end included) a line is hashed."""
LINK = slice(HASHED - HASH_SIZE - 1, None)
"""From here a line with its end is `<prev>","hash":"<hash>"}`."""

_FORM = re.compile(
    rb'\{"timestamp":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z",.*'
    rb',"prev":"([0-9a-f]{64})","hash":"([0-9a-f]{64})"\}',
    re.DOTALL,
)


class Link(NamedTuple):
    """What a line says of the chain, and whether its own hash is right."""

    stamp: str
    prev: str
    hash: str
    intact: bool


def stamp(microseconds: int) -> bytes:
    """Return a time as it is written."""
    return iso(microseconds // 1_000_000).encode()[:20] + b"%06dZ" % (microseconds % 1_000_000)


def seal(bodies: Iterable[bytes], at: bytes, prev: bytes) -> tuple[bytes, bytes]:
    """Return the lines of some bodies (members without braces), chained on, and the last hash."""
    parts: list[bytes] = []
    for body in bodies:
        hashed = b"".join((BEGIN, at, b'",', body, PREV, prev, b'"'))
        prev = sha256(hashed).hexdigest().encode()
        parts += (hashed, HASH, prev, END)
    return b"".join(parts), prev


def read_link(line: bytes) -> Link | None:
    """Read a line without its end; None when it has not the form of a line."""
    match = _FORM.fullmatch(line)
    if match is None:
        return None
    said = match[2].decode()
    hashed = line[: HASHED + 1]
    return Link(
        stamp=line[STAMP].decode(),
        prev=match[1].decode(),
        hash=said,
        intact=sha256(hashed).hexdigest() == said,
    )
