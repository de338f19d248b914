"""The ways in which a known value may be written."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

REPLACEMENT = "[REDACTED]"
SHORTEST_LITERAL = 6
"""Shorter values are common words; replacing them would spoil the text and hide little."""
LONGEST_ESCAPED = 256
"""Longer values are not looked for with each character escaped, which nobody does to them."""
LONG_LINE = 24
"""A line of a value of several lines that is as long as this is looked for on its own, too."""
_URL_SAFE = ("", "/", "!'()*~", ":/?#[]@!$&'()*+,;=")


def forms(text: str) -> Iterator[bytes]:
    """Yield a value as it is and as it is written in JSON, HTML, URLs, shells, base64 and hex.

    Nothing for a value that is too short to be looked for.
    """
    if len(text) < SHORTEST_LITERAL or text in REPLACEMENT:
        return
    raw = text.encode("utf-8", "surrogatepass")
    yield raw
    yield from _quoted(text)
    for safe in _URL_SAFE:
        yield from _url_forms(quote(raw, safe=safe))
    yield from _url_forms(quote_plus(raw))
    yield from _base64_forms(raw)
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    if len(text) <= LONGEST_ESCAPED:
        escaped = "".join(f"\\u{unit:04x}" for unit in _utf16(text))
        yield escaped.encode()
        yield re.sub(r"[0-9a-f]{4}", lambda match: match[0].upper(), escaped).encode()
    yield from _lines(text)


def _quoted(text: str) -> Iterator[bytes]:
    written = [repr(text)[1:-1], text.replace("'", "'\"'\"'"), text.replace("'", "'\\''")]
    # by hand, since what the library has for HTML and shells would be imported for this alone
    markup = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    quoted = markup.replace('"', "&quot;")
    written += [markup, *(quoted.replace("'", mark) for mark in ("&#x27;", "&#39;", "&apos;", "'"))]
    for ascii_only in (True, False):
        once = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        twice = json.dumps(once, ensure_ascii=ascii_only)[1:-1]
        written += (once, twice, once.replace("/", "\\/"))
    for form in written:
        if len(form) >= SHORTEST_LITERAL:
            yield form.encode("utf-8", "surrogatepass")


def _url_forms(url: str) -> Iterator[bytes]:
    yield url.encode()
    yield re.sub("%..", lambda match: match[0].lower(), url).encode()


def _utf16(text: str) -> Iterator[int]:
    data = text.encode("utf-16-be", "surrogatepass")
    yield from (int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))


def _base64_forms(raw: bytes) -> Iterator[bytes]:
    # inside a longer value it may begin at any of three places of a group of four characters;
    # what shares a character with its neighbours differs and is left off
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw)
        whole = len(encoded.rstrip(b"=")) - (1 if (before + len(raw)) % 3 else 0)
        core = encoded[(0, 2, 3)[before] : whole]
        for form in (core, encoded if before == 0 else core):
            yield form
            yield form.replace(b"+", b"-").replace(b"/", b"_")


def _lines(text: str) -> Iterator[bytes]:
    """Yield the long lines of a value of several: keys are printed with other indents."""
    lines = text.splitlines()
    if len(lines) > 1:
        for line in map(str.strip, lines):
            if len(line) >= LONG_LINE and not line.startswith("-----"):
                yield line.encode("utf-8", "surrogatepass")
