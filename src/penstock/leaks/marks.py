"""What may be shown and kept of a secret, and the marks that allow one in its line."""

from __future__ import annotations

import hmac
import re

from penstock.leaks.rules import SHAPED

SHOWN = 4
"""Bytes of a value that a mask shows at most."""
_PREFIXES = tuple(
    {word for rule in SHAPED if not rule.lead for word in rule.keywords if len(word) >= SHOWN}
)

_HINTS = (
    b"allow-secret",
    b"list secret",
    b"list-secret",
    b"nextline secret",
    b"gitleaks:allow",
    b"kingfisher:ignore",
)
_ALLOW = re.compile(
    rb"(?i)penstock:[ \t]*allow-secret|pragma:[ \t]*(?:allow|white)list[ \t-]secret|gitleaks:allow"
    rb"|kingfisher:ignore"
)
_ALLOW_NEXT = re.compile(rb"(?i)pragma:[ \t]*(?:allow|white)list[ \t]nextline[ \t]secret")


def mask(value: bytes) -> str:
    """Return what may be shown of a secret: its length, and up to four bytes of its prefix.

    A value that begins with nothing that a provider puts before all its keys shows nothing of
    itself.
    """
    shown = value[:SHOWN].decode("ascii") if value.startswith(_PREFIXES) else ""
    return f"{shown}\u2026 ({len(value)} characters)"


def fingerprint(key: bytes, rule_id: str, value: bytes) -> str:
    """Return what a secret is known again by: HMAC-SHA-256 of rule and value, 32 hex digits.

    Without the key the value cannot be guessed from it; with the key, guesses can be tried.
    """
    return hmac.new(key, rule_id.encode() + b"\0" + value, "sha256").hexdigest()[:32]


def allowed_lines(data: bytes) -> frozenset[int]:
    """Return the lines, from 1, whose secrets a comment in them (or before them) allows."""
    lowered = data.lower()
    if not any(hint in lowered for hint in _HINTS):
        return frozenset()
    lines = data.split(b"\n")
    here = {number for number, line in enumerate(lines, 1) if _ALLOW.search(line)}
    after = {number + 1 for number, line in enumerate(lines, 1) if _ALLOW_NEXT.search(line)}
    return frozenset(here | after)
