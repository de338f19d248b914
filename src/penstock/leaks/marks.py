"""What may be shown and kept of a secret, and the marks that allow one in its line."""

from __future__ import annotations

import hmac
import re

SHOWN = 4
"""Bytes of a value that a mask shows at most, all of it a provider's prefix."""
SHORTEST_SHOWN = 20
"""Shorter values show nothing."""

_PREFIX = re.compile(rb"[A-Za-z][A-Za-z0-9]{1,9}[_.-](?=[A-Za-z0-9_.-]{16})|A[A-Z]{2}A|AIza|eyJ")
_ALLOW = re.compile(
    rb"(?i)penstock:[ \t]*allow-secret|pragma:[ \t]*(?:allow|white)list[ \t-]secret|gitleaks:allow"
    rb"|kingfisher:ignore"
)
_ALLOW_NEXT = re.compile(rb"(?i)pragma:[ \t]*(?:allow|white)list[ \t]nextline[ \t]secret")


def mask(value: bytes) -> str:
    """Return what may be shown of a secret: its length, and up to four bytes of its prefix.

    A value without the prefix that a provider puts before all its keys shows nothing of itself.
    """
    prefix = _PREFIX.match(value)
    shown = prefix[0][:SHOWN].decode("ascii") if prefix and len(value) >= SHORTEST_SHOWN else ""
    return f"{shown}\u2026 ({len(value)} characters)"


def fingerprint(key: bytes, rule_id: str, value: bytes) -> str:
    """Return what a secret is known again by: HMAC-SHA-256 of rule and value, 32 hex digits.

    Without the key the value cannot be guessed from it; with the key, guesses can be tried.
    """
    return hmac.new(key, rule_id.encode() + b"\0" + value, "sha256").hexdigest()[:32]


def allowed_lines(data: bytes) -> frozenset[int]:
    """Return the lines, from 1, whose secrets a comment in them (or before them) allows."""
    if (
        b"allow" not in data
        and b"ALLOW" not in data
        and b"white" not in data
        and b"ignore" not in data
    ):
        return frozenset()
    here = {data.count(b"\n", 0, m.start()) + 1 for m in _ALLOW.finditer(data)}
    after = {data.count(b"\n", 0, m.start()) + 2 for m in _ALLOW_NEXT.finditer(data)}
    return frozenset(here | after)
