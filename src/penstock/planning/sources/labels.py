"""The ids that tasks begin with, and keys that stay the same when other tasks come and go."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final

_LABEL: Final = re.compile(
    r"(?:\*\*|__|`)?"
    r"(#[0-9]+|T[0-9]{2,}[a-z]?|[0-9]+(?:\.[0-9]+)+[A-Za-z]?|[A-Z][A-Z0-9]*-[0-9]+)"
    r"(?:\*\*|__|`)?(?:[:.)\]](?=\s|\*|_|$)|(?=\s|$))(?:\*\*|__)?\s*"
)
_OTHER: Final = re.compile(r"[^a-z0-9]+")
_MAX_SLUG: Final = 48
_DIGITS: Final = 8


def split_label(text: str) -> tuple[str | None, str]:
    """Return the id that a task's text begins with (T012, 1.3, #7, ABC-12), and the rest.

    A text that is nothing but an id keeps it as its text too.
    """
    found = _LABEL.match(text)
    if found is None:
        return None, text
    return found[1], text[found.end() :] or text


def item_key(label: str | None, text: str) -> str:
    """Return the key of an item: its label, else digits of its text's SHA-256; never its position."""
    if label is not None:
        return label
    return f"x{_digest(text)}"


def slug(text: str) -> str:
    """Return a text as lower-case letters, digits and hyphens, without accents.

    One that loses letters thereby, as Chinese does, or its end, gets the first digits of its SHA-256
    to stay apart from others; so does one without any letter or digit.
    """
    plain = unicodedata.normalize("NFKD", text).lower()
    kept = _OTHER.sub("-", plain).strip("-")
    lost = any(sign.isalnum() and not sign.isascii() for sign in plain)
    if kept and not lost and len(kept) <= _MAX_SLUG:
        return kept
    return f"{kept[:_MAX_SLUG].rstrip('-')}-{_digest(text)}".lstrip("-")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:_DIGITS]
