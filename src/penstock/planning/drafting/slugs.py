"""Names made of titles: slugs that stay the same, and ids that are given out once."""

from __future__ import annotations

import re
from collections.abc import Collection
from hashlib import sha256
from unicodedata import normalize

MAX_SLUG = 60
_DIGITS = 6
_MARKS = re.compile(r"[\u0300-\u036f]")
_OTHER = re.compile(r"[^a-z0-9]+")


def slug(text: str, default: str = "plan") -> str:
    """Return a text as `[a-z0-9-]+` of at most 60 characters.

    Accents are taken off. A text that loses letters (Chinese, Japanese) or its end keeps apart from
    others by six digits of its SHA-256, so that the same title has the same slug everywhere.
    """
    plain = _MARKS.sub("", normalize("NFKD", text.casefold()))
    kept = _OTHER.sub("-", plain).strip("-")
    lost = any(letter.isalnum() and not letter.isascii() for letter in plain)
    if not lost and len(kept) <= MAX_SLUG:
        return kept or default
    return f"{_cut(kept) or default}-{digits_of(text)}"


def digits_of(text: str) -> str:
    """Return six hexadecimal digits that stand for a text."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def _cut(text: str) -> str:
    return text[: MAX_SLUG - _DIGITS - 1].strip("-")


class Names:
    """Gives out names, each once, and none that is taken."""

    def __init__(self, taken: Collection[str] = ()) -> None:
        self._taken = set(taken)

    def give(self, wish: str) -> str:
        """Return the wished name, or with `-2`, `-3` at its end when it is taken."""
        name, at = wish, 1
        while name in self._taken:
            at += 1
            name = f"{wish}-{at}"
        self._taken.add(name)
        return name
